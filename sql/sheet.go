package sql

import (
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

// takeSheet takes the sheet out of a decision and returns it with the rest.
func takeSheet(d galena.Decision) (sheet, galena.Decision) {
	s := sheet{Facts: make(galena.Facts, len(d.Facts)), Observations: d.Observations, Steps: d.Steps, Configs: d.Configs}
	own := make(galena.Facts, len(d.Facts))
	for name, f := range d.Facts {
		if f.ObservationID != "" && ofCompany(name) {
			s.Facts[name] = f
		} else {
			own[name] = f
		}
	}
	rows := d.Rows
	if d.Rows != nil {
		d.Rows = make([]galena.Row, 0, len(rows))
	}
	for i, r := range rows {
		if ofCompany(r.Field) {
			s.Rows, s.Places = append(s.Rows, r), append(s.Places, i)
		} else {
			d.Rows = append(d.Rows, r)
		}
	}
	if d.Facts != nil {
		d.Facts = own
	}
	d.Observations, d.Steps, d.Configs = nil, nil, nil
	return s, d
}

// join makes the decision whole again.
func (s sheet) join(d galena.Decision) galena.Decision {
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
	d, err := parse[galena.Decision](t.Body)
	if err != nil || t.Sheet == "" {
		return d, err
	}
	s, err := parse[sheet](t.Sheet)
	return s.join(d), err
}

type sheetRow struct {
	Hash string `db:"hash" json:"hash"`
	Body string `db:"body" json:"body"`
}

// insertSheets stores the sheets that are not known to be there.
func (s *Store) insertSheets(ctx context.Context, tx conn, of map[string]sheet) error {
	var missing []sheetRow
	for _, hash := range slices.Sorted(maps.Keys(of)) { // two transactions write them in the same order
		body, err := text(of[hash])
		if err != nil {
			return err
		}
		missing = append(missing, sheetRow{hash, body})
	}
	if len(missing) == 0 {
		return nil
	}
	a, err := table(tx, missing)
	if err != nil {
		return err
	}
	_, err = tx.exec(ctx, "insert-sheets", a)
	return err
}

// hash names the sheet by what it says. It is taken of the values and not of
// their JSON: to write the text is what a known sheet saves.
func (s sheet) hash() string {
	b := make(digestible, 0, 8<<10)
	b.number(int64(len(s.Facts)))
	for _, name := range slices.Sorted(maps.Keys(s.Facts)) {
		b.fact(s.Facts[name])
	}
	b.texts(s.Observations)
	b.number(int64(len(s.Rows)))
	for i, r := range s.Rows {
		b.number(int64(s.Places[i]))
		b.row(r)
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
	sum := sha256.Sum256(b)
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

func (b *digestible) fact(f galena.Fact) {
	b.text(f.Field, string(f.State), f.Source, f.ObservationID)
	b.number(int64(math.Float64bits(f.Confidence)), f.ObservedAt.UnixNano()) //nolint:gosec // bits, not a number
	v := f.Value
	b.text(string(v.Type), v.Text, v.Raw)
	b.number(v.Lo, v.Hi)
	b.truth(v.Closed, v.Bool)
	b.texts(v.Set)
}

func (b *digestible) row(r galena.Row) {
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
