package configs

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/providers"
)

// secretNames are the fixed variables that may also come from a …_FILE.
func secretNames() []string {
	return []string{"GALENA_DATABASE_URL", "GALENA_REDIS_URL", "GALENA_WEBHOOK_URL",
		"GALENA_WEBHOOK_SECRET", "GALENA_BOOTSTRAP_TOKEN", "GALENA_SECRET_KEY"}
}

// The two families of names that carry a vendor's id.
const (
	providerFamily = "GALENA_PROVIDER_"
	crmFamily      = "GALENA_CRM_"
)

// vendor is what the environment says of one provider.
type vendor struct {
	key Secret
	url string
}

// The shapes of what follows the family's prefix.
var (
	providerShape = regexp.MustCompile(`^([A-Z0-9]+(?:_[A-Z0-9]+)*)_(KEY|URL)(_FILE)?$`)
	crmShape      = regexp.MustCompile(`^[A-Z0-9]+(_[A-Z0-9]+)+$`)
)

// families reads the two open families and refuses every other GALENA_ name
// that nobody knows: a misspelt limit must not be silently ignored.
func (c *envChecker) families(also []string) (map[string]vendor, map[string]Secret) {
	vendors, crm := map[string]vendor{}, map[string]Secret{}
	known := append(variableNames(), also...)
	for _, name := range secretNames() {
		known = append(known, name+"_FILE")
	}
	for _, name := range slices.Sorted(maps.Keys(c.environ)) {
		if rest, ok := strings.CutPrefix(name, providerFamily); ok {
			c.provider(vendors, name, rest)
		} else if rest, ok := strings.CutPrefix(name, crmFamily); ok {
			c.crm(crm, name, rest)
		} else if strings.HasPrefix(name, prefix+"_") && !slices.Contains(known, name) {
			c.fail(name, "unknown variable%s", inBrackets(galena.Nearest(name, known)))
		}
	}
	return vendors, crm
}

func inBrackets(hint string) string {
	if hint == "" {
		return ""
	}
	return " (" + hint + ")"
}

func (c *envChecker) provider(into map[string]vendor, name, rest string) {
	m := providerShape.FindStringSubmatch(rest)
	if m == nil || m[2] == "URL" && m[3] != "" {
		c.fail(name, "unknown variable (a provider has %s<NAME>_KEY, _KEY_FILE and _URL)", providerFamily)
		return
	}
	v := into[m[1]]
	switch base := providerFamily + m[1]; m[2] {
	case "KEY":
		// NAME_KEY sorts before NAME_KEY_FILE: read once, whichever is there.
		if m[3] != "" && present(c.environ, base+"_KEY") {
			return
		}
		v.key = c.secret(base+"_KEY", c.environ[base+"_KEY"])
	default:
		v.url = strings.TrimRight(c.url(name, c.environ[name], "https", "http"), "/")
	}
	into[m[1]] = v
}

func (c *envChecker) crm(into map[string]Secret, name, rest string) {
	setting := strings.TrimSuffix(rest, "_FILE")
	if !crmShape.MatchString(setting) {
		c.fail(name, "unknown variable (a CRM's settings are %s<NAME>_<SETTING>)", crmFamily)
		return
	}
	if setting != rest && present(c.environ, crmFamily+setting) {
		return // told when the setting itself was read
	}
	if s := c.secret(crmFamily+setting, c.environ[crmFamily+setting]); s.Set() {
		into[setting] = s
	}
}

// ProviderKey returns the key of a provider, "" when there is none.
func (e Env) ProviderKey(id string) string { return e.providers[providers.EnvName(id)].key.Reveal() }

// ProviderURL returns the base URL that replaces the provider's own, "" when there is none.
func (e Env) ProviderURL(id string) string { return e.providers[providers.EnvName(id)].url }

// CRM returns the settings of one CRM: GALENA_CRM_TWENTY_TOKEN is "TOKEN" of "twenty".
func (e Env) CRM(id string) map[string]Secret {
	out := map[string]Secret{}
	for setting, s := range e.crm {
		if rest, ok := strings.CutPrefix(setting, providers.EnvName(id)+"_"); ok {
			out[rest] = s
		}
	}
	return out
}

// Lookup reads any variable as a secret, from the variable or its …_FILE: a
// webhook endpoint names the variable that holds its secret.
func (e Env) Lookup(name string) (Secret, error) {
	c := &envChecker{environ: environ{name + "_FILE": e.lookup(name + "_FILE")}}
	s := c.secret(name, e.lookup(name))
	if len(c.faults) > 0 {
		return Secret{}, c.join()
	}
	return s, nil
}

// CheckVendors refuses provider and CRM variables that name nobody: the ids are
// known only once the catalogue was read, hence not in ReadEnv. A nil list is
// not checked against.
func (e Env) CheckVendors(providerIDs, crmIDs []string) error {
	c := &envChecker{}
	for _, name := range slices.Sorted(maps.Keys(e.providers)) {
		if known := envNames(providerIDs); providerIDs != nil && !slices.Contains(known, name) {
			c.fail(providerFamily+name+"_…", "no provider is called %s%s", name, inBrackets(galena.Nearest(name, known)))
		}
	}
	for _, setting := range slices.Sorted(maps.Keys(e.crm)) {
		known := envNames(crmIDs)
		if crmIDs != nil && !slices.ContainsFunc(known, func(n string) bool { return strings.HasPrefix(setting, n+"_") }) {
			name, _, _ := strings.Cut(setting, "_")
			c.fail(crmFamily+setting, "no CRM is called %s%s", name, inBrackets(galena.Nearest(name, known)))
		}
	}
	if len(c.faults) > 0 {
		return c.join()
	}
	return nil
}

func envNames(ids []string) []string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = providers.EnvName(id)
	}
	return out
}
