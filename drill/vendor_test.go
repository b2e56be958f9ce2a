package drill

import (
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// call is one question that a vendor was asked.
type call struct {
	At     time.Time     `json:"at"`
	Who    string        `json:"who"` // the process that asks
	Domain string        `json:"domain"`
	Answer string        `json:"answer"` // the name of what it was told
	Took   time.Duration `json:"-"`      // until the vendor was done with it
	Others int           `json:"others"` // of the same process, under way at that moment
}

// answer is how a vendor treats one question.
type answer struct {
	name string
	play func(w http.ResponseWriter, r *http.Request)
}

// script says what the n-th question about a domain is answered.
type script func(n int, c call) answer

// vendor is a simulated provider: GET /<process>/v1/companies/<domain>.
type vendor struct {
	name   string
	at     string // its address
	server *http.Server
	ledger *ledger

	mu     sync.Mutex
	script script
	facts  string
	calls  []*call
	flying map[string]int // by process
}

// newVendor starts a vendor that answers everybody with the facts.
func newVendor(dir, name, facts string) (*vendor, error) {
	book, err := newLedger(dir, name+".jsonl")
	if err != nil {
		return nil, err
	}
	v := &vendor{name: name, ledger: book, facts: facts, flying: map[string]int{}}
	v.at, _ = freePort()
	v.heal()
	return v, v.back()
}

func (v *vendor) addr() string { return v.at }

// away lets nobody listen where the vendor was.
func (v *vendor) away() { _ = v.server.Close() }

// back lets the vendor listen there again.
func (v *vendor) back() error {
	l, err := net.Listen("tcp", v.at)
	if err != nil {
		return err
	}
	v.server = &http.Server{Handler: v, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = v.server.Serve(l) }()
	return nil
}

// play sets what is answered from now on.
func (v *vendor) play(s script) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.script = s
}

// always answers everybody alike.
func (v *vendor) always(a answer) { v.play(func(int, call) answer { return a }) }

func (v *vendor) heal() { v.always(v.well(5 * time.Millisecond)) }

// well is the vendor's own good answer after some time.
func (v *vendor) well(after time.Duration) answer {
	return answer{"well", func(w http.ResponseWriter, r *http.Request) {
		if pause(r, after) {
			body(w, "application/json", v.facts)
		}
	}}
}

// ServeHTTP writes the question down, then treats it as the script says.
func (v *vendor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	who, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	c := &call{At: time.Now(), Who: who, Domain: strings.TrimPrefix(rest, "v1/companies/")}
	v.mu.Lock()
	a := v.script(len(v.calls), *c)
	c.Answer, c.Others = a.name, v.flying[who]
	v.flying[who]++
	v.calls = append(v.calls, c)
	v.mu.Unlock()
	if err := v.ledger.add(c); err != nil {
		w.WriteHeader(http.StatusInsufficientStorage)
		return
	}
	defer func() {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.flying[who]--
		c.Took = time.Since(c.At)
	}()
	a.play(w, r)
}

// asked are the questions since a moment.
func (v *vendor) asked(since time.Time) []call {
	v.mu.Lock()
	defer v.mu.Unlock()
	var out []call
	for _, c := range v.calls {
		if !c.At.Before(since) {
			out = append(out, *c)
		}
	}
	slices.SortFunc(out, func(a, b call) int { return a.At.Compare(b.At) })
	return out
}

// askedBetween counts the questions of an interval.
func (v *vendor) askedBetween(from, to time.Time) int {
	n := 0
	for _, c := range v.asked(from) {
		if c.At.Before(to) {
			n++
		}
	}
	return n
}

// busiestSecond is the most questions that any window of a second held.
func busiestSecond(calls []call) int {
	most, from := 0, 0
	for to := range calls {
		for calls[to].At.Sub(calls[from].At) >= time.Second {
			from++
		}
		most = max(most, to-from+1)
	}
	return most
}

func (v *vendor) close() {
	_ = v.server.Close()
	_ = v.ledger.file.Close()
}

// pause waits, and says whether the asker is still there.
func pause(r *http.Request, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-r.Context().Done():
		return false
	}
}

func body(w http.ResponseWriter, contentType, text string) {
	w.Header().Set("Content-Type", contentType)
	_, _ = fmt.Fprint(w, text)
}
