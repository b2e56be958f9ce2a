package providers

import (
	"slices"
	"strings"

	"github.com/galenahq/galena"
)

// query is what a vendor is asked about a company of which this much is known;
// false when something that it has to be told is not.
func query(s Spec, domain string, known galena.Facts) (Query, bool) {
	q := Query{Domain: domain}
	for _, field := range s.Needs {
		f := known.Get(field)
		if f.State != galena.Known {
			return Query{}, false
		}
		if q.Known == nil {
			q.Known = make(map[string]string, len(s.Needs))
		}
		q.Known[field] = f.Value.String()
	}
	return q, true
}

// askedWith opens what an answer keeps of its question.
const askedWith = "; asked with "

// beside is what the question says beside the domain, however it is spelt; ""
// when it says no more.
func (q Query) beside() string {
	if len(q.Known) == 0 {
		return ""
	}
	parts := make([]string, 0, len(q.Known))
	for field, value := range q.Known {
		parts = append(parts, field+"="+fold(value))
	}
	slices.Sort(parts)
	return askedWith + strings.Join(parts, " ")
}

// noted is an answer as it is held. Answers are held by vendor and domain, and
// one that was given for a name is right for that name only: what the question
// said stands behind the first Ref, and of a miss, which has no observation, in
// one that says nothing else.
func noted(a galena.Answer, q Query) galena.Answer {
	beside := q.beside()
	miss := a.Kind == galena.NotFound || a.Kind == "" && len(a.Observations) == 0
	if beside == "" || len(a.Observations) == 0 && !miss {
		return a
	}
	a.Observations = slices.Clone(a.Observations)
	if miss {
		a.Kind = galena.NotFound // a hit that says nothing is as good as none, and has nowhere else to keep it
		a.Observations = []galena.Observation{{Source: a.Provider}}
	}
	a.Observations[0].Ref += beside
	return a
}

// recalled is a held answer as it was given, and whether it answers this question.
func recalled(a galena.Answer, q Query) (galena.Answer, bool) {
	beside := q.beside()
	if beside == "" {
		return a, true
	}
	if len(a.Observations) == 0 || !strings.HasSuffix(a.Observations[0].Ref, beside) {
		return galena.Answer{}, false
	}
	a.Observations = slices.Clone(a.Observations)
	a.Observations[0].Ref = strings.TrimSuffix(a.Observations[0].Ref, beside)
	if a.Kind == galena.NotFound {
		a.Observations = nil
	}
	return a, true
}
