package configs

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"strings"
)

// rereadEvery is after how many looks the files are read although names, sizes
// and times are what they were: a copy may keep all three.
const rereadEvery = 5

// Watcher notices that a directory says something else than before. It is not
// safe for concurrent use.
//
//	look ─► same names, sizes, times? ─► nothing
//	         │ no
//	         ▼
//	        read ─► other than at the last look? ─► wait for the next look
//	         │ the same twice: nobody is writing any more
//	         ▼
//	        other than what was handed out? ─► news
type Watcher struct {
	dir     fs.FS
	printed string
	stamp   string
	seen    string // digest of the last reading
	handed  string // digest of what was handed out
	looks   int
}

// Watch watches a directory; printed stands before each file's name.
func Watch(dir fs.FS, printed string) *Watcher { return &Watcher{dir: dir, printed: printed} }

// Look hands out the files when they say something new and have not changed
// since the look before, so that no half-written file is taken for a whole one.
// The error is news as well: the directory cannot be read.
func (w *Watcher) Look() (sources []Source, news bool, err error) {
	stamp := w.stampNow()
	w.looks++
	if stamp == w.stamp && w.seen == w.handed && w.looks%rereadEvery != 0 {
		return nil, false, nil
	}
	w.stamp = stamp
	sources, err = Dir(w.dir, w.printed)
	digest := digestOf(sources, err)
	settled := digest == w.seen
	w.seen = digest
	if !settled || digest == w.handed {
		return nil, false, nil
	}
	w.handed = digest
	return sources, true, err
}

// Again makes the next look hand out what it sees, changed or not.
func (w *Watcher) Again() { w.handed = "" }

// stampNow is what the directory shows without being read.
func (w *Watcher) stampNow() string {
	entries, err := fs.ReadDir(w.dir, ".")
	if err != nil {
		return "none"
	}
	var b strings.Builder
	for _, e := range entries {
		// Stat and not Info: a mounted config map is links to what changes.
		if info, err := fs.Stat(w.dir, e.Name()); err == nil {
			fmt.Fprintf(&b, "%q %s %d %d\n", e.Name(), info.Mode(), info.Size(), info.ModTime().UnixNano())
		} else {
			fmt.Fprintf(&b, "%q gone\n", e.Name())
		}
	}
	return b.String()
}

func digestOf(sources []Source, err error) string {
	h := sha256.New()
	fmt.Fprintf(h, "%v\n", err != nil)
	for _, s := range sources {
		fmt.Fprintf(h, "%q %q %d\n", s.Path, s.Fault, len(s.Bytes))
		h.Write(s.Bytes)
	}
	return hex.EncodeToString(h.Sum(nil))
}
