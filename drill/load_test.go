package drill

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// sent is one lead that the generator posted.
type sent struct {
	At  time.Time `json:"at"`
	Key string    `json:"key"`
}

// acked is one lead for which the gate answered 2xx.
type acked struct {
	At   time.Time `json:"at"`   // the answer
	From time.Time `json:"from"` // the post that was answered
	Key  string    `json:"key"`
	Lead string    `json:"lead"`
}

// What stands for the status where there is none.
const (
	nobodyThere = 0  // nobody listens
	noAnswer    = -1 // the exchange had begun: what became of the lead is not known
)

// generator posts leads at a rate whatever becomes of them: an open loop. A post
// that is not accepted is sent again with the same key, as a careful form does.
type generator struct {
	base, token string
	client      *http.Client
	sentBook    *ledger
	ackedBook   *ledger

	mu      sync.Mutex
	sent    []sent
	acked   []acked
	refused map[int]int   // answers that were no 2xx
	bare    int           // a 429 or 503 without Retry-After
	slowest time.Duration // refusal
}

func newGenerator(dir, base, token string) (*generator, error) {
	one, err := newLedger(dir, "sent.jsonl")
	if err != nil {
		return nil, err
	}
	two, err := newLedger(dir, "acked.jsonl")
	return &generator{base: base, token: token, sentBook: one, ackedBook: two, refused: map[int]int{},
		client: &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 200}}}, err
}

// load is a stream of leads that goes on until it is stopped.
type load struct {
	stop chan struct{}
	done chan struct{}
}

// run posts leads at the rate, with domains made of the tag.
func (g *generator) run(tag string, perSecond float64) *load {
	return g.stream(perSecond, func(i int) (key, domain string) {
		key = fmt.Sprintf("%s-%d", tag, i)
		return key, key + ".example"
	})
}

// stream posts leads that the caller names.
func (g *generator) stream(perSecond float64, name func(i int) (key, domain string)) *load {
	l := &load{stop: make(chan struct{}), done: make(chan struct{})}
	go func() {
		defer close(l.done)
		var posts sync.WaitGroup
		defer posts.Wait()
		began := time.Now()
		for i := 0; ; i++ {
			next := began.Add(time.Duration(float64(i) / perSecond * float64(time.Second)))
			select {
			case <-l.stop:
				return
			case <-time.After(time.Until(next)):
			}
			key, domain := name(i)
			posts.Go(func() { g.post(key, domain, l.stop) })
		}
	}()
	return l
}

// end stops posting and waits for the answers.
func (l *load) end() {
	close(l.stop)
	<-l.done
}

// insistence is how long an unanswered lead is sent again after the load ended.
const insistence = 30 * time.Second

func (g *generator) post(key, domain string, stopped <-chan struct{}) {
	s := sent{At: time.Now(), Key: key}
	g.mu.Lock()
	g.sent = append(g.sent, s)
	g.mu.Unlock()
	if g.sentBook.add(s) != nil {
		return
	}
	var until time.Time
	for {
		wait, ok := g.try(key, domain)
		if ok {
			return
		}
		select {
		case <-stopped:
			if until.IsZero() {
				until = time.Now().Add(insistence)
			}
		default:
		}
		if !until.IsZero() && time.Now().After(until) {
			return
		}
		time.Sleep(wait)
	}
}

// try posts once. It says how long to wait before the next try.
func (g *generator) try(key, domain string) (wait time.Duration, ok bool) {
	form := fmt.Sprintf(`{"id":%[1]q,"email":"%[1]s@%[2]s","job_title":"VP Operations","form":"demo"}`, key, domain)
	req, err := http.NewRequest(http.MethodPost, g.base+"/v1/leads", strings.NewReader(form))
	if err != nil {
		return time.Second, false
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+g.token)
	req.Header.Set("Idempotency-Key", key)
	from := time.Now()
	res, err := g.client.Do(req)
	took := time.Since(from)
	if err != nil {
		if errors.Is(err, syscall.ECONNREFUSED) {
			g.refuse(nobodyThere, took, true)
		} else {
			g.refuse(noAnswer, took, true)
		}
		return 250 * time.Millisecond, false
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode/100 != 2 {
		hint := res.Header.Get("Retry-After")
		g.refuse(res.StatusCode, took, hint != "" || res.StatusCode != http.StatusServiceUnavailable && res.StatusCode != http.StatusTooManyRequests)
		n, _ := strconv.Atoi(hint)
		return time.Duration(max(1, min(n, 3))) * time.Second, false
	}
	var receipt struct {
		ID string `json:"id"`
	}
	_ = json.Unmarshal(answer, &receipt) // a receipt without an id is a lead that nobody will find
	a := acked{At: time.Now(), From: from, Key: key, Lead: receipt.ID}
	g.mu.Lock()
	g.acked = append(g.acked, a)
	g.mu.Unlock()
	return 0, g.ackedBook.add(a) == nil
}

func (g *generator) refuse(status int, took time.Duration, hinted bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.refused[status]++
	if !hinted {
		g.bare++
	}
	if status > 0 {
		g.slowest = max(g.slowest, took)
	}
}

// books are what was sent and acked so far.
func (g *generator) books() ([]sent, []acked) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]sent(nil), g.sent...), append([]acked(nil), g.acked...)
}

// refusals are the posts that were not accepted, by status.
func (g *generator) refusals() map[int]int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return maps.Clone(g.refused)
}
