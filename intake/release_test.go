package intake

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/galenahq/galena"
)

// submitted hands a submission in and returns the lead as stored.
func (b *bench) submitted(t *testing.T, s galena.Submission) galena.Lead {
	t.Helper()
	if _, _, err := b.Submit(t.Context(), s, nil, nil); err != nil {
		t.Fatal(err)
	}
	return b.store.got[len(b.store.got)-1].Lead
}

func TestAReleasedLeadIsTheOneItWouldHaveBeen(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name      string
		said      galena.Submission
		domain    string
		spendable bool
		codes     []string
	}{
		{"a typo that was none", galena.Submission{Email: "ana@mail.gmial.com", Company: "Gmial"}, "gmial.com", true,
			[]string{"subdomain_of:gmial.com", "did_you_mean:gmail.com", "released"}},
		{"a robot that was none", galena.Submission{Email: "ana@acme.com", ElapsedMS: 900}, "acme.com", true, []string{"bot_suspect", "released"}},
		{"free mail with a website", galena.Submission{Email: "ana@gmail.com", Website: "acme.com", Honeypot: "x"}, "acme.com", true,
			[]string{"bot_suspect", "freemail", "company_from_website:acme.com", "released"}},
		{"free mail without", galena.Submission{Email: "ana@gmail.com", Honeypot: "x"}, "", false, []string{"bot_suspect", "freemail", "released"}},
		{"a throw-away mailbox", galena.Submission{Email: "x@0-mail.com"}, "", false, []string{"disposable", "released"}},
		{"a listed null MX", galena.Submission{Email: "info@nomail.com"}, "nomail.com", true, []string{"null_mx", "role_address", "released"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			before := b.submitted(t, c.said)
			nudged := *b.bell
			after, err := b.Release(t.Context(), before.ID, "ops", "  called back,\nana@acme.com is real ")
			if err != nil || len(b.store.released) != 1 || *b.bell != nudged+1 {
				t.Fatalf("%v, %d released, %d nudges", err, len(b.store.released), *b.bell-nudged)
			}
			if after.Verdict != galena.Accept || after.Status != galena.StatusAccepted || after.Domain != c.domain ||
				after.Spendable != c.spendable || !slices.Equal(after.Codes, c.codes) || after.Epoch != before.Epoch {
				t.Errorf("released as %+v", after)
			}
			got := b.store.released[0]
			if got.Lead.ID != before.ID || !slices.Equal(got.Before, before.Codes) ||
				(len(got.Observations) > 0) != (c.said.Company != "") {
				t.Errorf("written %+v", got)
			}
			if a := got.Audit; a.Actor != "ops" || a.Action != "lead.release" || a.Target != before.ID ||
				a.Detail != before.Codes[slices.IndexFunc(before.Codes, holds)]+": called back, (address) is real" || !a.At.Equal(b.now) {
				t.Errorf("audit %+v", a)
			}
		})
	}
}

// holds says that a code alone keeps a lead back.
func holds(code string) bool {
	_, r := ruleOf(code)
	return r.verdict == galena.Quarantine || r.verdict == galena.Confirm
}

func TestOnlyAHeldLeadIsReleased(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for _, email := range []string{"ana@acme.com", "me@quarry.com"} {
		l := b.submitted(t, galena.Submission{Email: email})
		if _, err := b.Release(t.Context(), l.ID, "ops", ""); galena.KindOf(err) != galena.Conflict {
			t.Errorf("%s: %v", email, err)
		}
	}
	if _, err := b.Release(t.Context(), "nobody", "ops", ""); galena.KindOf(err) != galena.NotFound {
		t.Errorf("unknown: %v", err)
	}
	if len(b.store.released) != 0 {
		t.Errorf("written %+v", b.store.released)
	}
}

func TestANoteIsShortAndHoldsNobody(t *testing.T) {
	t.Parallel()
	for note, want := range map[string]string{
		"":                            "disposable",
		"paid with 4111111111111111":  "disposable: paid with ************1111",
		"write to Ana <ana@acme.com>": "disposable: write to Ana (address)",
		strings.Repeat("\u00e9", 150): "disposable: " + strings.Repeat("\u00e9", 100),
	} {
		if got := noteOf([]string{"disposable", "plus_tag"}, note); got != want {
			t.Errorf("%q: %q, want %q", note, got, want)
		}
	}
}

func TestACheckIsBlindToPeople(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	h, err := SuppressionHashes([]byte("pepper"), "lea@silent.com")
	if err != nil {
		t.Fatal(err)
	}
	b.store.suppressed = h[:1]
	for _, email := range []string{"lea@silent.com", "bob@silent.com", "lea@quiet.com", "x@gone.com"} { // by the store, and by the file
		j, err := b.Check(t.Context(), email)
		if err != nil || j.Verdict != galena.Accept || len(j.Codes) != 0 || j.Class != galena.Corporate {
			t.Errorf("%s: %+v %v", email, j, err)
		}
	}
	for email, want := range map[string]galena.Verdict{"ana@gmial.com": galena.Confirm, "plain": galena.Reject, "x@0-mail.com": galena.Quarantine} {
		if j, err := b.Check(t.Context(), email); err != nil || j.Verdict != want || (Suggestion(j.Codes) == "gmail.com") != (want == galena.Confirm) {
			t.Errorf("%s: %+v %v", email, j, err)
		}
	}
	b.store.domains = []string{"basaltworks.com"}
	b.now = b.now.Add(time.Minute)
	if j, _ := b.Check(t.Context(), "ana@basaltwork.com"); Suggestion(j.Codes) != "basaltworks.com" {
		t.Errorf("an account was not asked back: %v", j.Codes)
	}
	if len(b.store.got) != 0 || b.count(galena.Confirm) != 0 {
		t.Error("a check is no lead")
	}
}
