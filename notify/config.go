package notify

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/galenahq/galena"
)

// Default is the id of the endpoint that the environment names. It gets every
// event.
const Default = "default"

// Config is the spec of kind Notify.
type Config struct {
	Webhooks []Webhook `yaml:"webhooks"`
}

// Webhook is one endpoint in the file. Its secret stays in the environment.
type Webhook struct {
	ID        string   `yaml:"id"`
	URL       string   `yaml:"url"`
	SecretEnv string   `yaml:"secret_env"` // name of the variable that holds whsec_…, or two of them
	Events    []string `yaml:"events"`     // empty = every event
	Personal  *bool    `yaml:"personal"`   // false leaves out e-mail and names; default true
}

// Endpoint is one endpoint with its secret, ready to be called.
type Endpoint struct {
	ID       string
	URL      string
	Secret   string   // as SecretKeys reads it
	Events   []string // empty = every event
	Personal bool
}

// Events lists the events that are told.
func Events() []string {
	return []string{galena.EventRouted, galena.EventRerouted, galena.EventQuarantined, galena.EventConflict, galena.EventBreached}
}

// Defaults has no endpoint.
func Defaults() Config { return Config{} }

// Validate returns every fault of the file. Whether plain http may be used is
// not the file's to say: New checks that.
func (c Config) Validate() error {
	var errs []error
	seen := map[string]bool{Default: true}
	for i, w := range c.Webhooks {
		at := fmt.Sprintf("spec.webhooks[%d]", i)
		switch {
		case !idForm.MatchString(w.ID):
			errs = append(errs, galena.Faultf(at+".id", "E02", "must be a short name of small letters, digits and hyphens"))
		case w.ID == Default:
			errs = append(errs, galena.Faultf(at+".id", "E03", "%q is the endpoint that the environment names", Default))
		case seen[w.ID]:
			errs = append(errs, galena.Faultf(at+".id", "E03", "duplicate id %q", w.ID))
		}
		seen[w.ID] = true
		if _, err := target(w.URL); err != nil {
			errs = append(errs, galena.Faultf(at+".url", "E02", "%s", err))
		}
		if !envForm.MatchString(w.SecretEnv) {
			errs = append(errs, galena.Faultf(at+".secret_env", "E02", "must be the name of an environment variable"))
		}
		for k, e := range w.Events {
			if !slices.Contains(Events(), e) {
				f := galena.Faultf(fmt.Sprintf("%s.events[%d]", at, k), "E11", "unknown event %q", e)
				f.Hint = "one of " + strings.Join(Events(), ", ")
				errs = append(errs, f)
			}
		}
	}
	return errors.Join(errs...)
}

// Endpoints joins the file with the secrets that the environment holds.
func (c Config) Endpoints(env func(string) string) []Endpoint {
	out := make([]Endpoint, 0, len(c.Webhooks))
	for _, w := range c.Webhooks {
		out = append(out, Endpoint{ID: w.ID, URL: w.URL, Secret: env(w.SecretEnv), Events: w.Events,
			Personal: w.Personal == nil || *w.Personal})
	}
	return out
}

var (
	idForm  = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$`)
	envForm = regexp.MustCompile(`^[A-Z][A-Z0-9_]*$`)
)

// target reads a URL; its errors do not repeat it, for it may hold a key.
func target(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, errors.New("must be an https URL")
	}
	if u.User != nil {
		return nil, errors.New("must not hold a user name or password")
	}
	return u, nil
}

// plainAllowed says that an item of the allow list (host[:port], CIDR, IP or
// "loopback") covers the target, so that plain http may be used.
func plainAllowed(u *url.URL, allow []string) bool {
	host := u.Hostname()
	ip, err := netip.ParseAddr(host)
	isIP := err == nil
	return slices.ContainsFunc(allow, func(item string) bool {
		item = strings.TrimSpace(item)
		if strings.EqualFold(item, host) || strings.EqualFold(item, u.Host) {
			return true
		}
		if item == "loopback" {
			return strings.EqualFold(host, "localhost") || isIP && ip.IsLoopback()
		}
		net, err := netip.ParsePrefix(item)
		return err == nil && isIP && net.Contains(ip.Unmap())
	})
}

// SecretKeys decodes a secret: whsec_ and 24 to 64 bytes in base64. While it is being
// replaced it is two of them, the new one before the old one with a blank between. One
// that could be guessed is refused: the library that signs would take an empty one,
// with which anybody can forge. The error does not repeat the secret.
func SecretKeys(secret string) ([][]byte, error) {
	parts := strings.Split(secret, " ")
	keys := make([][]byte, 0, len(parts))
	for _, part := range parts {
		coded, ok := strings.CutPrefix(part, "whsec_")
		key, err := base64.StdEncoding.DecodeString(coded)
		if !ok || err != nil || len(key) < 24 || len(key) > 64 || len(parts) > 2 {
			return nil, errors.New("its secret must be whsec_ and 24 to 64 random bytes in base64, or two of these with a blank between")
		}
		keys = append(keys, key)
	}
	return keys, nil
}
