package intake

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
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

// baseList reads the newest embedded list of a name and proves its checksum: a
// list that was edited by hand without saying so is refused.
func baseList(fsys fs.FS, name string) ([]string, error) {
	files, err := fs.Glob(fsys, "lists/"+name+"-*.txt")
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("no list %q", name)
	}
	newest := files[len(files)-1]
	raw, err := fs.ReadFile(fsys, newest)
	if err != nil {
		return nil, err
	}
	header, body := string(raw), ""
	for i := 0; i < len(header); {
		end := strings.IndexByte(header[i:], '\n') + 1
		if header[i] != '#' || end == 0 {
			header, body = header[:i], header[i:]
			break
		}
		i += end
	}
	sum := sha256.Sum256([]byte(body))
	if !strings.Contains(header, "sha256: "+hex.EncodeToString(sum[:])) {
		return nil, fmt.Errorf("list %s does not match the checksum in its first line", path.Base(newest))
	}
	return strings.Fields(body), nil
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
