package redis

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	goredis "github.com/redis/go-redis/v9"
)

const (
	heraldChannel = "galena:herald"
	heraldMost    = 4096 // topics that wait to be sent: beyond that a word is dropped
	heraldRest    = time.Second
	// aloneFor is how long a process that was the only one to hear its own words
	// keeps them to itself. Who joins meanwhile misses what he would have missed had
	// he come a moment later.
	aloneFor = 200 * time.Millisecond
)

// Herald carries word that something has happened to whoever waits for it, in
// this process and in the others. It is a hint: a word may be lost, when Redis is
// away or a connection breaks, so whoever listens looks for himself now and then.
// It saves them the waiting between two looks: a company whom leads in two
// processes wait for costs them nothing beyond its vendor.
//
// Words are sent by one goroutine: what comes while it sends goes with the next
// message, so that a burst of answers is not a burst of messages. A process that
// is alone, as a small one is, sends a few a second and sees whether it still is:
// Redis says how many got each, and that one of them was the process itself it
// hears.
type Herald struct {
	client *Client
	name   string // of this process, before what it says
	follow func(topic string)

	mu       sync.Mutex
	waiting  map[string][]chan struct{}
	outgoing []string
	wake     chan struct{}
	sent     int       // messages
	alone    int       // the last of them that nobody but one got
	heard    int       // the last of them that came back
	until    time.Time // nothing is sent
}

// NewHerald makes the herald of a process; Run connects it with the others.
func NewHerald(c *Client) *Herald {
	return &Herald{client: c, name: uuid.NewString(), follow: func(string) {}, waiting: map[string][]chan struct{}{}, wake: make(chan struct{}, 1)}
}

// Follow lets a part of this process hear every word of the others, besides those
// who listen for one. Call it before Run.
func (h *Herald) Follow(hear func(topic string)) { h.follow = hear }

// Tell says that the topic has happened. It never blocks. A topic is one line.
func (h *Herald) Tell(topic string) {
	h.mu.Lock()
	h.tell(topic)
	send := !h.client.Embedded() && len(h.outgoing) < heraldMost && !time.Now().Before(h.until)
	if send {
		h.outgoing = append(h.outgoing, topic)
	}
	h.mu.Unlock()
	if !send {
		return
	}
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// tell wakes those of this process.
func (h *Herald) tell(topic string) {
	for _, c := range h.waiting[topic] {
		select {
		case c <- struct{}{}:
		default: // it knows already
		}
	}
}

// Listen says when the topic has happened, until stop is called. What happened
// before is not told: listen first, then look.
func (h *Herald) Listen(topic string) (heard <-chan struct{}, stop func()) {
	mine := make(chan struct{}, 1)
	h.mu.Lock()
	h.waiting[topic] = append(h.waiting[topic], mine)
	h.mu.Unlock()
	return mine, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		left := h.waiting[topic][:0:0]
		for _, c := range h.waiting[topic] {
			if c != mine {
				left = append(left, c)
			}
		}
		if h.waiting[topic] = left; len(left) == 0 {
			delete(h.waiting, topic)
		}
	}
}

// Run sends and receives until the context ends. An embedded server has nobody
// else to talk to.
func (h *Herald) Run(ctx context.Context) error {
	if h.client.Embedded() {
		return nil
	}
	sub := h.client.rdb.Subscribe(ctx, heraldChannel)
	var listening sync.WaitGroup
	listening.Go(func() { h.receive(sub.Channel(goredis.WithChannelSize(1024))) })
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-h.wake:
			h.send(ctx)
		}
	}
	_ = sub.Close() // ends receive
	listening.Wait()
	return nil
}

// receive passes on what other processes say.
func (h *Herald) receive(messages <-chan *goredis.Message) {
	for m := range messages {
		head, words, _ := strings.Cut(m.Payload, "\n")
		name, number, _ := strings.Cut(head, " ")
		if name == h.name { // those who are here were told at once
			n, _ := strconv.Atoi(number)
			h.count(&h.heard, n)
			continue
		}
		for topic := range strings.SplitSeq(words, "\n") {
			h.follow(topic) // first: whoever is woken shall not find what is out of date
			h.mu.Lock()
			h.tell(topic)
			h.mu.Unlock()
		}
	}
}

// send tells the others what happened since it last did. When Redis is away the
// words are dropped, and so are those of the next second.
func (h *Herald) send(ctx context.Context) {
	h.mu.Lock()
	words := h.outgoing
	h.outgoing = nil
	if len(words) > 0 {
		h.sent++
	}
	number := h.sent
	h.mu.Unlock()
	if len(words) == 0 {
		return
	}
	got, err := h.client.rdb.Publish(ctx, heraldChannel, h.name+" "+strconv.Itoa(number)+"\n"+strings.Join(words, "\n")).Result()
	if err == nil {
		if got == 1 && h.client.single() {
			h.count(&h.alone, number)
		}
		return
	}
	select {
	case <-ctx.Done():
	case <-time.After(heraldRest):
	}
	h.mu.Lock()
	h.outgoing = nil
	h.mu.Unlock()
}

// count notes that a message came back, or that only one got it: where both are
// true of the last one nobody else is there.
func (h *Herald) count(which *int, number int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if *which = number; h.alone == h.sent && h.heard == h.sent {
		h.until = time.Now().Add(aloneFor)
	}
}
