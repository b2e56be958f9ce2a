package intake

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/galenahq/galena"
)

func judge(t testing.TB, c Config) *Judge {
	t.Helper()
	j, err := NewJudge(c, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func config() Config {
	return Config{
		Shared: []string{"campus.edu"}, Own: []string{"quarry.com"}, Competitors: []string{"rival.com"},
		NullMX: []string{"nomail.com"}, KnownDomains: []string{"basalt-works.com"},
		SuppressedSHA256Of: []string{"lea@quiet.com", "gone.com"}, RoleLocals: []string{"eng"},
	}
}

func TestEveryCodeIsReached(t *testing.T) {
	t.Parallel()
	j := judge(t, config())
	long := strings.Repeat("a", 64)
	cases := []struct {
		name, email, website string
		verdict              galena.Verdict
		class                galena.EmailClass
		domain               string
		codes                []string
	}{
		{"plain", "ana@acme.com", "", galena.Accept, galena.Corporate, "acme.com", nil},
		{"no at", "plain", "", galena.Reject, "", "", []string{"syntax"}},
		{"empty", "", "", galena.Reject, "", "", []string{"syntax"}},
		{"two ats", "a@b@acme.com", "", galena.Reject, "", "", []string{"syntax"}},
		{"display name", "Ana <ana@acme.com>", "", galena.Reject, "", "", []string{"syntax"}},
		{"angle brackets", "<ana@acme.com>", "", galena.Reject, "", "", []string{"syntax"}},
		{"blank inside", "ana@ acme.com", "", galena.Reject, "", "", []string{"syntax"}},
		{"double dot", "a..b@acme.com", "", galena.Reject, "", "", []string{"syntax"}},
		{"address literal", "ana@[127.0.0.1]", "", galena.Reject, "", "", []string{"syntax"}},
		{"number for a domain", "ana@10.0.0.1", "", galena.Reject, "", "", []string{"syntax"}},
		{"hyphen first", "ana@-acme.com", "", galena.Reject, "", "", []string{"syntax"}},
		{"underscore", "ana@ac_me.com", "", galena.Reject, "", "", []string{"syntax"}},
		{"label of 64", "ana@" + long + ".com", "", galena.Reject, "", "", []string{"syntax"}},
		{"broken UTF-8", "ana\xff@acme.com", "", galena.Reject, "", "", []string{"syntax"}},
		{"control character", "a\x01na@acme.com", "", galena.Reject, "", "", []string{"syntax"}},
		{"local of 65", long + "a@acme.com", "", galena.Reject, "", "", []string{"local_too_long"}},
		{"local of 64", long + "@acme.com", "", galena.Accept, galena.Corporate, "acme.com", nil},
		{"address of 258", long + "@" + strings.Repeat("abcdefgh.", 21) + "com", "", galena.Reject, "", "",
			[]string{"address_too_long", "subdomain_of:abcdefgh.com"}},
		{"a megabyte", strings.Repeat("a", 1<<20) + "@acme.com", "", galena.Reject, "", "", []string{"address_too_long"}},
		{"single label", "root@localhost", "", galena.Reject, "", "", []string{"single_label"}},
		{"public suffix", "ana@co.uk", "", galena.Reject, "", "", []string{"public_suffix"}},
		{"private suffix", "ana@github.io", "", galena.Reject, "", "", []string{"public_suffix"}},
		{"tenant of a private suffix", "ana@acme.github.io", "", galena.Accept, galena.Corporate, "acme.github.io", nil},
		{"subdomain", "ana@mail.acme.co.uk", "", galena.Accept, galena.Corporate, "acme.co.uk", []string{"subdomain_of:acme.co.uk"}},
		{"reserved", "ana@acme.example", "", galena.Quarantine, galena.Corporate, "acme.example", []string{"reserved_domain"}},
		{"mixed alphabets", "ana@\u0430cme.com", "", galena.Quarantine, galena.Corporate, "xn--cme-5cd.com", []string{"mixed_script_domain", "idn"}},
		{"other letters", "ana@m\u00fcnchen-digital.de", "", galena.Accept, galena.Corporate, "xn--mnchen-digital-gsb.de", []string{"idn"}},
		{"Japanese with Latin", "ana@\u3042\u30a2\u4e9ca.jp", "", galena.Accept, galena.Corporate, "xn--a-w7t2ng73h.jp", []string{"idn"}},
		{"suppressed person", "LEA+x@quiet.com", "", galena.Drop, galena.Corporate, "", []string{"suppressed", "plus_tag"}},
		{"suppressed company", "ana@gone.com", "", galena.Drop, galena.Corporate, "", []string{"suppressed"}},
		{"blanks and marks", " ana\u200b@acme.com\t", "", galena.Accept, galena.Corporate, "acme.com", []string{"trimmed"}},
		{"capitals", "Ana@ACME.com", "", galena.Accept, galena.Corporate, "acme.com", []string{"lowercased"}},
		{"trailing dot", "ana@acme.com.", "", galena.Accept, galena.Corporate, "acme.com", []string{"trailing_dot"}},
		{"quoted", `"ana b"@acme.com`, "", galena.Accept, galena.Corporate, "acme.com", nil},
		{"quoted at", `"ana@b"@acme.com`, "", galena.Accept, galena.Corporate, "acme.com", nil},
		{"letters beyond ASCII", "j\u00f6rg@acme.com", "", galena.Accept, galena.Corporate, "acme.com", nil},
		{"our own", "test@quarry.com", "", galena.InternalOK, galena.Own, "quarry.com", []string{"own_domain"}},
		{"competitor", "ana@rival.com", "", galena.Accept, galena.Corporate, "rival.com", []string{"competitor"}},
		{"disposable", "x@0-mail.com", "", galena.Quarantine, galena.Disposable, "0-mail.com", []string{"disposable"}},
		{"free mail", "ana@gmail.com", "", galena.Accept, galena.Freemail, "", []string{"freemail"}},
		{"free mail with a website", "ana@gmail.com", "https://www.acme.com/about", galena.Accept, galena.Freemail, "acme.com",
			[]string{"freemail", "company_from_website:acme.com"}},
		{"free mail with a free-mail website", "ana@gmail.com", "yahoo.com", galena.Accept, galena.Freemail, "", []string{"freemail"}},
		{"relay below a company", "7+ana@users.noreply.github.com", "", galena.Accept, galena.Freemail, "", []string{"plus_tag", "freemail"}},
		{"shared", "ana@cs.campus.edu", "acme.com", galena.Accept, galena.Shared, "acme.com",
			[]string{"subdomain_of:campus.edu", "company_from_website:acme.com", "shared_domain"}},
		{"role", "info+web@acme.com", "", galena.Accept, galena.Role, "acme.com", []string{"plus_tag", "role_address"}},
		{"listed role", "eng@acme.com", "", galena.Accept, galena.Role, "acme.com", []string{"role_address"}},
		{"slip of a finger", "ana@gmial.com", "", galena.Confirm, galena.Corporate, "", []string{"did_you_mean:gmail.com"}},
		{"slip in the suffix", "ana@gmail.con", "", galena.Confirm, galena.Corporate, "", []string{"did_you_mean:gmail.com"}},
		{"two slips in a long name", "ana@baslat-wrks.com", "", galena.Confirm, galena.Corporate, "", []string{"did_you_mean:basalt-works.com"}},
		{"a known name", "ana@basalt-works.com", "", galena.Accept, galena.Corporate, "basalt-works.com", nil},
		{"null MX", "postmaster@nomail.com", "", galena.Quarantine, galena.Role, "nomail.com", []string{"null_mx", "role_address"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := j.Judge(galena.Submission{Email: c.email, Website: c.website}, Known{})
			if got.Verdict != c.verdict || got.Class != c.class || got.Domain != c.domain || !slices.Equal(got.Codes, c.codes) {
				t.Errorf("got %s %s %q %q, want %s %s %q %q", got.Verdict, got.Class, got.Domain, got.Codes,
					c.verdict, c.class, c.domain, c.codes)
			}
			if spend := c.verdict == galena.Accept && c.domain != ""; got.Spendable != spend {
				t.Errorf("spendable %t", got.Spendable)
			}
		})
	}
}

func TestTheKeyIsTheSamePersonHoweverTyped(t *testing.T) {
	t.Parallel()
	j := judge(t, Config{})
	for _, c := range [][2]string{
		{"Ana+web@Acme.com", "ana@acme.com"},
		{"a.n.a+x@gmail.com", "ana@gmail.com"},
		{"a.n.a@acme.com", "a.n.a@acme.com"},
		{`"ana"@acme.com`, "ana@acme.com"},
		{`"A b"@acme.com`, `"a b"@acme.com`},
		{"+@acme.com", "+@acme.com"},
	} {
		if got := j.Judge(galena.Submission{Email: c[0]}, Known{}).Key; got != c[1] {
			t.Errorf("key of %s is %s, want %s", c[0], got, c[1])
		}
	}
	if got := j.Judge(galena.Submission{Email: "Ana+Web@ACME.com"}, Known{}).Email; got != "Ana+Web@acme.com" {
		t.Errorf("delivery goes to %s, want the local part as typed", got)
	}
}

func TestTheMostSevereVerdictWins(t *testing.T) {
	t.Parallel()
	j := judge(t, config())
	bot := func(email string, known Known) galena.Verdict {
		return j.Judge(galena.Submission{Email: email, Honeypot: "x"}, known).Verdict
	}
	for want, got := range map[galena.Verdict]galena.Verdict{
		galena.Drop:       bot("ana@acme.com", Known{Suppressed: true}),
		galena.Reject:     bot("plain", Known{}),
		galena.InternalOK: bot("ana@quarry.com", Known{}),
		galena.Quarantine: bot("ana@gmial.com", Known{}),
	} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if v := j.Judge(galena.Submission{Email: "ana@acme.com", ElapsedMS: 1499}, Known{}).Verdict; v != galena.Quarantine {
		t.Errorf("a form filled in 1.499 s: %s", v)
	}
	if v := j.Judge(galena.Submission{Email: "ana@acme.com", ElapsedMS: 1500}, Known{}).Verdict; v != galena.Accept {
		t.Errorf("a form filled in 1.5 s: %s", v)
	}
}

func TestAKnownDomainIsNoTypo(t *testing.T) {
	t.Parallel()
	j := judge(t, Config{})
	for name, known := range map[string]Known{"answered": {DomainKnown: true}, "account": {KnownDomains: []string{"gmial.com"}}} {
		if v := j.Judge(galena.Submission{Email: "ana@gmial.com"}, known); v.Verdict != galena.Accept {
			t.Errorf("%s: %s %v", name, v.Verdict, v.Codes)
		}
	}
	v := j.Judge(galena.Submission{Email: "ana@basaltworks.com"}, Known{KnownDomains: []string{"basaltworkz.com", "basaltworka.com"}})
	if !slices.Contains(v.Codes, "did_you_mean:basaltworka.com") {
		t.Errorf("equally near names must be told by the alphabet: %v", v.Codes)
	}
}

func TestReservedNamesPassOnlyWhereAllowed(t *testing.T) {
	t.Parallel()
	j, err := NewJudge(Config{}, Options{AllowReserved: true})
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]galena.Verdict{"a.example": galena.Accept, "a.test": galena.Accept,
		"a.invalid": galena.Quarantine, "a.localhost": galena.Quarantine} {
		if got := j.Judge(galena.Submission{Email: "ana@" + host}, Known{}).Verdict; got != want {
			t.Errorf("%s: %s, want %s", host, got, want)
		}
	}
}

func TestConfigTellsEveryFaultWithItsPath(t *testing.T) {
	t.Parallel()
	err := Config{Own: []string{"ok.com", "not a domain"}, RoleLocals: []string{"a b"}, SuppressedSHA256Of: []string{"@"}}.Validate()
	var got []string
	for _, e := range err.(interface{ Unwrap() []error }).Unwrap() {
		f, _ := errors.AsType[*galena.Fault](e)
		got = append(got, f.Path+" "+f.Code)
	}
	want := []string{"spec.own[1] E02", "spec.role_locals[0] E02", "spec.suppressed_sha256_of[0] E02"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if err := Defaults().Validate(); err != nil {
		t.Error(err)
	}
}

func TestDistanceCountsEachSlipOnce(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"a", "", 1}, {"ab", "ba", 1}, {"ca", "abc", 2}, {"kitten", "sitting", 3}, {"gmial.com", "gmail.com", 1}} {
		if got := distance(c.a, c.b); got != c.want || distance(c.b, c.a) != got {
			t.Errorf("%q %q: %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

// same is what must not change when an address has been through the gate once.
func same(a, b galena.Judgement) string {
	pick := func(j galena.Judgement) []any {
		return []any{j.Verdict, j.Key, j.Host, j.Domain, j.Class, j.Role, j.Spendable}
	}
	return cmp.Diff(pick(a), pick(b))
}

func checkIdempotent(t interface {
	Helper()
	Errorf(string, ...any)
}, j *Judge, email string) {
	t.Helper()
	once := j.Judge(galena.Submission{Email: email}, Known{})
	if once.Verdict == galena.Reject {
		return
	}
	twice := j.Judge(galena.Submission{Email: once.Email}, Known{})
	if d := same(once, twice); d != "" || twice.Email != once.Email {
		t.Errorf("%q judged again as %q: %s", email, twice.Email, d)
	}
	if d := same(once, j.Judge(galena.Submission{Email: once.Key}, Known{})); d != "" {
		t.Errorf("%q judged by its key %q: %s", email, once.Key, d)
	}
}

func TestI11HygieneIsIdempotent(t *testing.T) {
	t.Parallel()
	j := judge(t, config())
	rapid.Check(t, func(t *rapid.T) {
		local := rapid.OneOf(
			rapid.StringMatching(`[A-Za-z0-9.+_'-]{1,70}`),
			rapid.StringMatching(`"[ -~]{1,20}"`),
			rapid.StringN(1, 20, 80)).Draw(t, "local")
		domain := rapid.OneOf(
			rapid.SampledFrom([]string{"gmail.com", "GMIAL.com", "acme.co.uk.", "quarry.com", "m\u00fcnchen.de", "a.example", "x.campus.edu", "gone.com"}),
			rapid.StringMatching(`[A-Za-z0-9.-]{1,30}\.(com|co\.uk|de|example)`),
			rapid.StringN(1, 20, 80)).Draw(t, "domain")
		checkIdempotent(t, j, rapid.SampledFrom([]string{"", " ", "\u200b"}).Draw(t, "pad")+local+"@"+domain)
	})
}

func FuzzJudge(f *testing.F) {
	j := judge(f, config())
	for _, s := range []string{"ana@acme.com", `"a\"b"@acme.com`, "a@\u0430cme.com", "\xff@\xfe", "@", `"@"@a.b`, "a@xn--a.com", "\u0130+x@gmail.com",
		"ana\u034f@acme.com", "\ufe0fana@acme.com", "ana\u3164@acme.com", "ana@acme.0x1", "ana\uff20acme.com", "ana@acme\u3002com",
		"\"a\\\\\"@acme.com", "\"a.b\"@acme.com", "ana@\u05d0b.com", "ana@ab--cd.com", "a\u0301\u034f+x@acme.com"} {
		f.Add(s, "https://acme.com", "x")
	}
	f.Fuzz(func(t *testing.T, email, website, pot string) {
		v := j.Judge(galena.Submission{Email: email, Website: website, Honeypot: pot}, Known{})
		if v.Spendable && (v.Domain == "" || v.Verdict != galena.Accept) {
			t.Errorf("money for %+v", v)
		}
		checkIdempotent(t, j, email)
	})
}

func BenchmarkJudge(b *testing.B) {
	j := judge(b, config())
	for b.Loop() {
		j.Judge(galena.Submission{Email: "grace.chen@northwind-analytics.com"}, Known{})
	}
}
