package worker

import (
	"strings"
	"testing"

	"github.com/galenahq/galena"
)

const someLead = "0197a8c2-5d2e-7c31-9f5e-0a4b7c9d1e2f"

func TestAPayloadHoldsOnlyIDsAndStaysSmall(t *testing.T) {
	t.Parallel()
	b, err := encodePayload(galena.Step{Kind: galena.StepLead, ID: someLead, Epoch: 1, Run: 12})
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"v":1,"ids":["` + someLead + `:1:12"]}`; string(b) != want {
		t.Errorf("payload %s, want %s", b, want)
	}
	if len(b) > 64 {
		t.Errorf("payload of one lead is %d bytes, want at most 64", len(b))
	}
	steps, err := decodePayload(galena.StepLead, b)
	if err != nil || len(steps) != 1 || steps[0].ID != someLead || steps[0].Epoch != 1 || steps[0].Run != 12 {
		t.Errorf("read back %+v, %v", steps, err)
	}
}

func TestATaskIDNamesOneHandOut(t *testing.T) {
	t.Parallel()
	s := galena.Step{Kind: galena.StepLead, ID: someLead, Epoch: 1, Run: 1}
	again := s
	again.Run = 2
	if got, want := taskID(s), "lead:created:"+someLead+":1:1"; got != want {
		t.Errorf("task id %q, want %q", got, want)
	}
	if taskID(s) == taskID(again) {
		t.Error("a second hand-out has the id of the first: it would be refused while the first is held")
	}
}

func TestAPayloadThatIsNotOursIsToldApart(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		body string
		want galena.Kind
	}{
		"not JSON":        {"\x00garbage", galena.Malformed},
		"a later version": {`{"v":2,"ids":["a:1:1"]}`, galena.Pending},
		"no run":          {`{"v":1,"ids":["a:1"]}`, galena.Malformed},
		"a word as run":   {`{"v":1,"ids":["a:1:x"]}`, galena.Malformed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := decodePayload(galena.StepLead, []byte(tc.body))
			if got := galena.KindOf(err); got != tc.want {
				t.Errorf("kind %q, want %q", got, tc.want)
			}
			if err != nil && strings.Contains(err.Error(), "garbage") {
				t.Errorf("the error repeats the payload: %v", err)
			}
		})
	}
}
