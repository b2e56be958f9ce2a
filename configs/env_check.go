package configs

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/galenahq/galena/notify"
)

// maxSecretFile bounds what a …_FILE variable may point at.
const maxSecretFile = 64 << 10

// envChecker collects faults. None of its messages holds a value, an error of
// a parser (those quote their input) or the name of a file: a secret may stand
// in the wrong variable.
type envChecker struct {
	environ environ
	faults  []*EnvFault
}

func (c *envChecker) fail(name, format string, args ...any) {
	c.faults = append(c.faults, &EnvFault{Variable: name, Message: fmt.Sprintf(format, args...)})
}

// join orders the faults by variable, so that two runs read alike.
func (c *envChecker) join() error {
	slices.SortStableFunc(c.faults, func(a, b *EnvFault) int { return cmp.Compare(a.Variable, b.Variable) })
	errs := make([]error, len(c.faults))
	for i, f := range c.faults {
		errs[i] = f
	}
	return errors.Join(errs...)
}

func present(e environ, name string) bool { return e[name] != "" }

// secret takes a value from its variable or from the file that NAME_FILE names.
func (c *envChecker) secret(name, value string) Secret {
	path := c.environ[name+"_FILE"]
	switch {
	case path == "":
		return NewSecret(value)
	case value != "":
		c.fail(name, "is set, and so is %s_FILE: set one of them", name)
		return Secret{}
	}
	text, err := readSecretFile(path)
	if err != nil {
		c.fail(name+"_FILE", "%v", err)
		return Secret{}
	}
	return NewSecret(text)
}

func readSecretFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", errors.New("the file cannot be opened")
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxSecretFile+1))
	switch text := strings.TrimSuffix(strings.TrimSuffix(string(b), "\n"), "\r"); {
	case err != nil:
		return "", errors.New("the file cannot be read")
	case len(b) > maxSecretFile:
		return "", fmt.Errorf("the file is larger than %d KiB", maxSecretFile>>10)
	case text == "":
		return "", errors.New("the file is empty")
	default:
		return text, nil
	}
}

func (c *envChecker) longEnough(name string, s Secret, least int) Secret {
	if n := len([]rune(s.Reveal())); s.Set() && n < least {
		c.fail(name, "must have at least %d characters, has %d", least, n)
	}
	return s
}

func (c *envChecker) yesNo(name, value string, unset bool) bool {
	switch strings.ToLower(value) {
	case "":
		return unset
	case "on", "true", "yes", "1":
		return true
	case "off", "false", "no", "0":
		return false
	default:
		c.fail(name, "must be on or off")
		return unset
	}
}

func (c *envChecker) word(name, value string, allowed ...string) string {
	value = strings.ToLower(value)
	if value != "" && !slices.Contains(allowed, value) {
		c.fail(name, "must be one of %s", strings.Join(allowed, ", "))
	}
	return value
}

func (c *envChecker) level(name, value string) slog.Level {
	switch c.word(name, value, "debug", "info", "warn", "error") {
	case "debug":
		return slog.LevelDebug
	case "warn":
		return slog.LevelWarn
	case "error":
		return slog.LevelError
	default:
		return slog.LevelInfo
	}
}

func (c *envChecker) number(name, value string, least, most int) int {
	if value == "" {
		return 0
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < least || n > most {
		c.fail(name, "must be a whole number from %d to %d", least, most)
	}
	return n
}

func (c *envChecker) address(name, value string) string {
	if value == "" {
		return ""
	}
	_, port, err := net.SplitHostPort(value)
	if n, e := strconv.Atoi(port); err != nil || e != nil || n < 0 || n > 65535 {
		c.fail(name, "must be host:port such as 127.0.0.1:8080")
	}
	return value
}

// listen prefers GALENA_ADDR; PORT is how platforms say where they will knock,
// from outside the container, hence every interface.
func (c *envChecker) listen(addr, port string) (string, bool) {
	switch {
	case addr != "":
		return c.address("GALENA_ADDR", addr), true
	case port != "":
		return fmt.Sprintf("0.0.0.0:%d", c.number("PORT", port, 1, 65535)), true
	default:
		return "127.0.0.1:8080", false
	}
}

// contact takes an e-mail address or a URL. It is sent as it is to services that
// want to know who asks, in a header.
func (c *envChecker) contact(name, value string) string {
	if a, err := mail.ParseAddress(value); value == "" || err == nil && a.Address == value && isASCII(value) {
		return value
	}
	u, err := url.Parse(value)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || !isASCII(value) {
		c.fail(name, "must be an e-mail address or a URL where somebody can be reached")
	}
	return value
}

// isASCII says that a text can stand in a header.
func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

// url checks scheme and host; userinfo would end up in logs of other programs.
func (c *envChecker) url(name, value string, schemes ...string) string {
	if value == "" {
		return ""
	}
	u, err := url.Parse(value)
	switch {
	case err != nil || !slices.Contains(schemes, u.Scheme):
		c.fail(name, "must be a URL that begins with %s", schemeList(schemes))
	case u.Hostname() == "":
		c.fail(name, "must name a host after %s://", u.Scheme)
	}
	return value
}

func schemeList(schemes []string) string {
	all := make([]string, len(schemes))
	for i, s := range schemes {
		all[i] = s + "://"
		if s == "sqlite" {
			all[i] = "sqlite:" // a path follows, not a host
		}
	}
	return strings.Join(all, ", ")
}

// platformURL reads GALENA_NAME, which wins, or the NAME that platforms set,
// and says which variable it was. Both kinds carry passwords.
func (c *envChecker) platformURL(bare, value string, schemes ...string) (Secret, string) {
	name := prefix + "_" + bare
	from := name
	if !present(c.environ, name) {
		if present(c.environ, name+"_FILE") {
			value = "" // a file of ours wins over the platform's name
		} else {
			from = bare
			value = c.environ[bare]
		}
	}
	s := c.secret(name, value)
	if !s.Set() {
		return s, ""
	}
	scheme, rest, _ := strings.Cut(s.Reveal(), ":")
	if scheme == "sqlite" && slices.Contains(schemes, scheme) {
		if strings.TrimLeft(rest, "/") == "" {
			c.fail(from, "must name a file after sqlite:")
		}
		return s, from
	}
	c.url(from, s.Reveal(), schemes...)
	return s, from
}

// webhook needs both halves: an endpoint that cannot verify us would have to trust anyone.
func (c *envChecker) webhook(rawURL, rawSecret string) (Secret, Secret) {
	target, secret := c.secret("GALENA_WEBHOOK_URL", rawURL), c.secret("GALENA_WEBHOOK_SECRET", rawSecret)
	c.url("GALENA_WEBHOOK_URL", target.Reveal(), "https", "http")
	switch {
	case target.Set() && !secret.Set() && !c.failed("GALENA_WEBHOOK_SECRET"):
		c.fail("GALENA_WEBHOOK_SECRET", "is required with GALENA_WEBHOOK_URL")
	case secret.Set() && !target.Set() && !c.failed("GALENA_WEBHOOK_URL"):
		c.fail("GALENA_WEBHOOK_URL", "is required with GALENA_WEBHOOK_SECRET")
	}
	if _, err := notify.SecretKeys(secret.Reveal()); secret.Set() && err != nil {
		c.fail("GALENA_WEBHOOK_SECRET", "must be whsec_ followed by 24 to 64 bytes in base64, or two of these with a blank between")
	}
	return target, secret
}

// failed says that a variable, or its _FILE, was already complained about.
func (c *envChecker) failed(name string) bool {
	return slices.ContainsFunc(c.faults, func(f *EnvFault) bool { return f.Variable == name || f.Variable == name+"_FILE" })
}

// targets are the addresses that the dial guard lets through.
func (c *envChecker) targets(name, value string) []string {
	var out []string
	for item := range strings.SplitSeq(value, ",") {
		item = strings.TrimSpace(item)
		if item == "" {
			continue
		}
		if !validTarget(item) {
			c.fail(name, "item %d must be host, host:port, a network such as 10.0.0.0/8, or loopback", len(out)+1)
		}
		out = append(out, item)
	}
	return out
}

func validTarget(item string) bool {
	if strings.Contains(item, "/") {
		_, err := netip.ParsePrefix(item)
		return err == nil
	}
	if _, err := netip.ParseAddr(item); err == nil {
		return true
	}
	host, port, err := net.SplitHostPort(item)
	if err == nil {
		if n, e := strconv.Atoi(port); e != nil || n < 1 || n > 65535 {
			return false
		}
		item = host
		if _, err := netip.ParseAddr(item); err == nil {
			return true
		}
	}
	return item != "" && !strings.ContainsFunc(item, func(r rune) bool {
		return r != '-' && r != '.' && r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	})
}
