package configs

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"
)

// TestATierWithoutARuleIsTold changes the example: each change is what is
// replaced in the two files, by what.
func TestATierWithoutARuleIsTold(t *testing.T) {
	t.Parallel()
	const rest = ": a lead of it that nobody owns goes to the fallback"
	for name, c := range map[string]struct {
		icp, routing [2]string
		want         string
	}{
		"EveryTierHasOne": {},
		"AnotherRulesTier": {routing: [2]string{"eq: C}", "eq: B}"},
			want: "icp.yaml:114:14: W11 no rule takes tier C" + rest},
		"ATierMore": {icp: [2]string{"- {name: D, min: 0,", "- {name: E, min: 10}\n    - {name: D, min: 0,"},
			want: "icp.yaml:115:14: W11 no rule takes tier E" + rest},
		"TheScoreOfTheTier":            {routing: [2]string{"field: decision.tier, eq: C", "field: decision.score, range: [30, 49]"}},
		"AScoreThatOnlyAGatedTierHas":  {routing: [2]string{"field: decision.tier, eq: C", "field: decision.score, gte: 50"}},
		"AScoreThatAnotherTierHas":     {routing: [2]string{"field: decision.tier, eq: D", "field: decision.score, gte: 30"}, want: "icp.yaml:115:14: W11 no rule takes tier D" + rest},
		"ARuleThatTakesEverything":     {routing: [2]string{"when: {field: decision.tier, eq: D}", "# the rest"}},
		"ASinkThatOnlyTheDisqualified": {routing: [2]string{"sink: archive", "sink: from_disqualifier"}, want: "icp.yaml:115:14: W11 no rule takes tier D" + rest},
		"TheDisqualified":              {routing: [2]string{"decision.disqualified, eq: true", "decision.tier, eq: A"}, want: "icp.yaml:32:5: W11 no rule takes tier X" + rest},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := fstest.MapFS{}
			for file, change := range map[string][2]string{"icp.yaml": c.icp, "routing.yaml": c.routing} {
				b, err := os.ReadFile("demo/" + file)
				if err != nil {
					t.Fatal(err)
				}
				text := string(b)
				if change[0] != "" && !strings.Contains(text, change[0]) {
					t.Fatalf("%s says nothing of %s", file, change[0])
				}
				if change[0] != "" {
					text = strings.ReplaceAll(text, change[0], change[1])
				}
				files[file] = &fstest.MapFile{Data: []byte(text)}
			}
			var got []string
			for _, f := range Check(files, Options{Specs: vendors()}) {
				if f.Code == "W11" {
					got = append(got, f.String())
				}
			}
			if all := strings.Join(got, "\n"); (all == "") != (c.want == "") || !strings.HasPrefix(all, c.want) || len(got) > 1 {
				t.Errorf("got %q, want %q", all, c.want)
			}
		})
	}
}

// TestATierOfTheBuiltInProfileIsToldAtTheRules: nobody can mend a built-in file.
func TestATierOfTheBuiltInProfileIsToldAtTheRules(t *testing.T) {
	t.Parallel()
	got := Check(fstest.MapFS{"r.yaml": &fstest.MapFile{Data: []byte(`apiVersion: galena/v1
kind: Routing
spec:
  rules:
    - {id: disqualified, when: {field: decision.disqualified, eq: true}, to: {sink: from_disqualifier}}
    - {id: rest, when: {field: decision.tier, in: [A, B, C]}, to: {queue: sales}}
  fallback: {queue: unrouted}
`)}}, Options{Specs: vendors()})
	if want := "r.yaml:5:5: W11 no rule takes tier D"; len(got) != 1 || !strings.HasPrefix(got[0].String(), want) {
		t.Errorf("got %v, want %s", got, want)
	}
}
