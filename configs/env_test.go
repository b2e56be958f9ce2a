package configs

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const marker = "MARKER-7f3a-do-not-print"

func goodWebhookSecret() string {
	return "whsec_" + base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", 32)))
}

// everything sets each variable once, correctly.
func everything() []string {
	return []string{
		"DATABASE_URL=postgres://app:pw@db:5432/galena", "REDIS_URL=rediss://:pw@cache:6380/0",
		"GALENA_ADDR=0.0.0.0:9000", "GALENA_CONFIG_DIR=/etc/galena", "GALENA_ALLOW_RESERVED_DOMAINS=on",
		"GALENA_ALLOW_PRIVATE_TARGETS= loopback, 10.0.0.0/8 ,crm.internal:8443", "GALENA_DNS=off",
		"GALENA_WEBHOOK_URL=https://hooks.example/x", "GALENA_WEBHOOK_SECRET=" + goodWebhookSecret(),
		"GALENA_BOOTSTRAP_TOKEN=" + strings.Repeat("b", 32), "GALENA_METRICS_ADDR=:9100",
		"GALENA_SECRET_KEY=sixteen-letters!", "GALENA_PUBLIC_URL=https://leads.example/", "GALENA_CONTACT=ops@leads.example", "GALENA_LOG_LEVEL=debug",
		"GALENA_LOG_FORMAT=json", "GALENA_WORKER_CONCURRENCY=64", "GALENA_OTLP_ENDPOINT=http://otel:4318",
		"GALENA_PROVIDER_HUNTER_KEY=hk", "GALENA_PROVIDER_OWN_CRAWL_URL=http://127.0.0.1:9/",
		"GALENA_CRM_TWENTY_TOKEN=tt", "GALENA_CRM_TWENTY_URL=https://crm.example", "HOME=/root",
	}
}

func summary(e Env) string {
	return fmt.Sprintln(e.DatabaseURL.Reveal(), e.RedisURL.Reveal(), e.Addr, e.AddrGiven, e.ConfigDir, e.AllowReservedDomains,
		e.AllowPrivateTargets, e.AllowPrivateGiven, e.DNS, e.WebhookURL.Reveal(), e.WebhookSecret.Reveal(), e.BootstrapToken.Reveal(), e.MetricsAddr,
		e.PublicURL, e.Contact, e.LogLevel, e.LogFormat, e.WorkerConcurrency, e.OTLPEndpoint, e.secretKey.Reveal(),
		e.ProviderKey("hunter"), e.ProviderURL("own-crawl"), e.CRM("twenty")["TOKEN"].Reveal(), len(e.CRM("twenty")))
}

func TestEveryVariableIsRead(t *testing.T) {
	t.Parallel()
	e, err := ParseEnv(everything())
	if err != nil {
		t.Fatal(err)
	}
	want := "postgres://app:pw@db:5432/galena rediss://:pw@cache:6380/0 0.0.0.0:9000 true /etc/galena true " +
		"[loopback 10.0.0.0/8 crm.internal:8443] true false https://hooks.example/x " + goodWebhookSecret() + " " + strings.Repeat("b", 32) + " :9100 " +
		"https://leads.example ops@leads.example DEBUG json 64 http://otel:4318 sixteen-letters! hk http://127.0.0.1:9 tt 2\n"
	if d := cmp.Diff(want, summary(e)); d != "" {
		t.Error(d)
	}
}

// TestReadEnvAgreesWithParseEnv starts this test again in a process that really
// has the variables: what envconfig finds there must be what ParseEnv finds in
// the list.
func TestReadEnvAgreesWithParseEnv(t *testing.T) {
	t.Parallel()
	const child = "ENV_TEST_CHILD"
	if os.Getenv(child) != "" {
		e, err := ReadEnv()
		fmt.Printf("<<%s%v>>", summary(e), err)
		return
	}
	for name, lines := range map[string][]string{
		"everything":         everything(),
		"nothing":            nil,
		"ours before theirs": {"GALENA_DATABASE_URL=sqlite:a.db", "DATABASE_URL=sqlite:b.db"},
		"ours empty":         {"GALENA_DATABASE_URL=", "DATABASE_URL=sqlite:b.db"},
		"bare names":         {"LOG_LEVEL=debug", "SECRET_KEY=0123456789abcdef", "ADDR=1.2.3.4:5", "DNS=off", "PUBLIC_URL=x"},
		"faults":             {"GALENA_DNS=perhaps", "GALENA_SECRETKEY=x"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(os.Args[0], "-test.run=^TestReadEnvAgreesWithParseEnv$")
			cmd.Env = append([]string{child + "=1"}, lines...)
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			e, err := ParseEnv(lines)
			if want := fmt.Sprintf("<<%s%v>>", summary(e), err); !strings.Contains(string(out), want) {
				t.Errorf("the process has\n%s\nthe list has\n%s", out, want)
			}
		})
	}
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	e, err := ParseEnv(nil)
	if err != nil {
		t.Fatal(err)
	}
	if e.Addr != "127.0.0.1:8080" || e.AddrGiven || !e.DNS || e.AllowReservedDomains || e.LogLevel != slog.LevelInfo || e.DatabaseURL.Set() {
		t.Errorf("defaults are %+v", e)
	}
}

func TestPortBindsEveryInterfaceUnlessAnAddressIsGiven(t *testing.T) {
	t.Parallel()
	for want, lines := range map[string][]string{
		"0.0.0.0:5000":   {"PORT=5000"},
		"127.0.0.1:7000": {"PORT=5000", "GALENA_ADDR=127.0.0.1:7000"},
	} {
		e, err := ParseEnv(lines)
		if err != nil || e.Addr != want || !e.AddrGiven {
			t.Errorf("%v: listens on %s (%v), want %s", lines, e.Addr, err, want)
		}
	}
}

func TestTheContactIsThePublicAddressWhereNoneIsGiven(t *testing.T) {
	t.Parallel()
	for want, lines := range map[string][]string{
		"":                          nil,
		"https://leads.example":     {"GALENA_PUBLIC_URL=https://leads.example/"},
		"ops@leads.example":         {"GALENA_PUBLIC_URL=https://leads.example/", "GALENA_CONTACT=ops@leads.example"},
		"https://leads.example/ops": {"GALENA_CONTACT=https://leads.example/ops"},
	} {
		if e, err := ParseEnv(lines); err != nil || e.Contact != want {
			t.Errorf("%v: contact %q (%v), want %q", lines, e.Contact, err, want)
		}
	}
}

func TestFaultsNameTheVariable(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, line, want string }{
		{"address", "GALENA_ADDR=8080", "GALENA_ADDR: must be host:port such as 127.0.0.1:8080"},
		{"port", "PORT=http", "PORT: must be a whole number from 1 to 65535"},
		{"switch", "GALENA_DNS=perhaps", "GALENA_DNS: must be on or off"},
		{"number", "GALENA_WORKER_CONCURRENCY=-3", "GALENA_WORKER_CONCURRENCY: must be a whole number from 1 to 10000"},
		{"word", "GALENA_LOG_FORMAT=xml", "GALENA_LOG_FORMAT: must be one of json, text"},
		{"level", "GALENA_LOG_LEVEL=loud", "GALENA_LOG_LEVEL: must be one of debug, info, warn, error"},
		{"scheme", "GALENA_DATABASE_URL=mysql://x", "GALENA_DATABASE_URL: must be a URL that begins with postgres://, postgresql://, sqlite:"},
		{"platform scheme", "DATABASE_URL=mysql://x", "DATABASE_URL: must be a URL that begins with postgres://, postgresql://, sqlite:"},
		{"no host", "REDIS_URL=redis://", "REDIS_URL: must name a host after redis://"},
		{"no path", "DATABASE_URL=sqlite:", "DATABASE_URL: must name a file after sqlite:"},
		{"short token", "GALENA_BOOTSTRAP_TOKEN=short", "GALENA_BOOTSTRAP_TOKEN: must have at least 32 characters, has 5"},
		{"short key", "GALENA_SECRET_KEY=fifteen-letters", "GALENA_SECRET_KEY: must have at least 16 characters, has 15"},
		{"webhook without secret", "GALENA_WEBHOOK_URL=https://a.example", "GALENA_WEBHOOK_SECRET: is required with GALENA_WEBHOOK_URL"},
		{"secret without webhook", "GALENA_WEBHOOK_SECRET=" + goodWebhookSecret(), "GALENA_WEBHOOK_URL: is required with GALENA_WEBHOOK_SECRET"},
		{"private target", "GALENA_ALLOW_PRIVATE_TARGETS=loopback,10.0.0.0/99", "GALENA_ALLOW_PRIVATE_TARGETS: item 2 must be host, host:port, a network such as 10.0.0.0/8, or loopback"},
		{"contact", "GALENA_CONTACT=the operations team", "GALENA_CONTACT: must be an e-mail address or a URL where somebody can be reached"},
		{"contact with a name", "GALENA_CONTACT=Ops <ops@leads.example>", "GALENA_CONTACT: must be an e-mail address or a URL where somebody can be reached"},
		{"contact in letters of no header", "GALENA_CONTACT=ops@bücher.example", "GALENA_CONTACT: must be an e-mail address or a URL where somebody can be reached"},
		{"unknown", "GALENA_LOGLEVEL=debug", `GALENA_LOGLEVEL: unknown variable (did you mean "GALENA_LOG_LEVEL"?)`},
		{"unknown file", "GALENA_ADDR_FILE=/x", `GALENA_ADDR_FILE: unknown variable (did you mean "GALENA_ADDR"?)`},
		{"provider shape", "GALENA_PROVIDER_HUNTER=x", "GALENA_PROVIDER_HUNTER: unknown variable (a provider has GALENA_PROVIDER_<NAME>_KEY, _KEY_FILE and _URL)"},
		{"provider url", "GALENA_PROVIDER_HUNTER_URL=ftp://x", "GALENA_PROVIDER_HUNTER_URL: must be a URL that begins with https://, http://"},
		{"crm shape", "GALENA_CRM_TWENTY=x", "GALENA_CRM_TWENTY: unknown variable (a CRM's settings are GALENA_CRM_<NAME>_<SETTING>)"},
		{"no such file", "GALENA_SECRET_KEY_FILE=/nowhere/" + marker, "GALENA_SECRET_KEY_FILE: the file cannot be opened"},
		{"no such provider file", "GALENA_PROVIDER_X_KEY_FILE=/nowhere/" + marker, "GALENA_PROVIDER_X_KEY_FILE: the file cannot be opened"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := ParseEnv([]string{c.line})
			if err == nil || err.Error() != c.want {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

func TestAWebhookSecretIsOneOrTwo(t *testing.T) {
	t.Parallel()
	good, short := goodWebhookSecret(), "whsec_"+base64.StdEncoding.EncodeToString([]byte(marker[:23]))
	for _, c := range []struct {
		name, secret string
		ok           bool
	}{
		{"one", good, true},
		{"two", good + " " + good, true},
		{"three", good + " " + good + " " + good, false},
		{"two, the new one short", short + " " + good, false},
		{"two, the old one short", good + " " + short, false},
		{"one and a blank", good + " ", false},
	} {
		e, err := ParseEnv([]string{"GALENA_WEBHOOK_URL=https://a.example", "GALENA_WEBHOOK_SECRET=" + c.secret})
		if c.ok && (err != nil || e.WebhookSecret.Reveal() != c.secret) {
			t.Errorf("%s: %v", c.name, err)
		}
		want := "GALENA_WEBHOOK_SECRET: must be whsec_ followed by 24 to 64 bytes in base64, or two of these with a blank between"
		if !c.ok && (err == nil || err.Error() != want) {
			t.Errorf("%s: got %v, want %s", c.name, err, want)
		}
	}
}

func TestAllFaultsAreToldAtOnce(t *testing.T) {
	t.Parallel()
	_, err := ParseEnv([]string{"GALENA_DNS=x", "GALENA_ADDR=x", "GALENA_FOO=x", "GALENA_LOG_LEVEL=x", "GALENA_WEBHOOK_SECRET=x"})
	want := []string{"GALENA_ADDR:", "GALENA_DNS:", "GALENA_FOO:", "GALENA_LOG_LEVEL:", "GALENA_WEBHOOK_SECRET:", "GALENA_WEBHOOK_URL:"}
	var got []string
	for l := range strings.SplitSeq(err.Error(), "\n") {
		name, _, _ := strings.Cut(l, " ")
		got = append(got, name)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// TestNoValueIsPrinted puts a secret into each variable in turn, right or
// wrong, and looks for it in the error and in every print of the result.
func TestNoValueIsPrinted(t *testing.T) {
	t.Parallel()
	names := slices.Concat(variableNames(), []string{"PORT", "DATABASE_URL", "REDIS_URL", "GALENA_PROVIDER_HUNTER_KEY",
		"GALENA_PROVIDER_HUNTER_URL", "GALENA_CRM_TWENTY_TOKEN", "GALENA_CRM_TWENTY", "GALENA_NONSENSE", "GALENA_PROVIDER_X_KEY_FILE"})
	for _, n := range secretNames() {
		names = append(names, n+"_FILE")
	}
	for _, name := range names {
		for _, value := range []string{marker, "postgres://u:" + marker + "@h%zz/x", "http://[" + marker, "redis://:" + marker + "@", "whsec_" + marker, "1" + marker} {
			e, err := ParseEnv([]string{name + "=" + value})
			out := fmt.Sprint(err)
			if err == nil && (name == "GALENA_CONFIG_DIR" || name == "GALENA_ALLOW_PRIVATE_TARGETS") {
				continue // these are no secrets and hold any word
			}
			_, _, keyErr := e.SecretKey(t.TempDir())
			j, _ := json.Marshal(e)
			out += fmt.Sprintf("%v %+v %#v %s %v", e, e, e, j, keyErr)
			var log strings.Builder
			slog.New(slog.NewTextHandler(&log, nil)).Info("env", "env", e, "key", e.secretKey)
			if strings.Contains(out+log.String(), marker) {
				t.Errorf("%s=%s shows its value:\n%s%s", name, value, out, log.String())
			}
		}
	}
}

func TestSecretPrintsStars(t *testing.T) {
	t.Parallel()
	s := NewSecret(marker)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		if got := fmt.Sprintf(verb, s); got != "***" {
			t.Errorf("%s prints %s", verb, got)
		}
		if got := fmt.Sprintf(verb, struct{ inner Secret }{s}); strings.Contains(got, marker) || strings.Contains(got, fmt.Sprintf("%x", marker)) {
			t.Errorf("%s of an unexported field prints %s", verb, got)
		}
	}
	if j, err := json.Marshal(map[string]any{"s": s, "p": &s}); err != nil || strings.Contains(string(j), marker) {
		t.Errorf("JSON is %s %v", j, err)
	}
	if s.Reveal() != marker || (Secret{}).Set() || NewSecret("").Set() {
		t.Error("a secret must reveal its text, an empty one is unset")
	}
}

func TestSecretsComeFromFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	key, db := write("key", "sixteen-letters!\n"), write("db", "sqlite:here.db\r\n")
	e, err := ParseEnv([]string{"GALENA_SECRET_KEY_FILE=" + key, "GALENA_DATABASE_URL_FILE=" + db, "DATABASE_URL=sqlite:other.db",
		"GALENA_PROVIDER_HUNTER_KEY_FILE=" + key, "GALENA_CRM_TWENTY_TOKEN_FILE=" + key, "HOOK_SECRET_FILE=" + key})
	if err != nil {
		t.Fatal(err)
	}
	hook, err := e.Lookup("HOOK_SECRET")
	got := []string{e.secretKey.Reveal(), e.DatabaseURL.Reveal(), e.ProviderKey("hunter"), e.CRM("twenty")["TOKEN"].Reveal(), hook.Reveal()}
	if d := cmp.Diff([]string{"sixteen-letters!", "sqlite:here.db", "sixteen-letters!", "sixteen-letters!", "sixteen-letters!"}, got); d != "" || err != nil {
		t.Error(d, err)
	}
	for _, name := range []string{"GALENA_SECRET_KEY", "GALENA_PROVIDER_HUNTER_KEY", "GALENA_CRM_TWENTY_TOKEN"} {
		_, err := ParseEnv([]string{name + "_FILE=" + key, name + "=sixteen-letters!"})
		if want := fmt.Sprintf("%s: is set, and so is %s_FILE: set one of them", name, name); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if _, err := ParseEnv([]string{"GALENA_SECRET_KEY_FILE=" + write("empty", "\n")}); err == nil {
		t.Error("an empty file must be refused")
	}
}

func TestABuildMayKnowFurtherNames(t *testing.T) {
	t.Parallel()
	const name = "GALENA_DRILL_CLOCK_OFFSET"
	if _, err := ParseEnv([]string{name + "=1h"}); err == nil {
		t.Errorf("%s must be unknown to a build that did not name it", name)
	}
	if e, err := ParseEnv([]string{name + "=1h"}, name); err != nil {
		t.Error(err)
	} else if s, err := e.Lookup(name); err != nil || s.Reveal() != "1h" {
		t.Errorf("looked up %q %v", s.Reveal(), err)
	}
}

func TestVendorNamesAreChecked(t *testing.T) {
	t.Parallel()
	e, err := ParseEnv([]string{"GALENA_PROVIDER_HUNTR_KEY=x", "GALENA_PROVIDER_OWN_CRAWL_URL=http://h", "GALENA_CRM_TWENTI_TOKEN=x"})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.CheckVendors(nil, nil); err != nil {
		t.Errorf("nothing is known, yet %v", err)
	}
	want := `GALENA_CRM_TWENTI_TOKEN: no CRM is called TWENTI (did you mean "TWENTY"?)
GALENA_PROVIDER_HUNTR_…: no provider is called HUNTR (did you mean "HUNTER"?)`
	if err := e.CheckVendors([]string{"hunter", "own-crawl"}, []string{"twenty"}); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestSecretKeyIsGeneratedOnce(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	type got struct {
		key  string
		made bool
		err  error
	}
	results := make(chan got, 8)
	for range 8 {
		go func() {
			key, made, err := Env{}.SecretKey(dir)
			results <- got{string(key), made, err}
		}()
	}
	keys, made := map[string]bool{}, 0
	for range 8 {
		r := <-results
		if r.err != nil {
			t.Fatal(r.err)
		}
		keys[r.key] = true
		if r.made {
			made++
		}
	}
	if len(keys) != 1 || made != 1 {
		t.Errorf("%d keys, %d times generated; want one key, once", len(keys), made)
	}
	info, err := os.Stat(filepath.Join(dir, secretKeyFile))
	if err != nil || info.Mode().Perm() != fs.FileMode(0o600) {
		t.Errorf("file is %v %v, want mode 0600", info.Mode(), err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".secret-*")); len(left) > 0 {
		t.Errorf("left behind %v", left)
	}
}

func TestSecretKeyIsRequiredWithADatabase(t *testing.T) {
	t.Parallel()
	e, err := ParseEnv([]string{"DATABASE_URL=postgres://db/galena"})
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = e.SecretKey(t.TempDir())
	if f, ok := errors.AsType[*EnvFault](err); !ok || f.Variable != "GALENA_SECRET_KEY" {
		t.Errorf("got %v", err)
	}
}

func TestDamagedSecretKeyIsNotReplaced(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, secretKeyFile), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := (Env{}).SecretKey(dir); err == nil {
		t.Error("an empty key file must be refused: what it encrypted would be lost silently")
	}
}
