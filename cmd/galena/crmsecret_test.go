package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/galenahq/galena/crm"
	"github.com/galenahq/galena/crm/crmfake"
)

// TestTheKeyOfACRMIsFoundNowhere runs leads into a Twenty that is there, away and
// no longer takes the key, and looks for the key in all that is written and shown.
func TestTheKeyOfACRMIsFoundNowhere(t *testing.T) {
	t.Parallel()
	const marker = "marker-key-51c7e0"
	s := newSystem(t, false)
	fake := crmfake.New(crmfake.Twenty, marker, time.Now)
	server := httptest.NewServer(fake)
	t.Cleanup(server.Close)
	s.write("crm.yaml", "apiVersion: galena/v1\nkind: CRM\nmetadata: {name: ours, version: 1}\nspec: {id: twenty, kind: twenty}\n")
	s.env = append(s.env, "GALENA_CRM_TWENTY_URL="+server.URL, "GALENA_CRM_TWENTY_KEY="+marker, "GALENA_LOG_LEVEL=debug")
	p := s.start("serve")
	s.ready()
	s.people(0, 3, 2)
	eventually(t, time.Minute, "people are in the CRM", func() bool { return len(fake.IDs(crm.Person)) == 3 })
	fake.Down(true)
	s.people(3, 5, 2)
	answered := func(status int) func() bool {
		return func() bool {
			for _, r := range fake.Ledger() {
				if r.Status == status {
					return true
				}
			}
			return false
		}
	}
	eventually(t, time.Minute, "the CRM was away", answered(http.StatusBadRequest))
	fake.Regenerate("another")
	fake.Down(false)
	s.people(5, 7, 2)
	eventually(t, 2*time.Minute, "the key was refused", answered(http.StatusUnauthorized))
	shown := map[string]string{"metrics": s.metrics()}
	admin, pages := s.person("ada", "admin"), 0
	for _, path := range []string{"/", "/leads", "/ops", "/providers", "/rules", "/conflicts", "/steps", "/monitor/api/queues", "/monitor/api/queues/leads/pending_tasks",
		"/monitor/api/queues/leads/retry_tasks", "/monitor/api/queues/leads/completed_tasks"} {
		code, text := s.page(admin, http.MethodGet, path, url.Values{})
		if shown[path] = text; code == http.StatusOK {
			pages++
		}
	}
	for _, args := range []string{"runs list", "steps list", "doctor --json"} {
		cmd := exec.CommandContext(t.Context(), "galena", strings.Fields(args)...)
		cmd.Env = s.env
		b, _ := cmd.CombinedOutput() // what it says counts, not how it ends
		shown["galena "+args] = string(b)
	}
	p.stop(t)
	shown["the log"] = p.log.String()
	for where, text := range shown {
		if strings.Contains(text, marker) {
			t.Errorf("the key is in %s", where)
		}
	}
	files, err := filepath.Glob(strings.TrimPrefix(s.variable("GALENA_DATABASE_URL"), "sqlite:") + "*")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files of the database, %v", len(files), err)
	}
	read := 0
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if read += len(b); bytes.Contains(b, []byte(marker)) {
			t.Errorf("the key is in %s", filepath.Base(file))
		}
	}
	t.Logf("the key was looked for in %d pages, lists and logs and in %d KiB of tables and tasks, and not found", len(shown), read>>10)
	if !strings.Contains(shown["the log"], "twenty") || read < 100<<10 || pages < 6 {
		t.Errorf("there was nothing to look through: %d pages, %d bytes", pages, read)
	}
}
