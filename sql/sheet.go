package sql

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/galenahq/galena"
)

// sheet is what the decisions on one company say alike: what is known of it and
// by which observations, what that earned, who was asked, and the configuration.
// It is nine tenths of a decision, and nothing in it is about a person. Leads of a
// company mostly find the same sheet, so it is kept once, by the hash of what it
// says, and a decision keeps the hash and the rest. Whoever reads a decision gets
// it whole.
type sheet struct {
	Facts        galena.Facts       `json:"facts"`
	Observations []string           `json:"observations"`
	Rows         []galena.Row       `json:"rows"`
	Places       []int              `json:"places"` // of the rows, in the whole list
	Steps        []galena.Call      `json:"steps"`
	Configs      []galena.ConfigRef `json:"configs"`
}

// ofCompany says that a field is about the company.
func ofCompany(field string) bool { return strings.HasPrefix(field, "company.") }

// takeSheet takes the sheet out of a decision and returns it with the rest. Its
// facts are all of the decision's as long as nobody needs it: names says which of
// them are the sheet's, in their order.
func takeSheet(d galena.Decision) (names []string, s sheet, rest decisionBody) {
	s = sheet{Facts: d.Facts, Observations: d.Observations, Steps: d.Steps, Configs: d.Configs}
	names = make([]string, 0, len(d.Facts))
	var own galena.Facts
	if d.Facts != nil {
		own = galena.Facts{}
	}
	var said []saying
	for name, f := range d.Facts {
		switch {
		case f.ObservationID != "" && ofCompany(name):
			names = append(names, name)
		case plain(name, f):
			said = say(said, f)
		default:
			own[name] = f
		}
	}
	slices.Sort(names)
	for i := range said {
		slices.SortFunc(said[i].Words, func(a, b [2]string) int { return cmp.Compare(a[0], b[0]) })
	}
	for i := range d.Rows {
		if ofCompany(d.Rows[i].Field) {
			s.Places = append(s.Places, i)
		}
	}
	s.Rows = slices.Grow(s.Rows, len(s.Places))
	rows := d.Rows
	if rows != nil {
		d.Rows = make([]galena.Row, 0, len(rows)-len(s.Places))
	}
	for i := range rows {
		if ofCompany(rows[i].Field) {
			s.Rows = append(s.Rows, rows[i])
		} else {
			d.Rows = append(d.Rows, rows[i])
		}
	}
	d.Facts, d.Observations, d.Steps, d.Configs = own, nil, nil, nil
	return names, s, decisionBody{Decision: d, Said: said}
}

// text is the sheet as JSON, with nothing but its own facts: what json.Marshal
// would write, in a fraction of the time. A sheet is the longest text of a lead.
func (s *sheet) text(names []string) (string, error) {
	return drafted(func(w *galena.JSONWriter) {
		w.Raw(`{"facts":`)
		s.Facts.WriteJSON(w, names)
		w.Texts(`,"observations":`, s.Observations)
		galena.WriteList(w, `,"rows":`, s.Rows, (*galena.Row).WriteJSON)
		galena.WriteList(w, `,"places":`, s.Places, func(n *int, w *galena.JSONWriter) { w.Int("", int64(*n)) })
		galena.WriteList(w, `,"steps":`, s.Steps, (*galena.Call).WriteJSON)
		galena.WriteList(w, `,"configs":`, s.Configs, (*galena.ConfigRef).WriteJSON)
		w.Raw("}")
	})
}

// join makes the decision whole again.
func (s sheet) join(rest decisionBody) galena.Decision {
	d := rest.decision()
	if d.Facts != nil {
		maps.Copy(d.Facts, s.Facts)
	}
	for i, r := range s.Rows { // in the order of their places
		d.Rows = slices.Insert(d.Rows, min(s.Places[i], len(d.Rows)), r)
	}
	d.Observations, d.Steps, d.Configs = s.Observations, s.Steps, s.Configs
	return d
}

// decisionText is a decision as it is stored; an empty sheet says that the body
// is the whole of it, as it was before there were sheets.
type decisionText struct {
	Body  string `db:"body"`
	Sheet string `db:"sheet"`
}

func (t decisionText) decision() (galena.Decision, error) {
	if t.Sheet == "" {
		return parse[galena.Decision](t.Body)
	}
	rest, err := parse[decisionBody](t.Body)
	if err != nil {
		return galena.Decision{}, err
	}
	s, err := parse[sheet](t.Sheet)
	return s.join(rest), err
}

type sheetRow struct {
	Hash string `db:"hash" json:"hash"`
	Body string `db:"body" json:"body"`
}

// insertSheets stores the sheets, by their hash, that are not known to be there.
func (s *Store) insertSheets(ctx context.Context, tx conn, of map[string]string) error {
	var missing []sheetRow
	for _, hash := range slices.Sorted(maps.Keys(of)) { // two transactions write them in the same order
		missing = append(missing, sheetRow{hash, of[hash]})
	}
	if len(missing) == 0 {
		return nil
	}
	a, err := table(tx, missing)
	if err != nil {
		return err
	}
	return tx.later(ctx, "insert-sheets", a, nil)
}

// hash names the sheet by what it says, of the facts by those of the names. It is
// taken of the values and not of their JSON: to write the text is what a known
// sheet saves. The buffer is used again.
func (s sheet) hash(names []string, b *digestible) string {
	*b = (*b)[:0]
	b.number(int64(len(names)))
	for _, name := range names {
		b.fact(s.Facts[name])
	}
	b.texts(s.Observations)
	b.number(int64(len(s.Rows)))
	for i := range s.Rows {
		b.number(int64(s.Places[i]))
		b.row(&s.Rows[i])
	}
	b.number(int64(len(s.Steps)))
	for _, c := range s.Steps {
		b.text(c.Provider, c.Outcome, c.Why)
		b.number(int64(math.Float64bits(c.Cents)), c.MS) //nolint:gosec // bits, not a number
		b.texts(c.Added)
	}
	b.number(int64(len(s.Configs)))
	for _, c := range s.Configs {
		b.text(c.Kind, c.Name, c.Hash)
		b.number(int64(c.Version))
	}
	sum := sha256.Sum256(*b)
	return hex.EncodeToString(sum[:16])
}

// digestible is values in a row, each so that it cannot be taken for two.
type digestible []byte

func (b *digestible) number(of ...int64) {
	for _, n := range of {
		*b = binary.AppendVarint(*b, n)
	}
}

func (b *digestible) text(of ...string) {
	for _, s := range of {
		*b = append(binary.AppendUvarint(*b, uint64(len(s))), s...)
	}
}

func (b *digestible) texts(of []string) {
	b.number(int64(len(of)))
	b.text(of...)
}

func (b *digestible) truth(of ...bool) {
	for _, t := range of {
		n := byte(0)
		if t {
			n = 1
		}
		*b = append(*b, n)
	}
}

func (b *digestible) fact(f *galena.Fact) {
	b.text(f.Field, string(f.State), f.Source, f.ObservationID)
	b.number(int64(math.Float64bits(f.Confidence)), f.ObservedAt.UnixNano()) //nolint:gosec // bits, not a number
	v := &f.Value
	b.text(string(v.Type), v.Text, v.Raw)
	b.number(v.Lo, v.Hi)
	b.truth(v.Closed, v.Bool)
	b.texts(v.Set)
}

func (b *digestible) row(r *galena.Row) {
	b.text(r.Criterion, r.Field, string(r.State), r.Value, r.Label, r.Source, r.AtLeast)
	b.number(int64(r.Points), int64(r.Lo), int64(r.Hi), int64(r.Max))
	b.truth(r.AgeDays != nil, r.EffectiveConfidence != nil)
	if r.AgeDays != nil {
		b.number(int64(*r.AgeDays))
	}
	if r.EffectiveConfidence != nil {
		b.number(int64(math.Float64bits(*r.EffectiveConfidence))) //nolint:gosec // bits, not a number
	}
}
