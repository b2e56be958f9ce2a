package drill

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// told is one event that reached the sink, and how the sink answered.
type told struct {
	At     time.Time `json:"at"`
	Key    string    `json:"key"` // webhook-id
	Type   string    `json:"type"`
	Lead   string    `json:"lead_id"`
	Caller string    `json:"id"` // the generator's own reference
	Tier   string    `json:"tier"`
	Status int       `json:"status"`
	Forged bool      `json:"forged"` // an independent library did not accept the signature
}

// sink receives webhooks.
type sink struct {
	server *http.Server
	addr   string
	ledger *ledger

	mu     sync.Mutex
	answer func(told) int       // the status
	delay  func() time.Duration // before it; negative = for ever
	manner http.HandlerFunc     // answers instead, nil = as above
	got    []told
}

const sinkSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

func newSink(dir, name string) (*sink, error) {
	verifier, err := standardwebhooks.NewWebhook(sinkSecret)
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	book, err := newLedger(dir, name+".jsonl")
	if err != nil {
		return nil, err
	}
	s := &sink{addr: l.Addr().String(), ledger: book}
	s.heal()
	s.server = &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		e := told{At: time.Now(), Key: r.Header.Get("webhook-id")}
		_ = json.Unmarshal(raw, &e) // what is no event has no type
		e.Forged = verifier.Verify(raw, r.Header) != nil
		s.mu.Lock()
		e.Status = s.answer(e)
		wait, manner := s.delay(), s.manner
		if manner != nil {
			e.Status = 0
		}
		s.got = append(s.got, e)
		s.mu.Unlock()
		if s.ledger.add(e) != nil {
			e.Status = http.StatusInsufficientStorage
		}
		if manner != nil {
			manner(w, r)
			return
		}
		if wait < 0 {
			<-r.Context().Done()
		}
		time.Sleep(wait)
		w.WriteHeader(e.Status)
	})}
	go func() { _ = s.server.Serve(l) }()
	return s, nil
}

// play sets the status that events are answered with.
func (s *sink) play(answer func(told) int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = answer
}

// hesitate sets how long the sink takes to answer what it has written down.
func (s *sink) hesitate(delay func() time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.delay = delay
}

// behave lets the sink answer in a manner that is more than a status. What is
// answered so does not count as taken.
func (s *sink) behave(manner http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.manner = manner
}

func (s *sink) heal() {
	s.behave(nil)
	s.play(func(told) int { return http.StatusNoContent })
	s.hesitate(func() time.Duration { return 0 })
}

func (s *sink) events() []told {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.got)
}

func (s *sink) close() {
	_ = s.server.Close()
	_ = s.ledger.file.Close()
}
