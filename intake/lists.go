package intake

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
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

// list is one base list as its file says of itself.
type list struct {
	file    string
	source  string
	licence string
	date    time.Time
	words   []string
}

// baseList reads the newest embedded list of a name and proves its checksum: a
// list that was edited by hand without saying so is refused.
func baseList(fsys fs.FS, name string) (list, error) {
	files, err := fs.Glob(fsys, "lists/"+name+"-*.txt")
	if err != nil || len(files) == 0 {
		return list{}, fmt.Errorf("no list %q", name)
	}
	l := list{file: path.Base(files[len(files)-1])}
	raw, err := fs.ReadFile(fsys, files[len(files)-1])
	if err != nil {
		return l, err
	}
	header, body, _ := strings.Cut(string(raw), "\n")
	for strings.HasPrefix(body, "#") {
		_, body, _ = strings.Cut(body, "\n")
	}
	said := map[string]string{}
	for part := range strings.SplitSeq(strings.TrimPrefix(header, "#"), ";") {
		key, value, _ := strings.Cut(part, ":")
		said[strings.TrimSpace(key)] = strings.TrimSpace(value)
	}
	l.source, l.licence, l.words = said["source"], said["licence"], strings.Fields(body)
	sum := sha256.Sum256([]byte(body))
	if l.date, err = time.Parse(time.DateOnly, said["date"]); err != nil || l.source == "" || l.licence == "" {
		return l, fmt.Errorf("list %s must name its source, licence and date in its first line", l.file)
	}
	if said["sha256"] != hex.EncodeToString(sum[:]) || said["entries"] != strconv.Itoa(len(l.words)) {
		return l, fmt.Errorf("list %s does not match the checksum in its first line", l.file)
	}
	return l, nil
}

// staleAfter is how old a base list may be before somebody should look for a
// newer one.
const staleAfter = 90 * 24 * time.Hour

// StaleLists names the base lists that are older than 90 days. The list of
// companies is ours and does not age.
func StaleLists(now time.Time) ([]string, error) {
	var out []string
	for _, name := range []string{"disposable", "freemail"} {
		l, err := baseList(lists, name)
		if err != nil {
			return nil, err
		}
		if now.Sub(l.date) > staleAfter {
			out = append(out, fmt.Sprintf("%s of %s", name, l.date.Format(time.DateOnly)))
		}
	}
	return out, nil
}

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
