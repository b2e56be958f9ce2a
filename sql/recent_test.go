package sql

import (
	"testing"

	"github.com/galenahq/galena"
)

// An answer is sent once, and once more when a decision rests on more of it;
// words that came with no answer are always sent.
func TestAnAnswerIsSentAgainForWhatItIsUsedFor(t *testing.T) {
	t.Parallel()
	word := func(id, request string) galena.Observation {
		return galena.Observation{ID: id, RequestID: request, Class: galena.ClassProvider}
	}
	said := []galena.Observation{word("a1", "a"), word("a2", "a"), word("b1", "b"), word("lone", "")}
	var r recent
	for _, c := range []struct {
		rests []string
		want  string
		used  string
	}{
		{[]string{"a1"}, "a1 a2 b1 lone", "a1"},
		{[]string{"a1"}, "lone", ""},
		{nil, "lone", ""},
		{[]string{"a1", "b1"}, "b1 lone", "b1"},
		{[]string{"a2", "b1"}, "a1 a2 lone", "a2"},
		{[]string{"a1", "a2", "b1"}, "lone", ""},
	} {
		fresh := r.fresh(&galena.Lesson{Observations: galena.Refs(said), Used: c.rests})
		r.wrote(fresh)
		got, used := "", ""
		for _, o := range fresh {
			got += " " + o.ID
			if o.used {
				used += " " + o.ID
			}
		}
		if got != " "+c.want || used != "" && used != " "+c.used || used == "" && c.used != "" {
			t.Errorf("with %v: sent%s, used%s; want %s, used %s", c.rests, got, used, c.want, c.used)
		}
	}
}
