package intake

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// lists holds the base lists. A file's name carries its date; its first line
// says where it is from, under which licence, and the checksum of its entries.
//
//go:embed lists/*.txt
var lists embed.FS

// set is a set of words.
type set map[string]struct{}

func (s set) has(w string) bool { _, ok := s[w]; return ok }

func (s set) add(words ...string) {
	for _, w := range words {
		s[w] = struct{}{}
	}
}

// hasAny says that one of the words is in the set.
func (s set) hasAny(words []string) bool { return slices.ContainsFunc(words, s.has) }

// List is one of the lists that hygiene stands on, as its file says of itself.
type List struct {
	Name    string
	File    string // "disposable-2026-11-21.txt"
	Source  string
	Licence string
	Date    time.Time
	Entries []string // sorted
	Sum     string   // SHA-256 of the entries as they stand in the file, in hex
}

// MaxListBytes bounds the file of a list.
const MaxListBytes = 4 << 20

// listNames are the lists there are. The companies are ours and do not age.
func listNames() []string { return []string{"disposable", "freemail", "companies"} }

// ListOf says which list a file of this name is, "" for any other file.
func ListOf(file string) string {
	for _, name := range listNames() {
		if day, ok := strings.CutPrefix(strings.TrimSuffix(file, ".txt"), name+"-"); ok && strings.HasSuffix(file, ".txt") {
			if _, err := time.Parse(time.DateOnly, day); err == nil {
				return name
			}
		}
	}
	return ""
}

// BaseLists are the lists that are built in.
func BaseLists() ([]List, error) {
	var out []List
	for _, name := range listNames() {
		l, err := baseList(lists, name)
		if err != nil {
			return nil, err
		}
		out = append(out, l)
	}
	return out, nil
}

// Newest picks the newest list of each name; among equals the last.
func Newest(all []List) []List {
	var out []List
	for _, l := range all {
		i := slices.IndexFunc(out, func(o List) bool { return o.Name == l.Name })
		switch {
		case i < 0:
			out = append(out, l)
		case !l.Date.Before(out[i].Date):
			out[i] = l
		}
	}
	return out
}

// InForce are the lists that the gate judges by: the built-in ones, or newer
// ones that an operator put beside the file.
func (c Config) InForce() ([]List, error) {
	base, err := BaseLists()
	if err != nil {
		return nil, err
	}
	return Newest(slices.Concat(base, c.Lists)), nil
}

// baseList reads the newest built-in list of a name.
func baseList(fsys fs.FS, name string) (List, error) {
	files, err := fs.Glob(fsys, "lists/"+name+"-*.txt")
	if err != nil || len(files) == 0 {
		return List{}, fmt.Errorf("no list %q", name)
	}
	file := files[len(files)-1]
	raw, err := fs.ReadFile(fsys, file)
	if err != nil {
		return List{}, err
	}
	return ReadList(path.Base(file), raw)
}

// ReadList reads a list and proves its checksum: one that was edited by hand
// without saying so is refused.
func ReadList(file string, raw []byte) (List, error) {
	header, body, _ := strings.Cut(string(raw), "\n")
	for strings.HasPrefix(body, "#") {
		_, body, _ = strings.Cut(body, "\n")
	}
	said := map[string]string{}
	for part := range strings.SplitSeq(strings.TrimPrefix(header, "#"), ";") {
		key, value, _ := strings.Cut(part, ":")
		said[strings.TrimSpace(key)] = strings.TrimSpace(value)
	}
	l := List{Name: ListOf(file), File: file, Source: said["source"], Licence: said["licence"], Entries: strings.Fields(body), Sum: sumOf(body)}
	var err error
	if l.Date, err = time.Parse(time.DateOnly, said["date"]); err != nil || l.Source == "" || l.Licence == "" {
		return l, errors.New("the list must name its source, licence and date in its first line")
	}
	if said["sha256"] != l.Sum || said["entries"] != strconv.Itoa(len(l.Entries)) {
		return l, errors.New("the list does not match the checksum in its first line")
	}
	if i := slices.IndexFunc(l.Entries, func(w string) bool { return !labels(w) || !strings.Contains(w, ".") }); i >= 0 {
		return l, fmt.Errorf("entry %d of the list is not a domain", i+1)
	}
	return l, nil
}

// Bytes is the file of the list.
func (l List) Bytes() []byte {
	body := l.body()
	return fmt.Appendf(nil, "# source: %s; licence: %s; date: %s; entries: %d; sha256: %s\n%s",
		l.Source, l.Licence, l.Date.Format(time.DateOnly), len(l.Entries), sumOf(body), body)
}

func (l List) body() string { return strings.Join(l.Entries, "\n") + "\n" }

func sumOf(body string) string {
	sum := sha256.Sum256([]byte(body))
	return hex.EncodeToString(sum[:])
}

// staleAfter is how old a list may be before somebody should look for a newer one.
const staleAfter = 90 * 24 * time.Hour

// Stale says that the list is older than 90 days and of a kind that ages.
func (l List) Stale(now time.Time) bool { return l.Name != "companies" && now.Sub(l.Date) > staleAfter }

// baseRoles are local parts that name a function in the languages our leads
// write in. Nobody is called so.
func baseRoles() []string {
	return strings.Fields(`abuse accounting accounts admin administration administrator billing booking
		bookings careers comercial commercial compliance contabilidad contabilidade contact contacto contato
		customercare customerservice email enquiries enquiry faturamento feedback finance financeiro help
		helpdesk hello hola hostmaster hr info information infos inquiries inquiry investors invoices it jobs
		kontakt legal mail mailer-daemon marketing media news newsletter no-reply noreply no_reply office
		operations orders partners payroll post postmaster pr press privacy procurement purchasing reception
		recrutement rechnung root sales security service sekretariat suporte support sysadmin team ti
		usenet vendas ventas vertrieb verkauf webmaster welcome www`)
}
