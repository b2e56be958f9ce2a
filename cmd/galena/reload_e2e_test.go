package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// edition is the version of the profile that a new lead is scored with.
func (s *system) edition(email string) (version float64) {
	s.t.Helper()
	_, receipt, _ := s.post(testToken, `{"email":"`+email+`"}`)
	eventually(s.t, 20*time.Second, "the lead is decided", func() bool {
		_, why, _ := s.do(http.MethodGet, fmt.Sprintf("/v1/leads/%v/why", receipt["id"]), testToken, "")
		files, _ := why["configs"].([]any)
		for _, f := range files {
			if f, _ := f.(map[string]any); f["kind"] == "ICP" {
				version, _ = f["version"].(float64)
			}
		}
		return len(files) > 0
	})
	return version
}

func TestChangedFilesAreObeyedAndBrokenOnesAreTold(t *testing.T) {
	t.Parallel()
	s := newSystem(t, onReal(t))
	s.write("icp.yaml", profile(1, 50))
	ops := strings.TrimSpace(s.must("token", "create", "--description", "ops", "--group", "ops"))
	p := s.start("serve")
	s.ready()
	if got := s.edition("a@acme-0.example"); got != 1 {
		t.Fatalf("scored with version %v, want 1", got)
	}
	metric := func(want string) func() bool {
		return func() bool { return strings.Contains(s.metrics(), want) }
	}

	began := time.Now()
	s.write("icp.yaml", profile(2, 60))
	eventually(t, 10*time.Second, "the new version is in force", metric(`kind="ICP",name="tiny",version="2"} 1`))
	t.Logf("in force after %v", time.Since(began).Round(time.Millisecond))
	if got := s.edition("a@acme-1.example"); got != 2 {
		t.Errorf("the next lead is scored with version %v, want 2", got)
	}

	began = time.Now()
	s.write("icp.yaml", profile(3, 101))
	eventually(t, 5*time.Second, "the metrics say that a file waits", metric("galena_config_errors 1\n"))
	t.Logf("told after %v", time.Since(began).Round(time.Millisecond))
	if got := s.edition("a@acme-2.example"); got != 2 {
		t.Errorf("a broken file changed the rules: version %v", got)
	}
	_, configs, _ := s.do(http.MethodGet, "/v1/configs", ops, "")
	found, _ := configs["findings"].([]any)
	if len(found) == 0 || configs["errors"] != 1.0 {
		t.Fatalf("configs answered %v, want one error", configs)
	}
	finding, _ := found[0].(map[string]any)
	if finding["line"] != 8.0 || finding["column"] != 15.0 || finding["code"] != "E09" || !strings.HasSuffix(fmt.Sprint(finding["path"]), "/icp.yaml") {
		t.Errorf("finding %v, want E09 at icp.yaml:8:15", finding)
	}
	if n := strings.Count(p.log.String(), "configuration refused"); n != 1 {
		t.Errorf("the log says it %d times, want once", n)
	}

	s.write("icp.yaml", profile(4, 70))
	if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	eventually(t, 10*time.Second, "the mended file is in force", metric(`kind="ICP",name="tiny",version="4"} 1`))
	if !metric("galena_config_errors 0\n")() {
		t.Error("the metrics still say that a file waits")
	}
	if got := s.edition("a@acme-3.example"); got != 4 {
		t.Errorf("the next lead is scored with version %v, want 4", got)
	}
}

// TestNoLeadIsLostWhileTheRulesChange hands in 20 leads a second while profile
// and catalogue are replaced, broken and mended.
func TestNoLeadIsLostWhileTheRulesChange(t *testing.T) {
	t.Parallel()
	s := newSystem(t, onReal(t))
	s.write("icp.yaml", profile(1, 50))
	s.start("serve")
	s.ready()
	catalogue, err := os.ReadFile(filepath.Join(s.variable("GALENA_CONFIG_DIR"), "providers.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var ending atomic.Bool
	changed := make(chan int)
	go func() {
		n := 1
		for ; !ending.Load(); n++ {
			weight := 50 + n%10
			if n%4 == 3 {
				weight = 101 // refused
			}
			s.write("icp.yaml", profile(n+1, weight))
			s.write("providers.yaml", strings.Replace(string(catalogue), "p95_ms: 50", fmt.Sprintf("p95_ms: %d", 50+n), 1))
			time.Sleep(2500 * time.Millisecond)
		}
		changed <- n
	}()
	const leads = 240
	turn := time.NewTicker(50 * time.Millisecond)
	defer turn.Stop()
	for i := range leads {
		<-turn.C
		if status, body, _ := s.post(testToken, fmt.Sprintf(`{"email":"p@busy-%d.example"}`, i)); status != http.StatusAccepted {
			t.Errorf("lead %d: %d %v", i, status, body)
		}
	}
	eventually(t, 30*time.Second, "every lead is decided", func() bool { return len(s.sink.events()) >= leads })
	ending.Store(true)
	t.Logf("%d leads, files written %d times, metrics: %s", leads, <-changed, loadedLine(s.metrics()))
	for _, e := range s.sink.events() {
		if e.body["type"] != "lead.routed" {
			t.Errorf("an event %v", e.body)
		}
	}
	if asked := s.vendor.asked(); asked != leads {
		t.Errorf("the vendor was asked %d times for %d companies", asked, leads)
	}
}

func loadedLine(metrics string) string {
	for line := range strings.Lines(metrics) {
		if strings.HasPrefix(line, "galena_config_info") && strings.Contains(line, `kind="ICP"`) {
			return strings.TrimSpace(line)
		}
	}
	return ""
}
