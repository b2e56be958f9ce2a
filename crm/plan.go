package crm

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/galenahq/galena"
)

// Mode is how a field may be written.
type Mode string

// The modes. FillEmpty is the default.
const (
	FillEmpty            Mode = "fill_empty"            // only what is blank
	RefreshIfOurs        Mode = "refresh_if_ours"       // also what still is what we wrote
	OverridePlaceholders Mode = "override_placeholders" // also the words that stand for nothing
	Suggest              Mode = "suggest"               // into another field, made for it
	Own                  Mode = "own"                   // ours alone: score, tier, reasons
	Never                Mode = "never"
)

// Modes lists every mode once.
func Modes() []Mode {
	return []Mode{FillEmpty, RefreshIfOurs, OverridePlaceholders, Suggest, Own, Never}
}

// Policy is how one field is written.
type Policy struct {
	Mode         Mode
	Placeholders []string // norms that count as blank, with OverridePlaceholders
	Shadow       Field    // where Suggest writes
	Refill       bool     // fill again what a person cleared
	Pool         []string // of Owner: the norms that may be replaced
}

// Want is what we know of one field, in the CRM's form.
type Want struct {
	Field      Field
	Encoded    Encoded
	Err        error // of Encode
	Policy     Policy
	Source     string // who says so
	Confidence float64
	ObservedAt time.Time
	// By is the person who asked for this very value although the CRM holds
	// another, Instead the norm they saw there, "" for a blank, and Spelt how that
	// was written, CRMValue.Hash. It is the only way to overwrite a person.
	By      string
	Instead string
	Spelt   string
}

// Base is what we wrote last into one field, from the ledger.
type Base struct {
	Norm       string
	RawHash    string // as it was sent, CRMValue.Hash; "" = not known
	Confidence float64
	ObservedAt time.Time
	WrittenAt  time.Time
	Released   bool // a person was seen to have taken the field over since
}

// Outcome is what becomes of one field.
type Outcome string

// The outcomes. Only Write sends anything.
const (
	Write       Outcome = "write"
	Same        Outcome = "same"
	Conflict    Outcome = "conflict"    // another value stands: theirs is kept, ours is reported
	Invalid     Outcome = "invalid"     // the value has no form in this CRM
	Unsupported Outcome = "unsupported" // no such field, or not ours to write
	Ambiguous   Outcome = "ambiguous"   // several records answer to the key
)

// Decision is what becomes of one field, and why.
type Decision struct {
	Field   Field // where it is written; of a suggestion, the shadow field
	Outcome Outcome
	Theirs  Value
	Ours    Encoded
	Base    *Base
	Reason  string // for a person to read

	Source     string
	Confidence float64
	ObservedAt time.Time
	By         string // the person who asked for it

	ours bool // nobody else writes there: no guard is needed
}

// Plan is what one record would get. Record is nil when it would be made.
type Plan struct {
	Object    Object
	Key       Key
	Record    *Record
	Several   []string // the ids of the records that answer to the key, where it is more than one
	Decisions []Decision
}

// Make plans one record from what the CRM holds, what we wrote before and what
// we want. It is the same whether the plan is carried out or only shown.
func Make(key Key, found Found, base map[Field]Base, wants []Want) Plan {
	p := Plan{Object: key.Object, Key: key}
	outcome, reason := Outcome(""), ""
	switch {
	case len(found.Records) > 1:
		outcome, reason = Ambiguous, "several records answer to the key"
		for _, r := range found.Records {
			p.Several = append(p.Several, r.ID)
		}
	case len(found.Records) == 1:
		p.Record = &found.Records[0]
		if p.Record.Closed != "" {
			outcome, reason = Unsupported, "the record is "+p.Record.Closed
		}
	}
	for _, w := range wants {
		d := Decision{Field: w.Field, Ours: w.Encoded, Outcome: outcome, Reason: reason, Source: w.Source,
			Confidence: w.Confidence, ObservedAt: w.ObservedAt, By: w.By, ours: w.Policy.Mode == Own || w.Policy.Mode == Suggest}
		if w.Policy.Mode == Suggest {
			d.Field = w.Policy.Shadow
		}
		if b, ok := base[d.Field]; ok {
			d.Base = &b
		}
		d.Theirs = Value{Blank: true}
		if p.Record != nil {
			if v, ok := p.Record.Fields[d.Field]; ok {
				d.Theirs = v
			}
		}
		if outcome == "" {
			d.Outcome, d.Reason = decide(w, d.Theirs, d.Base)
		}
		p.Decisions = append(p.Decisions, d)
	}
	return p.quiet()
}

// quiet leaves out the time of enrichment where nothing else is written: it is no
// news by itself.
func (p Plan) quiet() Plan {
	stamp := -1
	for i, d := range p.Decisions {
		switch {
		case d.Outcome != Write:
		case d.Field == EnrichedAt && p.Record != nil:
			stamp = i
		default:
			return p
		}
	}
	if stamp >= 0 {
		p.Decisions[stamp].Outcome, p.Decisions[stamp].Reason = Same, "nothing else is written"
	}
	return p
}

// decide is the decision table: the first row that applies wins.
func decide(w Want, theirs Value, base *Base) (Outcome, string) {
	switch mode := w.Policy.Mode; {
	case mode == Never, w.Field == "", mode == Suggest && w.Policy.Shadow == "":
		return Unsupported, "the configuration does not write this field"
	case galena.KindOf(w.Err) == galena.NotFound:
		return Unsupported, "the CRM has no such field, or does not let us write it"
	case w.Err != nil:
		return Invalid, "the value has no form in this CRM"
	case w.By != "":
		return asked(w, theirs)
	case w.Encoded.Norm == "":
		return Invalid, "empty never overwrites"
	case !theirs.Blank && theirs.Norm == w.Encoded.Norm:
		return Same, "the CRM holds it already"
	case mode == Own, mode == Suggest:
		return Write, "the field is ours"
	case theirs.Blank && base != nil && !w.Policy.Refill:
		return Conflict, "a person cleared it"
	case theirs.Blank:
		return Write, "it was blank"
	case w.Field == Owner && slices.Contains(w.Policy.Pool, theirs.Norm):
		return Write, "the owner may be replaced"
	case w.Field == Owner:
		return Conflict, "the record has an owner"
	case mode == OverridePlaceholders && slices.Contains(w.Policy.Placeholders, theirs.Norm):
		return Write, "what stood there stands for nothing"
	case base != nil && base.Released:
		return Conflict, "a person took the field over"
	case base != nil && base.respelt(theirs):
		return Conflict, "a person changed how it is written"
	case base != nil && base.Norm == theirs.Norm:
		return refresh(w, *base)
	case base == nil && theirs.Last.By == ByUs:
		return refresh(w, Base{ObservedAt: theirs.Last.At})
	}
	return Conflict, "somebody else's value stands there"
}

// respelt says that our words stand there in other letters: whoever corrected them has
// been there too. Servers change the form of everything but free text themselves, and
// answer a number as text: such values are told apart by their norm alone.
func (b Base) respelt(theirs Value) bool {
	if !theirs.Text || b.RawHash == "" || b.Norm != theirs.Norm {
		return false
	}
	now, err := stored(theirs.Encoded)
	return err == nil && now.Hash() != b.RawHash
}

// asked decides over what a person asked for: it is done where the field holds
// what they saw. They may ask for nothing too, which undoes a write into a blank.
func asked(w Want, theirs Value) (Outcome, string) {
	switch now := theirs.norm(); now {
	case w.Encoded.Norm:
		return Same, "the CRM holds it already"
	case w.Instead:
		if seen := (Base{Norm: now, RawHash: w.Spelt}); now != "" && seen.respelt(theirs) {
			return Conflict, "a person changed how it is written"
		}
		return Write, "asked for by " + w.By
	}
	return Conflict, "it holds another value by now"
}

// refresh decides over a value that is our own.
func refresh(w Want, base Base) (Outcome, string) {
	switch {
	case w.Policy.Mode != RefreshIfOurs:
		return Same, "ours stands there, and is only filled in, not refreshed"
	case !w.ObservedAt.After(base.ObservedAt) || w.Confidence < base.Confidence:
		return Same, "what we wrote is as new and as sure"
	}
	return Write, "ours is newer than what we wrote"
}

// Change is what must be sent for the plan; false when nothing is.
func (p Plan) Change(ref string) (Change, bool) {
	c := Change{Ref: ref, Object: p.Object, Set: map[Field]Encoded{}, Seen: map[Field]Value{}}
	for _, d := range p.Decisions {
		if d.Outcome != Write {
			continue
		}
		c.Set[d.Field] = d.Ours
		if p.Record != nil && !d.ours {
			c.Seen[d.Field] = d.Theirs
		}
	}
	if p.Record != nil {
		c.ID, c.Version = p.Record.ID, p.Record.Version
	}
	return c, len(c.Set) > 0
}

// Disputed says that a person must choose: some field holds another value than
// ours, or several records answer to the key.
func (p Plan) Disputed() bool {
	return len(p.Several) > 0 || slices.ContainsFunc(p.Decisions, func(d Decision) bool { return d.Outcome == Conflict })
}

// deleted says that a person took the record away: nothing is written there, and
// nobody is linked to it.
func (p Plan) deleted() bool { return p.Record != nil && p.Record.Closed == deleted }

// with is the plan as it stands after a further look: what was written before
// stays written.
func (p Plan) with(next Plan) Plan {
	next.Decisions = slices.Clone(next.Decisions)
	for i, d := range next.Decisions {
		was := slices.IndexFunc(p.Decisions, func(b Decision) bool { return b.Field == d.Field })
		if d.Outcome == Same && was >= 0 && p.Decisions[was].Outcome == Write {
			next.Decisions[i] = p.Decisions[was]
		}
	}
	return next
}

// refused takes out what the CRM will never take.
func (p Plan) refused(why map[Field]string) Plan {
	for i, d := range p.Decisions {
		if reason, ok := why[d.Field]; ok && (d.Outcome == Write || d.Outcome == Conflict) {
			p.Decisions[i].Outcome, p.Decisions[i].Reason = Invalid, reason
		}
	}
	return p
}

// hash names the record without naming the person.
func (k Key) hash() string {
	switch {
	case k.Domain != "":
		return "domain:" + k.Domain
	case k.Email != "":
		sum := sha256.Sum256([]byte(strings.ToLower(k.Email)))
		return "email:" + hex.EncodeToString(sum[:])
	}
	return "id:" + k.ID
}

// fingerprint is equal for two wishes that would write the same.
func fingerprint(x Wanted) string {
	h := sha256.New()
	for _, w := range x.Wants {
		if w.Field == EnrichedAt {
			continue
		}
		fmt.Fprintf(h, "%q %q %q %q %q\n", w.Field, w.Encoded.Norm, w.Policy.Mode, w.By, w.Instead)
	}
	return hex.EncodeToString(h.Sum(nil))
}
