package worker

import (
	"testing"
	"time"

	"github.com/hibiken/asynq"

	"github.com/galenahq/galena"
)

// The payloads are recorded, not made by the code under test: they are what
// versions beside this one write.
const (
	payloadOfToday   = `{"v":1,"ids":["` + someLead + `:1:1"]}`
	payloadTomorrow  = `{"v":2,"steps":[{"lead":"` + someLead + `","epoch":1,"run":1}]}`
	payloadWithField = `{"v":1,"ids":["` + someLead + `:1:2"],"trace":"00-4bf9"}`
)

func TestTasksOfOtherVersionsWaitForTheWorkerThatKnowsThem(t *testing.T) {
	t.Parallel()
	c, b := startServer(t)
	send := func(id, kind, body string) {
		t.Helper()
		if _, err := c.asynq.Enqueue(asynq.NewTask(kind, []byte(body)), asynq.TaskID(id), asynq.Queue(queueLeads),
			asynq.MaxRetry(maxRetry)); err != nil {
			t.Fatal(err)
		}
	}
	send("later version", galena.StepLead, payloadTomorrow)
	send("unknown kind", "lead:celebrate", payloadOfToday)
	send("kind that begins like ours", galena.StepLead+":v2", payloadOfToday)
	send("garbage", galena.StepLead, "not JSON")
	send("today", galena.StepLead, payloadOfToday)
	send("with a further field", galena.StepLead, payloadWithField)
	for range 2 { // what is known runs, whatever else is in it
		select {
		case <-b.seen:
		case <-time.After(5 * time.Second):
			t.Fatal("a known payload was not run")
		}
	}
	for _, id := range []string{"later version", "unknown kind", "kind that begins like ours"} {
		eventually(t, id+" is put back, uncounted", func() bool {
			info, err := c.inspector.GetTaskInfo(queueLeads, id)
			return err == nil && info.State == asynq.TaskStateRetry && info.Retried == 0
		})
	}
	eventually(t, "garbage is gone", func() bool {
		_, err := c.inspector.GetTaskInfo(queueLeads, "garbage")
		return err != nil
	})
	if info, err := c.inspector.GetQueueInfo(queueLeads); err != nil || info.Archived != 0 {
		t.Errorf("archived %+v, error %v; want none", info, err)
	}
}

func TestWhatThisVersionWritesIsWhatWasRecorded(t *testing.T) {
	t.Parallel()
	body, err := encodePayload(galena.Step{Kind: galena.StepLead, ID: someLead, Epoch: 1, Run: 1})
	if err != nil || string(body) != payloadOfToday {
		t.Errorf("payload %s, error %v; an older worker knows only %s", body, err, payloadOfToday)
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("not in time: " + what)
		}
	}
}
