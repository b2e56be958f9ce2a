package galena

import (
	"maps"
	"slices"
	"time"
)

// What of a decision is stored is written here, member by member; JSONWriter says
// why. A member that is added to a type, and not here, fails the tests of sql.

// WriteMembers writes the members, a comma before each, as json.Marshal would those
// of what a score is embedded in.
func (s *Score) WriteMembers(w *JSONWriter) {
	w.Tenths(`,"score":`, s.Score)
	w.Tenths(`,"lo":`, s.Lo)
	w.Tenths(`,"hi":`, s.Hi)
	w.Float(`,"coverage":`, s.Coverage)
	w.Float(`,"confidence":`, s.Confidence)
	w.Text(`,"tier":`, s.Tier)
	w.Bool(`,"settled":`, s.Settled)
	w.Bool(`,"provisional":`, s.Provisional)
	w.Bool(`,"undecided":`, s.Undecided)
	if s.Disqualified == nil {
		w.Raw(`,"disqualified":null`)
	} else {
		w.Value(`,"disqualified":`, s.Disqualified)
	}
	WriteList(w, `,"rows":`, s.Rows, (*Row).WriteJSON)
	w.Texts(`,"top_reasons":`, s.TopReasons)
	if s.WouldChange != nil {
		w.Value(`,"would_change":`, s.WouldChange)
	}
	if len(s.Disqualifiers) > 0 {
		WriteList(w, `,"disqualifiers":`, s.Disqualifiers, func(d *DisqualifierState, w *JSONWriter) {
			w.Text(`{"id":`, d.ID)
			w.Text(`,"result":`, d.Result.String())
			w.Raw("}")
		})
	}
}

// WriteJSON writes what json.Marshal would.
func (r *Row) WriteJSON(w *JSONWriter) {
	w.Text(`{"criterion":`, r.Criterion)
	w.Text(`,"field":`, r.Field)
	w.Text(`,"state":`, string(r.State))
	w.Filled(`,"value":`, r.Value)
	w.Filled(`,"label":`, r.Label)
	w.Tenths(`,"points":`, r.Points)
	w.Tenths(`,"lo":`, r.Lo)
	w.Tenths(`,"hi":`, r.Hi)
	w.Tenths(`,"max":`, r.Max)
	w.Filled(`,"source":`, r.Source)
	if r.AgeDays != nil {
		w.Int(`,"age_days":`, int64(*r.AgeDays))
	}
	if r.EffectiveConfidence != nil {
		w.Float(`,"effective_confidence":`, *r.EffectiveConfidence)
	}
	w.Filled(`,"at_least":`, r.AtLeast)
	w.Raw("}")
}

// WriteJSON writes what json.Marshal would.
func (t *RuleTry) WriteJSON(w *JSONWriter) {
	w.Text(`{"rule":`, t.Rule)
	w.Text(`,"result":`, t.Result.String())
	for i, name := range slices.Sorted(maps.Keys(t.Values)) {
		if i == 0 {
			w.Raw(`,"values":{`)
		} else {
			w.Raw(",")
		}
		w.Text("", name)
		w.Text(":", t.Values[name])
	}
	if len(t.Values) > 0 {
		w.Raw("}")
	}
	w.Raw("}")
}

// WriteJSON writes what json.Marshal would.
func (c *Candidate) WriteJSON(w *JSONWriter) {
	w.Text(`{"rep":`, c.Rep)
	w.Filled(`,"pool":`, c.Pool)
	w.Bool(`,"eligible":`, c.Eligible)
	w.Filled(`,"why":`, c.Why)
	w.Int(`,"credit_before":`, c.Before)
	w.Int(`,"credit_after":`, c.After)
	w.Raw("}")
}

// WriteJSON writes what json.Marshal would.
func (a *Assignment) WriteJSON(w *JSONWriter) {
	moment := func(name string, t time.Time) {
		if !t.IsZero() {
			w.Time(name, t)
		}
	}
	w.Text(`{"lead_id":`, a.LeadID)
	w.Int(`,"epoch":`, int64(a.Epoch))
	w.Text(`,"rule":`, a.Rule)
	w.Text(`,"to":`, a.To)
	w.Filled(`,"rep":`, a.Rep)
	w.Filled(`,"pool":`, a.Pool)
	w.Bool(`,"counts":`, a.Counts)
	if a.Seq != 0 {
		w.Int(`,"seq":`, a.Seq)
	}
	w.Filled(`,"day":`, a.Day)
	moment(`,"accept_by":`, a.AcceptBy)
	moment(`,"touch_by":`, a.TouchBy)
	moment(`,"accept_half":`, a.AcceptHalf)
	moment(`,"touch_half":`, a.TouchHalf)
	w.Filled(`,"clock":`, a.Clock)
	moment(`,"wait_until":`, a.WaitUntil)
	if a.OwnCompany {
		w.Raw(`,"own_company":true`)
	}
	w.Time(`,"assigned_at":`, a.AssignedAt)
	w.Raw("}")
}

// WriteJSON writes what json.Marshal would.
func (c *Call) WriteJSON(w *JSONWriter) {
	w.Text(`{"provider":`, c.Provider)
	w.Text(`,"outcome":`, c.Outcome)
	w.Float(`,"cents":`, c.Cents)
	if c.MS != 0 {
		w.Int(`,"ms":`, c.MS)
	}
	w.Filled(`,"why":`, c.Why)
	if len(c.Added) > 0 {
		w.Texts(`,"added":`, c.Added)
	}
	w.Raw("}")
}

// WriteJSON writes what json.Marshal would.
func (c *ConfigRef) WriteJSON(w *JSONWriter) {
	w.Text(`{"kind":`, c.Kind)
	w.Text(`,"name":`, c.Name)
	w.Int(`,"version":`, int64(c.Version))
	w.Text(`,"hash":`, c.Hash)
	w.Raw("}")
}

// WriteJSON writes what json.Marshal would of a segment that is not empty.
func (s Segment) WriteJSON(w *JSONWriter) {
	at := len(w.B)
	w.Filled(`,"tld":`, s.TLD)
	w.Filled(`,"country":`, s.Country)
	w.Filled(`,"size":`, s.Size)
	w.B[at] = '{'
	w.Raw("}")
}
