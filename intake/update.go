package intake

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/publicsuffix"
)

// Update is what another edition of a list would change.
type Update struct {
	Next           List
	Added, Removed []string
	LeftOut        []LeftOut // lines that are no entry
	Doubts         []string  // why nobody should take it unseen
}

// LeftOut is a line that did not become an entry.
type LeftOut struct {
	Line string `json:"line"`
	Why  string `json:"why"`
}

// maxShown is how much of a line that is no entry is worth repeating.
const maxShown = 80

// Edition makes the next edition of a list of what somebody publishes, one
// domain a line or a JSON array. It is a proposal: the caller decides.
func (j *Judge) Edition(now List, raw []byte, source, licence string, date time.Time) (Update, error) {
	lines, err := linesOf(raw)
	if err != nil {
		return Update{}, err
	}
	held := set{}
	held.add(now.Entries...)
	var u Update
	for _, line := range lines {
		entry, why := entryOf(line)
		if why == "a public suffix" && held.has(entry) {
			why = "" // a mailbox host all the same: somebody looked at it before
		}
		if why != "" {
			u.LeftOut = append(u.LeftOut, LeftOut{Line: line[:min(len(line), maxShown)], Why: why})
			continue
		}
		u.Next.Entries = append(u.Next.Entries, entry)
	}
	slices.Sort(u.Next.Entries)
	u.Next.Entries = slices.Compact(u.Next.Entries)
	next := set{}
	next.add(u.Next.Entries...)
	u.Added = slices.DeleteFunc(slices.Clone(u.Next.Entries), held.has)
	u.Removed = slices.DeleteFunc(slices.Clone(now.Entries), next.has)
	u.Doubts = j.doubts(now, u)
	l := &u.Next
	l.Name, l.Date, l.Source, l.Licence = now.Name, date, headerWord(source), headerWord(licence)
	l.File, l.Sum = l.Name+"-"+date.Format(time.DateOnly)+".txt", sumOf(l.body())
	return u, nil
}

// doubts says what speaks against an edition: a source that lost its contents,
// or one that wants the leads of companies or of mailbox hosts held.
func (j *Judge) doubts(now List, u Update) (out []string) {
	if kept := len(now.Entries) - len(u.Removed); 2*kept < len(now.Entries) {
		out = append(out, fmt.Sprintf("it keeps %d of %d entries", kept, len(now.Entries)))
	}
	if n := len(u.Next.body()); n > MaxListBytes-1<<10 { // the first line wants room too
		out = append(out, fmt.Sprintf("it has %d bytes and no file may have more than %d", n, MaxListBytes))
	}
	for _, a := range u.Added {
		hosts := parents(a, registrable(a))
		switch {
		case now.Name == "disposable" && j.freemail.hasAny(hosts):
			out = append(out, a+" is on the free-mail list")
		case j.companies.hasAny(hosts):
			out = append(out, a+" belongs to a company that people know")
		case j.own.hasAny(hosts), j.known.hasAny(hosts):
			out = append(out, a+" is yours or one of your accounts")
		}
	}
	return out
}

// linesOf reads a JSON array of texts, or lines with remarks behind #.
func linesOf(raw []byte) ([]string, error) {
	if raw = bytes.TrimSpace(raw); bytes.HasPrefix(raw, []byte("[")) {
		var out []string
		if err := json.Unmarshal(raw, &out); err != nil {
			return nil, fmt.Errorf("neither lines nor a JSON array of texts: %w", err)
		}
		return out, nil
	}
	var out []string
	for line := range strings.Lines(string(raw)) {
		text, _, _ := strings.Cut(line, "#")
		if text = strings.TrimSpace(text); text != "" {
			out = append(out, text)
		}
	}
	return out, nil
}

// entryOf brings a line into the form of an entry, or says why it is none.
func entryOf(line string) (entry, why string) {
	h := readHost(strings.TrimSpace(line))
	if h.fault != "" {
		return "", "no domain"
	}
	if reserved(h.ascii) {
		return "", "a name for documentation and tests"
	}
	if _, listed := publicsuffix.PublicSuffix(h.ascii); !listed && !managed(h.ascii) {
		return "", "of no top-level domain that exists"
	}
	if registrable(h.ascii) == "" {
		return h.ascii, "a public suffix"
	}
	return h.ascii, ""
}

// managed says that the public-suffix list knows the suffix of a host: without a
// rule the list takes the last label for one.
func managed(host string) bool {
	suffix, _ := publicsuffix.PublicSuffix(host)
	return strings.Contains(suffix, ".")
}

// headerWord keeps a text from breaking out of its place in the first line.
func headerWord(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == ';' {
			return ' '
		}
		return r
	}, s)
}
