package configs

import (
	"testing"
	"testing/fstest"
)

func TestAFileThatNamesSomeLimitsKeepsTheOthers(t *testing.T) {
	t.Parallel()
	file := func(spec string) fstest.MapFS {
		return fstest.MapFS{"p.yaml": {Data: []byte("apiVersion: galena/v1\nkind: Providers\nspec:\n" + spec)}}
	}
	for _, tc := range []struct {
		name, spec string
		refresh    int
		share      float64
	}{
		{"neither is named", "  limits: {per_lead_cents: 15}\n", 10, 0.02},
		{"both are switched off", "  limits: {refresh_per_minute: 0}\n  audit: {share: 0}\n", 0, 0},
	} {
		r, err := Load(file(tc.spec), Options{Specs: vendors()})
		if err != nil {
			t.Fatal(err)
		}
		if p := r.Providers; p.Limits.RefreshPerMinute != tc.refresh || p.Audit.Share != tc.share || p.Limits.InteractiveDeadlineMS != 2200 {
			t.Errorf("%s: %+v %+v, want %d a minute and %v", tc.name, p.Limits, p.Audit, tc.refresh, tc.share)
		}
	}
}
