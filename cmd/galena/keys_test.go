package main

import (
	"net/http"
	"testing"
)

func TestAVendorsKeyServesItsFurtherServicesAlone(t *testing.T) {
	t.Parallel()
	s := newSystem(t, false)
	s.env = append(s.env, "GALENA_PROVIDER_CUFINDER_KEY=k")
	s.write("providers.yaml", `apiVersion: galena/v1
kind: Providers
spec:
  providers:
    - {id: testvendor, adapter: fixture}
    - {id: cufinder-tech}
`)
	s.start("serve")
	s.ready()
	if status, _, _ := s.do(http.MethodGet, "/healthz", "", ""); status != http.StatusOK {
		t.Errorf("healthz answered %d, want the process up with the vendor's key", status)
	}
}
