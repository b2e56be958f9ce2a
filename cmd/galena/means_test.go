package main

import (
	"fmt"
	"net/http"
	"reflect"
	"testing"
	"time"
)

// why is the explanation of a lead, once it is decided.
func (s *system) why(id any) (why map[string]any) {
	s.t.Helper()
	eventually(s.t, 20*time.Second, "the lead is decided", func() bool {
		_, why, _ = s.do(http.MethodGet, fmt.Sprintf("/v1/leads/%v/why", id), testToken, "")
		return why["decision"] != nil
	})
	return why
}

// guess is what a decision takes an unknown job title for.
func guess(t *testing.T, why map[string]any) (points any, label any) {
	t.Helper()
	rows, _ := why["rows"].([]any)
	for _, r := range rows {
		if r, _ := r.(map[string]any); r["criterion"] == "seniority" && r["state"] == "unknown" {
			return r["points"], r["label"]
		}
	}
	t.Fatalf("the title is no unknown row of %v", why)
	return nil, nil
}

func TestOnceTwoHundredLeadsAreDecidedAnUnknownIsWorthTheirMean(t *testing.T) {
	t.Parallel()
	s := newSystem(t, onReal(t))
	s.start("serve")
	s.ready()
	_, early, _ := s.post(testToken, `{"email":"first@acme.example"}`)
	before := s.why(early["id"])
	if points, label := guess(t, before); points != 6.3 || label != nil { // 40 % of 15 in 95
		t.Fatalf("the first lead's title is taken for %v (%v)", points, label)
	}
	const leads = 199
	for i := range leads {
		if status, body, _ := s.post(testToken, fmt.Sprintf(`{"email":"p%d@acme.example","job_title":"Chief Executive"}`, i)); status != http.StatusAccepted {
			t.Fatalf("lead %d: %d %v", i, status, body)
		}
	}
	eventually(t, 60*time.Second, "every lead is decided", func() bool { return len(s.sink.events()) == leads+1 })
	n := 0
	eventually(t, 30*time.Second, "the estimate is the mean", func() bool {
		n++
		_, late, _ := s.post(testToken, fmt.Sprintf(`{"email":"late%d@acme.example"}`, n))
		points, label := guess(t, s.why(late["id"]))
		return points == 15.8 && label == "portfolio mean"
	})
	if now := s.why(early["id"]); !reflect.DeepEqual(now, before) {
		t.Errorf("the first decision reads\n%v\nand was\n%v", now, before)
	}
	_, late, _ := s.post(testToken, `{"email":"last@acme.example"}`)
	files, _ := s.why(late["id"])["configs"].([]any)
	last, _ := files[len(files)-1].(map[string]any)
	if last["kind"] != "Means" || last["name"] != "default" || len(fmt.Sprint(last["hash"])) != 64 {
		t.Errorf("the decision was made with %v, and does not say with which means", files)
	}
}
