package providers

import "testing"

func TestSpellingsOfOneLegalNameAreEqual(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"STRIPE, INC.", "Stripe Inc", true},
		{"Acme Incorporated", "acme, inc.", true},
		{"The Acme Company Limited", "Acme Co., Ltd.", true},
		{"Müller GmbH & Co. KG", "MULLER GMBH UND CO KG", true},
		{"Müller Gesellschaft mit beschränkter Haftung", "Müller GmbH", true},
		{"Kommstart 174 AB (publ)", "Kommstart 174 Aktiebolag", true},
		{"Société Fictive S.A.S.", "societe fictive SAS", true},
		{"ООО «АКМЕ»", "ооо Акме", true},
		{"Acme GmbH", "Acme AG", false},
		{"Acme Inc", "Acme Holdings Inc", false},
		{"Acme Inc", "Acme", false},
		{"Acme 1 Ltd", "Acme 2 Ltd", false},
	} {
		if got := LegalKey(c.a) == LegalKey(c.b); got != c.same {
			t.Errorf("%q and %q: %q and %q, want same %t", c.a, c.b, LegalKey(c.a), LegalKey(c.b), c.same)
		}
	}
}
