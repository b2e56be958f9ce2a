package configs

import (
	"errors"
	"reflect"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"

	"github.com/galenahq/galena"
)

// apiVersion is the one format there is.
const apiVersion = "galena/v1"

// Header stands above every spec.
type Header struct {
	APIVersion string   `yaml:"apiVersion"`
	Kind       string   `yaml:"kind"`
	Metadata   Metadata `yaml:"metadata"`
}

// Metadata says which edition of a file this is. Raise Version with every
// change: decisions name it.
type Metadata struct {
	Name      string `yaml:"name"`
	Version   int    `yaml:"version"`
	Owner     string `yaml:"owner"`
	Changelog string `yaml:"changelog"`
}

// file is a whole file of one kind.
type file[S any] struct {
	Header `yaml:",inline"`
	Spec   S `yaml:"spec"`
}

// document is a file on its way from bytes to a spec.
type document struct {
	Source
	tree   *tree
	kind   string
	header Header
	report Report

	builtin bool // no operator's file
}

// open parses a source as far as its kind.
func open(s Source) *document { return openLimited(s, maxNodes) }

func openLimited(s Source, nodes int) *document {
	d := &document{Source: s}
	if s.Fault != "" {
		d.add(placed{*galena.Faultf("", "E02", "the file %s", s.Fault), position{1, 1}})
		return d
	}
	d.tree = parse(s.Bytes, nodes)
	d.add(d.tree.faults...)
	d.tree.faults = nil
	if d.tree.root != nil {
		d.kind = d.scalar("kind")
	}
	return d
}

// scalar is the text of a key at the top of the file.
func (d *document) scalar(key string) string {
	for _, v := range d.tree.root.Values {
		if keyText(v.Key) == key {
			text, _ := plainText(v.Value)
			return text
		}
	}
	return ""
}

// has says that the file has a key at its top.
func (d *document) has(key string) bool {
	for _, v := range d.tree.root.Values {
		if keyText(v.Key) == key {
			_, null := v.Value.(*ast.NullNode)
			return !null
		}
	}
	return false
}

func (d *document) add(faults ...placed) {
	for _, f := range faults {
		d.report = append(d.report, finding(d.Path, f.at, f.Fault))
	}
}

// fail adds a fault at the place of its path.
func (d *document) fail(f galena.Fault) { d.add(placed{f, d.tree.find(f.Path)}) }

// read decodes the spec over its defaults and lets its owner check it. The spec
// is usable when the document's report holds no error.
func read[S any](d *document, defaults S, validate func(S) error) S {
	hasSpec := d.has("spec")
	out := file[S]{Spec: defaults}
	if told := decode(d, &out); told != nil {
		d.header = out.Header
		d.tell(errors.Join(out.Header.validate(hasSpec), validate(out.Spec)), told)
	}
	return out.Spec
}

// decode fills out with what is right in the document and tells the rest. It
// returns what was told, or nil when nothing could be decoded.
func decode[T any](d *document, out *T) *shape {
	s := &shape{tree: d.tree, gaps: map[ast.Node]bool{}, lost: map[*ast.MappingNode][]string{}}
	s.reads(d.tree.root, reflect.TypeFor[T](), "")
	d.add(d.tree.faults...)
	d.tree.faults = nil
	if err := yaml.NodeToValue(d.tree.root, out, yaml.Strict()); err != nil {
		// The shape was right and the decoder still refuses: tell it in its words.
		at, message := explain(err)
		d.add(placed{*galena.Faultf("", "E02", "cannot be read: %s", message), at})
		return nil
	}
	return s
}

func (h Header) validate(hasSpec bool) error {
	var errs []error
	if h.APIVersion != apiVersion {
		errs = append(errs, galena.Faultf("apiVersion", "E02", "must be %s", apiVersion))
	}
	if h.Metadata.Version < 0 {
		errs = append(errs, galena.Faultf("metadata.version", "E02", "must not be below zero"))
	}
	if !hasSpec {
		errs = append(errs, galena.Faultf("spec", "E02", "must not be empty"))
	}
	return errors.Join(errs...)
}

// tell places the faults of a check. A fault that only follows from something
// already told (a key that was misspelt is now missing) is left out.
func (d *document) tell(err error, told *shape) {
	for _, f := range faultsOf(err) {
		if !told.explains(*f) {
			d.add(placed{*f, d.tree.find(f.Path)})
		}
	}
}

// faultsOf flattens joined errors. What is no fault becomes one, so that
// nothing is swallowed.
func faultsOf(err error) []*galena.Fault {
	if err == nil {
		return nil
	}
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		var out []*galena.Fault
		for _, e := range many.Unwrap() {
			out = append(out, faultsOf(e)...)
		}
		return out
	}
	if f, ok := errors.AsType[*galena.Fault](err); ok {
		return []*galena.Fault{f}
	}
	return []*galena.Fault{galena.Faultf("spec", "E02", "%v", err)}
}
