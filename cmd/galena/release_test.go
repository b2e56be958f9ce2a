package main

import (
	"net/http"
	"testing"
	"time"
)

func TestAHeldLeadIsToldReleasedAndRouted(t *testing.T) {
	t.Parallel()
	s := newSystem(t, onReal(t))
	s.start("serve")
	s.ready()
	status, receipt, _ := s.post(testToken, `{"email":"ana@gmial.com","company":"Gmial","form":"demo"}`)
	if status != http.StatusAccepted || receipt["status"] != "quarantined" {
		t.Fatalf("POST answered %d %v, want a held lead", status, receipt)
	}
	eventually(t, 20*time.Second, "lead.quarantined reaches the sink", func() bool { return len(s.sink.events()) == 1 })
	id, _ := receipt["id"].(string)
	status, released, _ := s.do(http.MethodPost, "/v1/leads/"+id+"/release", testToken, `{"note":"called back"}`)
	if status != http.StatusOK || released["status"] != "accepted" || released["verdict"] != "accept" {
		t.Fatalf("release answered %d %v", status, released)
	}
	eventually(t, 20*time.Second, "lead.routed reaches the sink", func() bool { return len(s.sink.events()) == 2 })
	if e := s.sink.events()[1]; e.body["type"] != "lead.routed" || e.body["domain"] != "gmial.com" || s.vendor.asked() != 1 {
		t.Errorf("told %v, %d look-ups", e.body, s.vendor.asked())
	}
	if status, _, _ := s.do(http.MethodPost, "/v1/leads/"+id+"/release", testToken, ""); status != http.StatusConflict {
		t.Errorf("a decided lead was released: %d", status)
	}
	status, check, _ := s.do(http.MethodPost, "/v1/email:check", testToken, `{"email":"bob@hotmial.com"}`)
	if status != http.StatusOK || check["did_you_mean"] != "hotmail.com" || check["verdict"] != "confirm" {
		t.Errorf("check answered %d %v", status, check)
	}
}
