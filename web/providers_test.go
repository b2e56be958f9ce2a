package web

import (
	"testing"
	"time"

	"github.com/galenahq/galena"
)

// Workers tell of a CRM that rests as they do of a vendor; it is in a file of its own.
func TestACRMThatRestsIsTrouble(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 14, 30, 0, 0, time.UTC)
	rests := galena.ProviderState{Provider: galena.CRMTarget("twenty"), Breaker: "closed", PausedUntil: now.Add(time.Minute), PauseReason: galena.Unauthorized}
	serves := galena.ProviderState{Provider: galena.CRMTarget("twenty"), Breaker: "closed"}
	for troubled, st := range []galena.ProviderState{serves, rests} {
		v := providersOf(galena.Catalogue{}, []galena.ProviderState{st}, nil, now)
		if v.Troubled != troubled || v.Rows[0].Asked != "CRM" || v.Rows[0].Off != (troubled == 0) {
			t.Errorf("%d troubled, %+v, want %d", v.Troubled, v.Rows[0], troubled)
		}
	}
}
