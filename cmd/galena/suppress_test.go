package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestASuppressedPersonIsForgottenAndOneLetInAgainIsALead(t *testing.T) {
	t.Parallel()
	s := newSystem(t, onReal(t))
	file := filepath.Join(t.TempDir(), "opted-out.txt")
	if err := os.WriteFile(file, []byte("Lea+news@silent.example\n\nquiet.example\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := s.must("suppress", "add", "--file", file); out != "2 suppressed, 0 already\n" {
		t.Errorf("%q", out)
	}
	s.start("serve")
	s.ready()
	for email, status := range map[string]int{"lea@silent.example": http.StatusNotFound, "bob@eu.quiet.example": http.StatusNotFound, "ana@silent.example": http.StatusOK} {
		code, receipt, _ := s.post(testToken, `{"email":"`+email+`"}`)
		id, _ := receipt["id"].(string)
		got, _, _ := s.do(http.MethodGet, "/v1/leads/"+id, testToken, "")
		if code != http.StatusAccepted || got != status {
			t.Errorf("%s was answered %d and is then %d, want %d", email, code, got, status)
		}
	}
	if out := s.must("suppress", "remove", "lea@silent.example", "--json"); strings.TrimSpace(out) != `{"changed":1,"already":0}` {
		t.Errorf("%q", out)
	}
	if code, receipt, _ := s.post(testToken, `{"email":"lea@silent.example","form":"again"}`); code != http.StatusAccepted || receipt["id"] == "" {
		t.Fatalf("%d %v", code, receipt)
	}
	eventually(t, 20*time.Second, "two leads are routed", func() bool { return len(s.sink.events()) == 2 })
	for _, e := range s.sink.events() {
		if who := e.body["email"]; who != "ana@silent.example" && who != "lea@silent.example" {
			t.Errorf("%v was told of", who)
		}
	}
}
