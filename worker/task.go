package worker

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/galenahq/galena"
)

// The queues, by weight. Each further one would cost a round trip per dequeue.
const (
	queueLeads      = "leads"
	queueDeliveries = "deliveries"
	queueBulk       = "bulk"
)

// payloadVersion is what this worker writes. It reads this version only: a task
// of a later one is left for the worker that knows it.
const payloadVersion = 1

// payload is version 1: {"v":1,"ids":["<id>:<epoch>:<run>"]}. It holds nothing
// personal, because asynqmon shows it and asynq copies it into Redis.
type payload struct {
	Version int      `json:"v"`
	IDs     []string `json:"ids"`
}

func encodePayload(steps ...galena.Step) ([]byte, error) {
	p := payload{Version: payloadVersion}
	for _, s := range steps {
		p.IDs = append(p.IDs, fmt.Sprintf("%s:%d:%d", s.ID, s.Epoch, s.Run))
	}
	return json.Marshal(p)
}

// decodePayload returns the steps of a task of the given kind. A version that
// this worker does not know is an error of Kind Pending: another may know it.
func decodePayload(kind string, b []byte) ([]galena.Step, error) {
	var p payload
	if err := json.Unmarshal(b, &p); err != nil {
		return nil, galena.Errorf(galena.Malformed, "worker.task", "payload of %s is not JSON", kind)
	}
	if p.Version != payloadVersion {
		return nil, galena.Errorf(galena.Pending, "worker.task", "payload of %s has version %d, this worker knows %d", kind, p.Version, payloadVersion)
	}
	steps := make([]galena.Step, 0, len(p.IDs))
	for _, s := range p.IDs {
		step, err := parseStep(kind, s)
		if err != nil {
			return nil, err
		}
		steps = append(steps, step)
	}
	return steps, nil
}

func parseStep(kind, s string) (galena.Step, error) {
	parts := strings.Split(s, ":")
	n := 3
	if kind == galena.StepSLA {
		n = 4 // its id is the lead's and the clock's
	}
	if len(parts) == n {
		epoch, e1 := strconv.Atoi(parts[n-2])
		run, e2 := strconv.Atoi(parts[n-1])
		if e1 == nil && e2 == nil {
			return galena.Step{Kind: kind, ID: strings.Join(parts[:n-2], ":"), Epoch: epoch, Run: run}, nil
		}
	}
	return galena.Step{}, galena.Errorf(galena.Malformed, "worker.task", "payload of %s has an id that is not id:epoch:run", kind)
}

// A burst travels many steps to a task: a task costs Redis and both its ends
// about as much as a lead's own work. One that comes alone has a task of its own.
const (
	shareMost = 32
	shareWays = 4 // a burst is spread over so many tasks at least, for as many workers
)

// shareable are the kinds of which bursts come.
var shareable = map[string]bool{galena.StepLead: true, galena.StepDeliver: true}

// parcel sorts steps into tasks, keeping their order.
func parcel(steps []galena.Step) [][]galena.Step {
	type lane struct{ kind, queue string }
	lanes := map[lane][]galena.Step{}
	var order []lane
	var out [][]galena.Step
	for _, s := range steps {
		l := lane{s.Kind, s.Queue}
		switch {
		case !shareable[s.Kind]:
			out = append(out, []galena.Step{s})
			continue
		case lanes[l] == nil:
			order = append(order, l)
		}
		lanes[l] = append(lanes[l], s)
	}
	for _, l := range order {
		n := len(lanes[l])
		out = slices.AppendSeq(out, slices.Chunk(lanes[l], min(shareMost, (n+shareWays-1)/shareWays)))
	}
	return out
}

// batchID names a task of many steps. Nobody looks it up: the fence, not the id,
// makes repeats harmless.
func batchID(kind string) string { return kind + ":batch:" + uuid.NewString() }

// taskID is the same for the very same hand-out and for no other:
// lead:created:<id>:<epoch>:<run>, sla:due:<id>:<epoch>:<accept or touch>:<run>.
func taskID(s galena.Step) string {
	if lead, clock, ok := strings.Cut(s.ID, ":"); ok && s.Kind == galena.StepSLA {
		return fmt.Sprintf("%s:%s:%d:%s:%d", s.Kind, lead, s.Epoch, clock, s.Run)
	}
	return fmt.Sprintf("%s:%s:%d:%d", s.Kind, s.ID, s.Epoch, s.Run)
}
