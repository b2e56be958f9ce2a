package main

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// auditEverything asks one vendor for one fact that settles the tier, and not the
// other, and holds every settled decision against all that the vendors know.
const auditEverything = `apiVersion: galena/v1
kind: Providers
spec:
  providers:
    - {id: testvendor, adapter: fixture, cost_cents: 1, fields: {company.employee_count: 0.9, company.industry: 0.9}}
    - {id: dearer, adapter: fixture, cost_cents: 2, fields: {company.employee_count: 0.9}}
  audit: {share: 1}
`

const oneQuestion = `apiVersion: galena/v1
kind: ICP
metadata: {name: one-question, version: 1}
spec:
  criteria:
    - id: size
      field: company.employee_count
      weight: 10
      bands: [{range: [100, null], value: 1}]
  tiers:
    - {name: A, min: 70}
    - {name: B, min: 50}
    - {name: C, min: 30}
    - {name: D, min: 0}
`

func TestAnEarlyStopIsAuditedAndTheMetricsSaySo(t *testing.T) {
	t.Parallel()
	s := newSystem(t, onReal(t))
	s.env = append(s.env, "GALENA_PROVIDER_DEARER_URL="+s.vendor.url)
	s.write("providers.yaml", auditEverything)
	s.write("icp.yaml", oneQuestion)
	s.start("serve")
	s.ready()
	if status, body, _ := s.post(testToken, `{"email":"ana@acme.example"}`); status != http.StatusAccepted {
		t.Fatalf("%d %v", status, body)
	}
	eventually(t, 60*time.Second, "the audit is counted, and found no regret", func() bool {
		m := s.metrics()
		return strings.Contains(m, "\ngalena_audits_total 1\n") && strings.Contains(m, "\ngalena_early_stop_regret 0\n")
	})
}
