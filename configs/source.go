package configs

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/galenahq/galena/intake"
)

// The limits of SEMANTICS 1.7.
const (
	maxBytes = 1 << 20
	maxNodes = 10_000
)

// Source is one file, read whole and once: what was checked is what is used
// and what is hashed. Fault says why it could not be read.
type Source struct {
	Path  string // as it is printed
	Bytes []byte
	Fault string
}

// Dir reads every *.yaml in a directory, and the lists of hygiene. A name that begins with a dot is not
// an operator's file (mounted config maps keep their copies under such names).
func Dir(dir fs.FS, printed string) ([]Source, error) {
	entries, err := fs.ReadDir(dir, ".")
	if err != nil {
		return nil, fmt.Errorf("%s: the directory cannot be read", cmp.Or(printed, "."))
	}
	var out []Source
	for _, e := range entries {
		name := e.Name()
		switch {
		case e.IsDir() || strings.HasPrefix(name, "."):
		case strings.HasSuffix(name, ".yaml"), intake.ListOf(name) != "":
			out = append(out, regular(dir, name, path.Join(printed, name)))
		case strings.HasSuffix(name, ".yml"):
			out = append(out, Source{Path: path.Join(printed, name), Fault: "is not read: only *.yaml is (rename it)"})
		}
	}
	return out, nil
}

// regular reads a file unless it is something else, which could be waited for
// without end.
func regular(dir fs.FS, name, printed string) Source {
	if info, err := fs.Stat(dir, name); err == nil && !info.Mode().IsRegular() {
		return Source{Path: printed, Fault: "cannot be read: it is no regular file"}
	}
	return File(dir, name, printed)
}

// File reads one file of a directory.
func File(dir fs.FS, name, printed string) Source {
	s := Source{Path: printed}
	f, err := dir.Open(name)
	if err != nil {
		s.Fault = "cannot be opened: " + reason(err)
		return s
	}
	defer f.Close()
	most := maxBytes
	if intake.ListOf(name) != "" {
		most = intake.MaxListBytes
	}
	b, err := io.ReadAll(io.LimitReader(f, int64(most)+1))
	switch {
	case err != nil:
		s.Fault = "cannot be read: " + reason(err)
	case len(b) > most:
		s.Fault = fmt.Sprintf("is larger than %d MiB", most>>20)
	default:
		s.Bytes = b
	}
	return s
}

// reason drops the path from an error, which the finding prints already.
func reason(err error) string {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err.Error()
	}
	return err.Error()
}
