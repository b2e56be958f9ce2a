package configs

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/intake"
	"github.com/galenahq/galena/merging"
	"github.com/galenahq/galena/notify"
	"github.com/galenahq/galena/providers"
	"github.com/galenahq/galena/routing"
	"github.com/galenahq/galena/scoring"
)

// The kinds of file.
const (
	KindICP       = "ICP"
	KindMerging   = "Merging"
	KindRouting   = "Routing"
	KindProviders = "Providers"
	KindHygiene   = "Hygiene"
	KindNotify    = "Notify"
	KindCRM       = "CRM"
)

// Kinds lists the kinds, in the order of Rules.Refs.
func Kinds() []string {
	return []string{KindICP, KindMerging, KindRouting, KindProviders, KindHygiene, KindNotify, KindCRM}
}

// Rules are all files together, checked. They never change: a reload makes new ones.
type Rules struct {
	ICP       scoring.Config
	Merging   merging.Config
	Routing   routing.Config
	Providers providers.Config
	Hygiene   intake.Config
	Notify    notify.Config
	CRM       CRM

	Refs     []galena.ConfigRef // one per kind, with the hash of the file's bytes
	Bytes    map[string][]byte  // the files themselves, by kind
	Paths    map[string]string  // what each is called, by kind
	Warnings Report

	documents map[string]*document
}

// Same says that both are made of the same files.
func (r Rules) Same(as Rules) bool {
	return slices.Equal(r.Refs, as.Refs) && slices.EqualFunc(r.Hygiene.Lists, as.Hygiene.Lists,
		func(a, b intake.List) bool { return a.File == b.File && a.Sum == b.Sum })
}

// Place tells a fault that only shows when the rules are put to work, at its
// place in the file of a kind: a vendor without its key.
func (r Rules) Place(kind string, f galena.Fault) Finding {
	d := r.documents[kind]
	if d == nil || d.tree == nil {
		return finding(r.Paths[kind], position{1, 1}, f)
	}
	return finding(d.Path, d.tree.find(f.Path), f)
}

// Given lists the kinds that an operator's file gives, with the file's path.
func (r Rules) Given() map[string]string {
	out := map[string]string{}
	for kind, d := range r.documents {
		if !d.builtin {
			out[kind] = d.Path
		}
	}
	return out
}

// Options are what the files cannot say themselves.
type Options struct {
	Path     string             // printed before each file's name
	Specs    []providers.Spec   // the vendors that are built in; nil = unknown, not checked
	Previous []galena.ConfigRef // editions seen before, for W08
	Given    map[string]string  // kinds that files gave so far, by Rules.Given: none may get lost on the way
}

// Load reads a directory; nil means the built-in files. A kind that is absent
// keeps its built-in file. The error is a Report with everything that is wrong.
func Load(dir fs.FS, o Options) (Rules, error) {
	var sources []Source
	if dir != nil {
		var err error
		if sources, err = Dir(dir, o.Path); err != nil {
			return Rules{}, err
		}
	}
	return LoadSources(sources, o)
}

// LoadSources is Load of a directory that has been read already.
func LoadSources(sources []Source, o Options) (Rules, error) {
	l := newLoader(sources, o)
	l.missing()
	if l.puzzled() {
		l.crossCheck()
		return l.rules()
	}
	l.fillFrom(Builtin())
	l.crossCheck()
	return l.rules()
}

// LoadFiles reads single files; the kinds that they do not give are built-in.
// The built-in files are not held against them: a profile may be tried whose
// tiers no built-in route knows.
func LoadFiles(sources []Source, o Options) (Rules, error) {
	l := newLoader(sources, o)
	l.crossCheck()
	l.fillFrom(Builtin())
	return l.rules()
}

// Check lints a directory as Load would read it.
func Check(dir fs.FS, o Options) Report {
	rules, err := Load(dir, o)
	if report, ok := errors.AsType[Report](err); ok {
		return report
	}
	if err != nil {
		return Report{finding(o.Path, position{1, 1}, *galena.Faultf("", "E02", "%v", err))}
	}
	return rules.Warnings
}

// CheckFiles lints single files. What they say of each other is checked, but
// not against built-in files that they may not be meant for.
func CheckFiles(sources []Source, o Options) Report {
	l := newLoader(sources, o)
	l.crossCheck()
	return l.report()
}

// loader reads documents and keeps them by kind.
type loader struct {
	options Options
	all     []*document
	byKind  map[string]*document
	lists   []intake.List
	out     Rules
}

func newLoader(sources []Source, o Options) *loader {
	l := &loader{options: o, byKind: map[string]*document{},
		out: Rules{Bytes: map[string][]byte{}, Paths: map[string]string{}, documents: map[string]*document{}}}
	for _, s := range sources {
		l.add(s, false)
	}
	return l
}

// add reads one file. A scenario may lie beside the rules that it plays.
func (l *loader) add(s Source, builtin bool) {
	if name := path.Base(s.Path); intake.ListOf(name) != "" {
		l.list(name, s)
		return
	}
	d := open(s)
	d.builtin = builtin
	if d.tree != nil && d.tree.root != nil {
		if d.kind == "" && !d.has("kind") && d.has("leads") {
			return
		}
		l.take(d)
	}
	l.all = append(l.all, d)
}

// list reads a list of hygiene.
func (l *loader) list(name string, s Source) {
	list, err := intake.ReadList(name, s.Bytes)
	if s.Fault != "" {
		err = fmt.Errorf("the file %s", s.Fault)
	}
	if err != nil {
		f := galena.Faultf("", "E02", "%v", err)
		l.all = append(l.all, &document{Source: s, report: Report{finding(s.Path, position{1, 1}, *f)}})
		return
	}
	l.lists = append(l.lists, list)
}

func (l *loader) take(d *document) {
	switch first, taken := l.byKind[d.kind]; {
	case d.kind == "":
		d.fail(*galena.Faultf("kind", "E02", "kind must be one of %s", strings.Join(Kinds(), ", ")))
	case !slices.Contains(Kinds(), d.kind):
		f := galena.Faultf("kind", "E01", "unknown kind %q", d.kind)
		f.Hint = cmp.Or(galena.Nearest(d.kind, Kinds()), "one of "+strings.Join(Kinds(), ", "))
		d.fail(*f)
	case taken:
		d.fail(*galena.Faultf("kind", "E03", "kind %s is already given by %s", d.kind, first.Path))
	default:
		l.byKind[d.kind] = d
		l.read(d)
	}
}

// read sends a document to the package that obeys it.
func (l *loader) read(d *document) {
	switch d.kind {
	case KindICP:
		l.out.ICP = read(d, scoring.Defaults(), scoring.Config.Validate)
	case KindMerging:
		l.out.Merging = read(d, merging.Defaults(), merging.Config.Validate)
	case KindRouting:
		l.out.Routing = read(d, routing.Defaults(), routing.Config.Validate)
	case KindProviders:
		l.out.Providers = read(d, providers.Defaults(), func(c providers.Config) error { return c.Validate(l.adapters()...) })
	case KindHygiene:
		l.out.Hygiene = read(d, intake.Defaults(), intake.Config.Validate)
	case KindNotify:
		l.out.Notify = read(d, notify.Defaults(), notify.Config.Validate)
	case KindCRM:
		l.out.CRM = read(d, CRM{}, CRM.Validate)
	}
	l.out.Bytes[d.kind] = d.Bytes
}

func (l *loader) adapters() []string {
	var names []string
	for _, s := range l.options.Specs {
		names = append(names, s.Name)
	}
	return names
}

// fillFrom adds the kinds that no file gave.
func (l *loader) fillFrom(dir fs.FS) {
	sources, err := Dir(dir, "(built-in)")
	if err != nil {
		sources = []Source{{Path: "(built-in)", Fault: "cannot be read"}} // embedded files can
	}
	for _, s := range sources {
		if d := open(s); l.byKind[d.kind] == nil {
			l.add(s, true)
		}
	}
}

// puzzled says that a file's kind cannot be told. The built-in file that would
// take its place is not the one that the others were written for.
func (l *loader) puzzled() bool {
	return slices.ContainsFunc(l.all, func(d *document) bool { return l.byKind[d.kind] != d })
}

// missing refuses a set that has lost a kind since the last one: to fall back to
// the built-in rules is nothing that a deleted file should be able to do. A file
// that is there and cannot be read is told for itself.
func (l *loader) missing() {
	if l.report().Failed() {
		return
	}
	for _, kind := range Kinds() {
		if was, given := l.options.Given[kind]; given && l.byKind[kind] == nil {
			f := galena.Faultf("", "E02", "the file is gone, and no other gives kind %s", kind)
			f.Hint = "put it back; a restart without it takes the built-in one"
			l.all = append(l.all, &document{report: Report{finding(was, position{1, 1}, *f)}})
		}
	}
}

func (l *loader) report() Report {
	var all Report
	for _, d := range l.all {
		all = append(all, d.report...)
	}
	return all.sorted()
}

// rules finishes: the editions, and the verdict.
func (l *loader) rules() (Rules, error) {
	for _, kind := range Kinds() {
		if d := l.byKind[kind]; d != nil {
			l.out.Refs = append(l.out.Refs, l.ref(d))
			l.out.Paths[kind], l.out.documents[kind] = d.Path, d
		}
	}
	report := l.report()
	if report.Failed() {
		return Rules{}, report
	}
	l.out.Warnings, l.out.Hygiene.Lists = report, intake.Newest(l.lists)
	return l.out, nil
}

// ref names the edition, and warns when a version that was seen before now has
// other content: decisions of both would claim to be made by the same rules.
func (l *loader) ref(d *document) galena.ConfigRef {
	sum := sha256.Sum256(d.Bytes)
	m := d.header.Metadata
	ref := galena.ConfigRef{Kind: d.kind, Name: m.Name, Version: m.Version, Hash: hex.EncodeToString(sum[:])}
	for _, p := range l.options.Previous {
		if !d.builtin && m.Version > 0 && p.Kind == ref.Kind && p.Name == ref.Name && p.Version == ref.Version && p.Hash != ref.Hash {
			f := galena.Faultf("metadata.version", "W08", "version %d was used before with other content", m.Version)
			f.Hint = "raise it"
			d.fail(*f)
			break
		}
	}
	return ref
}
