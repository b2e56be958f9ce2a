package notify

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/galenahq/galena"
)

// wanted is the body as encoding/json writes it.
type wanted struct {
	Type        string         `json:"type"`
	ID          string         `json:"id"`
	LeadID      string         `json:"lead_id"`
	Email       *string        `json:"email,omitempty"`
	Domain      string         `json:"domain"`
	Score       galena.Tenths  `json:"score"`
	Lo          galena.Tenths  `json:"lo"`
	Hi          galena.Tenths  `json:"hi"`
	Coverage    float64        `json:"coverage"`
	Tier        string         `json:"tier"`
	Route       string         `json:"route"`
	Owner       *string        `json:"owner"`
	To          string         `json:"to"`
	Provisional bool           `json:"provisional"`
	Reasons     []string       `json:"reasons"`
	Company     map[string]any `json:"company"`
}

func wantedBody(l galena.Lead, c galena.Company, d galena.Decision, personal bool) ([]byte, error) {
	w := wanted{Type: galena.EventRouted, ID: referenceFor(l, personal), LeadID: l.ID, Domain: l.Domain, Score: d.Score.Score, Lo: d.Lo, Hi: d.Hi,
		Coverage: d.Coverage, Tier: d.Tier, Route: d.Rule, To: d.To, Provisional: d.Provisional, Reasons: d.TopReasons, Company: map[string]any{}}
	if personal {
		w.Email = &l.Email
	}
	if d.Owner != "" {
		w.Owner = &d.Owner
	}
	if w.Reasons == nil {
		w.Reasons = []string{}
	}
	for _, facts := range []galena.Facts{c.Facts, d.Facts} {
		for name, f := range facts {
			if short, ok := strings.CutPrefix(name, "company."); ok && (f.State == galena.Known || f.State == galena.Partial) {
				w.Company[short] = f.Value.Plain()
			}
		}
	}
	if c.Domain != "" {
		w.Company["domain"] = c.Domain
	}
	return json.Marshal(w)
}

// The writer agrees with encoding/json on every byte, whatever stands in a text.
func TestTheBodyIsWhatTheLibraryWouldWrite(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.StringMatching(`[ -~]{0,12}`), rapid.String(), rapid.SampledFrom([]string{"", "\xff", "a\x00b", "\u2028", "<b>&\"\\", "ñandú"}))
		number := rapid.OneOf(rapid.Int64Range(-5, 5), rapid.Int64())
		value := rapid.Custom(func(t *rapid.T) galena.Value {
			switch rapid.IntRange(0, 8).Draw(t, "type") {
			case 0:
				return galena.Number(number.Draw(t, "n"))
			case 1:
				return galena.Interval(number.Draw(t, "lo"), number.Draw(t, "hi"), text.Draw(t, "raw"))
			case 2:
				return galena.Interval(number.Draw(t, "lo"), galena.OpenEnd, "")
			case 3:
				return galena.Value{Type: galena.TypeSet, Set: rapid.SliceOfN(text, 0, 3).Draw(t, "set")}
			case 4:
				return galena.Value{Type: galena.TypeSet}
			case 5:
				return galena.BoolValue(rapid.Bool().Draw(t, "b"))
			case 6:
				return galena.Value{Type: galena.TypeDate, Lo: int64(rapid.Int32().Draw(t, "day"))}
			case 7:
				return galena.Value{Type: galena.TypeScore, Lo: number.Draw(t, "tenths")}
			default:
				return galena.Value{Type: galena.TypeText, Text: text.Draw(t, "s")}
			}
		})
		facts := rapid.Custom(func(t *rapid.T) galena.Facts {
			out := galena.Facts{}
			for _, name := range []string{"company.domain", "company.name", "company.employee_count", "company.<odd>", "lead.job_title"} {
				if rapid.Bool().Draw(t, "there") {
					out[name] = &galena.Fact{Field: name, Value: value.Draw(t, "value"),
						State: rapid.SampledFrom([]galena.State{galena.Known, galena.Partial, galena.Unknown, galena.Absent}).Draw(t, "state")}
				}
			}
			return out
		})
		tenths := rapid.Map(number, func(n int64) galena.Tenths { return galena.Tenths(n) })
		l := galena.Lead{ID: text.Draw(t, "id"), ExternalID: text.Draw(t, "external"), Judgement: galena.Judgement{Email: text.Draw(t, "email"), Domain: text.Draw(t, "domain")}}
		c := galena.Company{Domain: text.Draw(t, "company"), Facts: facts.Draw(t, "held")}
		d := galena.Decision{Rule: text.Draw(t, "rule"), To: text.Draw(t, "to"), Owner: text.Draw(t, "owner"), Facts: facts.Draw(t, "decided"),
			Score: galena.Score{Provisional: rapid.Bool().Draw(t, "provisional"), Score: tenths.Draw(t, "score"), Lo: tenths.Draw(t, "lo"), Hi: tenths.Draw(t, "hi"),
				Coverage: rapid.Float64().Draw(t, "coverage"), Tier: text.Draw(t, "tier"), TopReasons: rapid.SliceOfN(text, 0, 3).Draw(t, "reasons")}}
		personal := rapid.Bool().Draw(t, "personal")
		got, err := Routed(l, c, d, personal)
		want, wantErr := wantedBody(l, c, d, personal)
		if (err == nil) != (wantErr == nil) || string(got) != string(want) {
			t.Errorf("%s %v, want %s %v", got, err, want, wantErr)
		}
	})
}

func TestACoverageThatIsNoNumberIsAnError(t *testing.T) {
	t.Parallel()
	l, c, d := routedExample()
	d.Coverage = math.NaN()
	if _, err := Routed(l, c, d, true); err == nil {
		t.Error("NaN was written")
	}
}
