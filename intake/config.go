package intake

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/galenahq/galena"
)

// Config is the spec of kind Hygiene. Its lists add to the built-in ones.
type Config struct {
	Freemail           []string `yaml:"freemail"`             // mailbox hosts open to anybody
	Disposable         []string `yaml:"disposable"`           // throw-away mailboxes
	Shared             []string `yaml:"shared"`               // universities, ISPs, agencies: the host is not the company
	Own                []string `yaml:"own"`                  // our own domains
	Competitors        []string `yaml:"competitors"`          // flagged for the ICP
	RoleLocals         []string `yaml:"role_locals"`          // local parts that are a function
	NullMX             []string `yaml:"null_mx"`              // domains that take no mail
	KnownDomains       []string `yaml:"known_domains"`        // accounts: never a typing error, and what one may have meant
	SuppressedSHA256Of []string `yaml:"suppressed_sha256_of"` // addresses or domains that asked to be left alone, or the hex digest of their canonical form

	Lists []List `yaml:"-"` // that lie beside the file; newer ones replace the built-in ones
}

// Defaults adds nothing to the built-in lists.
func Defaults() Config { return Config{} }

// Validate returns every fault of the file.
func (c Config) Validate() error {
	var errs []error
	for _, l := range c.domainLists() {
		for i, d := range *l.items {
			if h := readHost(strings.TrimSpace(d)); h.fault != "" {
				errs = append(errs, galena.Faultf(fmt.Sprintf("spec.%s[%d]", l.name, i), "E02", "must be a domain such as acme.com"))
			}
		}
	}
	for i, r := range c.RoleLocals {
		if _, _, ok := unquote(r); !ok || strings.HasPrefix(r, `"`) {
			errs = append(errs, galena.Faultf(fmt.Sprintf("spec.role_locals[%d]", i), "E02", "must be what stands before the @, such as info"))
		}
	}
	for i, s := range c.SuppressedSHA256Of {
		if _, ok := suppressionKey(s); !ok {
			errs = append(errs, galena.Faultf(fmt.Sprintf("spec.suppressed_sha256_of[%d]", i), "E02", "must be an address, a domain or a SHA-256 digest in hex"))
		}
	}
	return errors.Join(errs...)
}

type namedList struct {
	name  string
	items *[]string
}

func (c *Config) domainLists() []namedList {
	return []namedList{
		{"freemail", &c.Freemail}, {"disposable", &c.Disposable}, {"shared", &c.Shared}, {"own", &c.Own},
		{"competitors", &c.Competitors}, {"null_mx", &c.NullMX}, {"known_domains", &c.KnownDomains},
	}
}

// suppressionKey turns an entry into the hex digest it is compared by.
func suppressionKey(entry string) (string, bool) {
	entry = strings.TrimSpace(entry)
	if b, err := hex.DecodeString(entry); err == nil && len(b) == 32 {
		return strings.ToLower(entry), true
	}
	if strings.Contains(entry, "@") {
		a := readAddress(entry)
		return digest(a.canonical()), a.fault == ""
	}
	h := readHost(entry)
	return digest(h.ascii), h.fault == ""
}

// Knowing adds domains that other files name, such as the named accounts of
// routing. What is no domain there is that file's fault and left out here.
func (c Config) Knowing(domains []string) Config {
	for _, d := range domains {
		if h := readHost(strings.TrimSpace(d)); h.fault == "" {
			c.KnownDomains = append(slices.Clip(c.KnownDomains), h.ascii)
		}
	}
	return c
}

// With returns the lists of both.
func (c Config) With(more Config) Config {
	lists := more.domainLists()
	for i, l := range c.domainLists() {
		*l.items = slices.Concat(*l.items, *lists[i].items)
	}
	c.RoleLocals = slices.Concat(c.RoleLocals, more.RoleLocals)
	c.SuppressedSHA256Of = slices.Concat(c.SuppressedSHA256Of, more.SuppressedSHA256Of)
	return c
}
