package intake

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/galenahq/galena"
)

func TestACompanyWithoutALeadIsJudgedByTheLists(t *testing.T) {
	t.Parallel()
	c := config()
	c.SuppressedSHA256Of = []string{"listed.com"}
	j, store, now := judge(t, c), &memory{}, time.Date(2026, 11, 23, 14, 30, 0, 0, time.UTC)
	vet := Companies{Judge: func() *Judge { return j }, Store: store, Pepper: []byte("pepper"), Now: func() time.Time { return now }}
	store.suppressed = [][]byte{Hash([]byte("pepper"), "silent.com")}
	for _, domains := range [][]string{{"silent.com"}, {"acme.com", "silent.com"}, {"listed.com"}, {"acme.com", "listed.com"}} {
		o, err := vet.Vet(t.Context(), domains)
		e, ok := errors.AsType[*galena.Error](err)
		if !ok || e.Kind != galena.Invalid || e.Op != "suppressed" || len(o) != 0 || strings.Contains(err.Error(), domains[0]) {
			t.Errorf("%q: %v, want it refused without its name", domains, err)
		}
	}
	if o, err := vet.Vet(t.Context(), []string{"acme.com", "silent.org"}); err != nil || len(o) != 0 {
		t.Errorf("%+v, %v of one whom no list knows", o, err)
	}
	o, err := vet.Vet(t.Context(), []string{"acme.com", "rival.com"})
	if err != nil || len(o) != 1 || o[0].Field != "company.competitor" || !o[0].Value.Bool || o[0].Entity != "acme.com" || !o[0].ObservedAt.Equal(now) {
		t.Errorf("%+v, %v, want a competitor, by its other domain", o, err)
	}
	store.err = galena.Errorf(galena.Unavailable, "sql.recall", "away")
	if _, err := vet.Vet(t.Context(), []string{"acme.com"}); galena.KindOf(err) != galena.Unavailable {
		t.Errorf("%v, want no company let through unseen", err)
	}
}
