package scoring

import (
	"strconv"
	"strings"

	"github.com/galenahq/galena"
)

// Band names the bands that a value falls into, over all criteria that read the
// field. Two values of one name earn the same; the name itself means nothing.
func (p *Profile) Band(field string, v galena.Value, now galena.Clock) string {
	var names strings.Builder
	for i := range p.criteria {
		if c := &p.criteria[i]; c.field == field {
			names.WriteString(c.id + ":" + c.band(v, now) + ";")
		}
	}
	return names.String()
}

// band lists the numbers of the bands that match, with a question mark where a
// value may match: only the first of them in mode first.
func (c *criterion) band(v galena.Value, now galena.Clock) string {
	fact := galena.Fact{Field: c.field, State: galena.Known, Value: v, Confidence: 1}
	var matched []string
	for i := range c.bands {
		switch c.bands[i].eval(fact, now) {
		case galena.True:
			matched = append(matched, strconv.Itoa(i))
			if !c.sum {
				return strings.Join(matched, " ")
			}
		case galena.UnknownTruth:
			matched = append(matched, strconv.Itoa(i)+"?")
		}
	}
	return strings.Join(matched, " ")
}
