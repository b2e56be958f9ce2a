package sql

import (
	"maps"
	"slices"
	"time"

	"github.com/galenahq/galena"
)

// decisionBody is a decision without its sheet. What one source said for certain
// at one moment, as the form does of all that it asks for, is written as a list:
// a third of the text that as many facts would be, and short enough for Postgres
// to leave the row as it is instead of compressing it.
type decisionBody struct {
	galena.Decision
	Said []saying `json:"said,omitempty"`

	// What the sheet has is not even written as missing.
	Steps        *[]galena.Call      `json:"steps,omitempty"`
	Configs      *[]galena.ConfigRef `json:"configs,omitempty"`
	Observations *[]string           `json:"observations,omitempty"`
}

// text is the body as JSON, as takeSheet made it: what json.Marshal would write, in
// a fraction of the time.
func (b *decisionBody) text() (string, error) {
	return drafted(func(w *galena.JSONWriter) {
		w.Text(`{"lead_id":`, b.LeadID)
		w.Int(`,"epoch":`, int64(b.Epoch))
		b.Score.WriteMembers(w)
		w.Text(`,"stop":`, string(b.Stop))
		w.Float(`,"cents":`, b.Cents)
		if b.LimitCents != 0 {
			w.Float(`,"limit_cents":`, b.LimitCents)
		}
		w.Int(`,"calls":`, int64(b.Calls))
		w.Text(`,"rule":`, b.Rule)
		w.Text(`,"to":`, b.To)
		w.Text(`,"owner":`, b.Owner)
		w.Filled(`,"territory":`, b.Territory)
		galena.WriteList(w, `,"tries":`, b.Tries, (*galena.RuleTry).WriteJSON)
		galena.WriteList(w, `,"candidates":`, b.Candidates, (*galena.Candidate).WriteJSON)
		w.Raw(`,"assignment":`)
		b.Assignment.WriteJSON(w)
		if b.Segment != (galena.Segment{}) {
			w.Raw(`,"segment":`)
			b.Segment.WriteJSON(w)
		}
		w.Raw(`,"facts":`)
		b.Facts.WriteJSON(w, slices.Sorted(maps.Keys(b.Facts)))
		w.Time(`,"decided_at":`, b.DecidedAt)
		w.Int(`,"took_ns":`, int64(b.Took))
		if len(b.Said) > 0 {
			galena.WriteList(w, `,"said":`, b.Said, (*saying).writeJSON)
		}
		w.Raw("}")
	})
}

// saying is what one source said at one moment.
type saying struct {
	Source string      `json:"source"`
	At     time.Time   `json:"at"`
	Words  [][2]string `json:"words"` // field and text; no text: verified that there is none
}

func (s *saying) writeJSON(w *galena.JSONWriter) {
	w.Text(`{"source":`, s.Source)
	w.Time(`,"at":`, s.At)
	galena.WriteList(w, `,"words":`, s.Words, func(pair *[2]string, w *galena.JSONWriter) {
		w.Text("[", pair[0])
		w.Text(",", pair[1])
		w.Raw("]")
	})
	w.Raw("}")
}

// plain says that a fact is nothing but a certain word.
func plain(name string, f *galena.Fact) bool {
	field, _ := galena.LookupField(name)
	word := galena.KnownFact(name, galena.Value{Type: field.Type, Text: f.Value.Text}, f.Source, f.ObservedAt)
	switch field.Type {
	case galena.TypeText, galena.TypeEnum, galena.TypeCountry:
		return f.Field == name && f.State == word.State && f.Confidence == word.Confidence && f.ObservationID == "" &&
			f.Value.Raw == "" && f.Value.Set == nil && f.Value.Equal(word.Value)
	default:
		return false
	}
}

func say(all []saying, f *galena.Fact) []saying {
	i := slices.IndexFunc(all, func(s saying) bool { return s.Source == f.Source && s.At.Equal(f.ObservedAt) })
	if i < 0 {
		i, all = len(all), append(all, saying{Source: f.Source, At: f.ObservedAt})
	}
	all[i].Words = append(all[i].Words, [2]string{f.Field, f.Value.Text})
	return all
}

// decision is the decision with what was said in its place again.
func (b decisionBody) decision() galena.Decision {
	for _, s := range b.Said {
		s.tell(b.Facts)
	}
	return b.Decision
}

// tell adds the facts that the words are.
func (s saying) tell(facts galena.Facts) {
	for _, w := range s.Words {
		field, _ := galena.LookupField(w[0])
		facts[w[0]] = galena.KnownFact(w[0], galena.Value{Type: field.Type, Text: w[1]}, s.Source, s.At)
	}
}
