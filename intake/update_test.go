package intake

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// edition is what comes of a list of two.
func edition(t *testing.T, c Config, name, raw string) Update {
	t.Helper()
	now := List{Name: name, Entries: []string{"mailnada.com", "trashbox.net"}}
	u, err := judge(t, c).Edition(now, []byte(raw), "us; date: 1999-01-01\n#", "MIT", time.Date(2027, 2, 1, 9, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestAnEditionSaysWhatItChanges(t *testing.T) {
	t.Parallel()
	for name, raw := range map[string]string{
		"lines": "# a remark\nTrashBox.net. # once\ntrashbox.net\n\n  bücherwurm-weg.de\r\ndropit.dev\n",
		"JSON":  ` ["trashbox.net", "TRASHBOX.NET.", "bücherwurm-weg.de", "dropit.dev"]`,
	} {
		u := edition(t, Config{}, "disposable", raw)
		if want := []string{"dropit.dev", "xn--bcherwurm-weg-wob.de"}; !slices.Equal(u.Added, want) {
			t.Errorf("%s: added %v, want %v", name, u.Added, want)
		}
		if !slices.Equal(u.Removed, []string{"mailnada.com"}) || len(u.Doubts)+len(u.LeftOut) > 0 {
			t.Errorf("%s: removed %v, doubts %v, left out %v", name, u.Removed, u.Doubts, u.LeftOut)
		}
		got, err := ReadList(u.Next.File, u.Next.Bytes())
		if err != nil || got.Name != "disposable" || got.Sum != u.Next.Sum || !slices.Equal(got.Entries, u.Next.Entries) {
			t.Errorf("%s: written and read again it is %+v, %v", name, got, err)
		}
		if got.File != "disposable-2027-02-01.txt" || got.Date.Format(time.DateOnly) != "2027-02-01" {
			t.Errorf("%s: %s says %v: the source broke out of its place", name, got.File, got.Date)
		}
	}
}

func TestWhatIsNoEntryIsLeftOut(t *testing.T) {
	t.Parallel()
	for line, why := range map[string]string{
		"com": "no domain", "co.uk": "a public suffix", "blogspot.com": "a public suffix", "ana@trashbox.net": "no domain",
		"*.trashbox.net": "no domain", "10.0.0.1": "no domain", "<html>": "no domain", "trash box.net": "no domain",
		"trashbox.example": "a name for documentation and tests", "trashbox.nosuchtld": "of no top-level domain that exists",
		"\x1b[2Jtrash.net": "no domain", strings.Repeat("a", 300) + ".com": "no domain",
	} {
		u := edition(t, Config{}, "disposable", "trashbox.net\nmailnada.com\n"+line+"\n")
		if len(u.Next.Entries) != 2 || len(u.LeftOut) != 1 || u.LeftOut[0].Why != why || len(u.LeftOut[0].Line) > maxShown {
			t.Errorf("%q: entries %v, left out %v, want %s", line, u.Next.Entries, u.LeftOut, why)
		}
	}
}

func TestASuffixThatTheListHasStays(t *testing.T) {
	t.Parallel()
	now := List{Name: "freemail", Entries: []string{"blogspot.com"}}
	u, err := judge(t, Config{}).Edition(now, []byte("blogspot.com\n"), "us", "MIT", time.Time{})
	if err != nil || len(u.Next.Entries) != 1 || len(u.LeftOut) != 0 {
		t.Errorf("%+v %v", u, err)
	}
}

func TestAHostileEditionIsDoubted(t *testing.T) {
	t.Parallel()
	c := Config{Own: []string{"ours.io"}, KnownDomains: []string{"bigaccount.io"}}
	const both = "trashbox.net\nmailnada.com\n"
	for _, tc := range []struct{ name, list, raw, want string }{
		{"the two we have", "disposable", both, ""},
		{"a mailbox host", "disposable", both + "gmail.com\n", "gmail.com is on the free-mail list"},
		{"a company", "disposable", both + "siemens.com\n", "siemens.com belongs to a company that people know"},
		{"a host of a company", "disposable", both + "mx1.corp.siemens.com\n", "mx1.corp.siemens.com belongs to a company that people know"},
		{"ourselves", "disposable", both + "ours.io\n", "ours.io is yours or one of your accounts"},
		{"an account", "freemail", both + "bigaccount.io\n", "bigaccount.io is yours or one of your accounts"},
		{"a company as free mail", "freemail", both + "siemens.com\n", "siemens.com belongs to a company that people know"},
		{"a mailbox host as free mail", "freemail", both + "gmail.com\n", ""},
		{"empty", "disposable", "", "it keeps 0 of 2 entries"},
		{"others altogether", "disposable", "dropit.dev\nbinit.dev\nburnit.dev\n", "it keeps 0 of 2 entries"},
		{"a page", "disposable", "<html>\n<body>404</body>\n", "it keeps 0 of 2 entries"},
	} {
		if got := strings.Join(edition(t, c, tc.list, tc.raw).Doubts, "; "); got != tc.want {
			t.Errorf("%s: doubts %q, want %q", tc.name, got, tc.want)
		}
	}
	if _, err := judge(t, c).Edition(List{}, []byte(`["a.com", 7]`), "us", "MIT", time.Time{}); err == nil {
		t.Error("numbers were taken for domains")
	}
}

func TestANewerListBesideTheFileReplacesTheBuiltIn(t *testing.T) {
	t.Parallel()
	base, err := BaseLists()
	if err != nil {
		t.Fatal(err)
	}
	list := func(day int) List {
		return List{Name: "disposable", Date: base[0].Date.AddDate(0, 0, day), Entries: []string{"trashbox.net"}}
	}
	for day, want := range map[int]int{-1: len(base[0].Entries), 0: 1, 1: 1} {
		all, err := Config{Lists: []List{list(day)}}.InForce()
		if err != nil || len(all) != 3 || len(all[0].Entries) != want {
			t.Errorf("%d days newer: %d entries in force, want %d (%v)", day, len(all[0].Entries), want, err)
		}
	}
	j := judge(t, Config{Lists: []List{list(1)}})
	if !j.disposable.has("trashbox.net") || j.disposable.has(base[0].Entries[0]) || !j.freemail.has("gmail.com") {
		t.Error("the judge goes by other lists than those in force")
	}
}
