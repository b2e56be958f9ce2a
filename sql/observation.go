package sql

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/galenahq/galena"
)

type observationRow struct {
	ID         string  `json:"id" db:"id"`
	Entity     string  `json:"entity" db:"entity"`
	Field      string  `json:"field" db:"field"`
	Value      string  `json:"value" db:"value"`
	Absent     bool    `json:"absent" db:"absent"`
	Source     string  `json:"source" db:"source"`
	Class      string  `json:"class" db:"class"`
	Ref        string  `json:"ref" db:"ref"`
	Method     string  `json:"method" db:"method"`
	Confidence float64 `json:"confidence" db:"confidence"`
	ObservedAt int64   `json:"observed_at" db:"observed_at"`
	FetchedAt  int64   `json:"fetched_at" db:"fetched_at"`
	CostMicros int64   `json:"cost_micros" db:"cost_micros"`
	RequestID  string  `json:"request_id" db:"request_id"`
	RunID      string  `json:"run_id" db:"run_id"`
	Used       bool    `json:"used" db:"used"`
}

func (r observationRow) observation() (galena.Observation, error) {
	v, err := parse[galena.Value](r.Value)
	return galena.Observation{ID: r.ID, Entity: r.Entity, Field: r.Field, Value: v, Absent: r.Absent, Source: r.Source,
		Class: galena.SourceClass(r.Class), Ref: r.Ref, Method: r.Method, Confidence: r.Confidence,
		ObservedAt: at(r.ObservedAt), FetchedAt: at(r.FetchedAt), CostMicros: r.CostMicros,
		RequestID: r.RequestID, RunID: r.RunID}, err
}

// marked is an observation on its way into the store: observations are large, and
// those of an answer come along with every lead of its company.
type marked struct {
	*galena.Observation
	used bool // a decision rests on it
}

func markedOf(obs []*galena.Observation) []marked {
	out := make([]marked, len(obs))
	for i, o := range obs {
		out[i] = marked{o, o.Used}
	}
	return out
}

// markedLesson are the observations of a lesson.
func markedLesson(l galena.Lesson) []marked {
	out := markedOf(l.Observations)
	for i := range out {
		out[i].used = out[i].used || slices.Contains(l.Used, out[i].ID)
	}
	return out
}

// inAnswer says whether the answer that it came with is what is kept of it.
func (w marked) inAnswer() bool {
	return w.RequestID != "" && (w.Class == galena.ClassProvider || w.Class == galena.ClassCrawl || w.Class == galena.ClassInferred)
}

// insertObservations appends what is new: what a vendor said goes into the log, an
// answer a row, and every other word is a row of its own. Two leads of one company
// may bring the same held answer at once: sorted, they never wait for each other.
func insertObservations(ctx context.Context, tx conn, all []marked) error {
	var answers, words []marked
	for _, w := range all {
		if w.inAnswer() {
			answers = append(answers, w)
		} else {
			words = append(words, w)
		}
	}
	if err := logAnswers(ctx, tx, answers); err != nil {
		return err
	}
	return insertWords(ctx, tx, words)
}

// logRow is an answer in the log.
type logRow struct {
	RequestID    string `json:"request_id" db:"request_id"`
	Provider     string `json:"provider" db:"provider"`
	Domain       string `json:"domain" db:"domain"`
	FetchedAt    int64  `json:"fetched_at" db:"fetched_at"`
	CostMicros   int64  `json:"cost_micros" db:"cost_micros"`
	Fields       string `json:"fields" db:"fields"`
	Used         string `json:"used" db:"used"`
	Observations string `json:"observations" db:"observations"`
}

// logAnswers appends the answers that the words came with.
func logAnswers(ctx context.Context, tx conn, words []marked) error {
	if len(words) == 0 {
		return nil
	}
	slices.SortStableFunc(words, func(a, b marked) int {
		return cmp.Or(cmp.Compare(a.RequestID, b.RequestID), cmp.Compare(a.ID, b.ID))
	})
	var list []logRow
	for len(words) > 0 {
		end := slices.IndexFunc(words, func(w marked) bool { return w.RequestID != words[0].RequestID })
		if end < 0 {
			end = len(words)
		}
		row, err := logged(words[:end])
		if err != nil {
			return err
		}
		list, words = append(list, row), words[end:]
	}
	a, err := table(tx, list)
	if err != nil {
		return err
	}
	return tx.later(ctx, "log-answers", a, nil)
}

// logged makes one row of the words of an answer, some of which may come twice, one
// after the other.
func logged(answer []marked) (r logRow, err error) {
	first := answer[0]
	r = logRow{RequestID: first.RequestID, Provider: first.Source, Domain: first.Entity, FetchedAt: micros(first.FetchedAt)}
	once := answer[:0]
	for _, w := range answer {
		if n := len(once); n > 0 && once[n-1].ID == w.ID {
			once[n-1].used = once[n-1].used || w.used
			continue
		}
		once = append(once, w)
	}
	fields, used := galena.JSONWriter{B: make([]byte, 0, 32*len(once))}, galena.JSONWriter{B: make([]byte, 0, 38*len(once))}
	for _, w := range once {
		r.CostMicros = max(r.CostMicros, w.CostMicros)
		fields.Text(",", w.Field)
		if w.used {
			used.Text(",", w.Field)
			used.Raw(":true")
		}
	}
	fields.B[0] = '['
	r.Fields = string(fields.B) + "]"
	r.Used = "{" + strings.TrimPrefix(string(used.B), ",") + "}"
	obs := make([]*galena.Observation, len(once))
	for i, w := range once {
		obs[i] = w.Observation
	}
	r.Observations, err = answered(obs)
	return r, err
}

// answered is the text of an answer's observations.
func answered(obs []*galena.Observation) (string, error) {
	return drafted(func(w *galena.JSONWriter) { galena.WriteAnswer(w, obs) })
}

// insertWords appends words that come with no answer.
func insertWords(ctx context.Context, tx conn, words []marked) error {
	if len(words) == 0 {
		return nil
	}
	list := make([]observationRow, len(words))
	for i, w := range words {
		id, err := orNewID(w.ID)
		if err != nil {
			return err
		}
		value, err := text(w.Value)
		if err != nil {
			return err
		}
		list[i] = observationRow{ID: id, Entity: w.Entity, Field: w.Field, Value: value, Absent: w.Absent, Source: w.Source,
			Class: string(w.Class), Ref: w.Ref, Method: w.Method, Confidence: w.Confidence,
			ObservedAt: micros(w.ObservedAt), FetchedAt: micros(w.FetchedAt), CostMicros: w.CostMicros,
			RequestID: w.RequestID, RunID: w.RunID, Used: w.used}
	}
	slices.SortStableFunc(list, func(a, b observationRow) int { return cmp.Compare(a.ID, b.ID) })
	list = slices.CompactFunc(list, func(a, b observationRow) bool { return a.ID == b.ID })
	a, err := table(tx, list)
	if err != nil {
		return err
	}
	return tx.later(ctx, "insert-observations", a, nil)
}
