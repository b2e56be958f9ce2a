package redis

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// TopicWork is what a herald tells when something was put on a queue.
func TopicWork(queue string) string { return "work " + queue }

// idleMost is how long a queue that was found empty is taken to be so: what comes
// without word, or whose word is lost, waits no longer.
const idleMost = 50 * time.Millisecond

// Idle hands out the client to one server of the queue library that takes from
// these queues. The library looks, sleeps and looks again: whoever shall not wait
// makes it look a hundred times a second, and still waits half of that. Here a
// queue that was found empty is not asked again until somebody says that there is
// work in it, and when all are empty the look waits for such a word, so the server
// may sleep next to nothing, and looks less often than before.
//
//	look: leads? deliveries? bulk? ──all empty──► wait for word, 50 ms at most ──► look
func (c *Client) Idle(queues []string, h *Herald) Conn {
	i := &idler{unclosable: unclosable{c.rdb}}
	for _, q := range queues {
		word, _ := h.Listen(TopicWork(q)) // as long as there is a herald
		i.queues = append(i.queues, &look{queue: q, word: word})
	}
	return Conn{i}
}

// idler answers for queues that are known to be empty, and waits when all are. One
// goroutine of a server looks.
type idler struct {
	unclosable
	queues []*look
}

// look is what is known of a queue.
type look struct {
	queue string
	word  <-chan struct{}
	empty time.Time // since when it was found empty, zero = it may hold something
}

// EvalSha runs a script, unless it takes from a queue that is empty, and waits
// after a look that leaves none that may hold something.
func (i *idler) EvalSha(ctx context.Context, sha1 string, keys []string, params ...any) *goredis.Cmd {
	queue := taken(keys)
	n := slices.IndexFunc(i.queues, func(l *look) bool { return l.queue == queue })
	if n < 0 {
		return i.unclosable.EvalSha(ctx, sha1, keys, params...)
	}
	l := i.queues[n]
	select {
	case <-l.word:
		l.empty = time.Time{}
	default:
	}
	began := time.Now()
	var cmd *goredis.Cmd
	if began.Sub(l.empty) < idleMost {
		cmd = goredis.NewCmd(ctx)
		cmd.SetErr(goredis.Nil)
	} else {
		cmd = i.unclosable.EvalSha(ctx, sha1, keys, params...)
		l.empty = time.Time{}
	}
	if errors.Is(cmd.Err(), goredis.Nil) {
		if l.empty.IsZero() {
			l.empty = began
		}
		i.rest(ctx)
	}
	return cmd
}

// rest waits, if all queues are empty, for word of work in one of them, or until
// the first may hold something that nobody told of: then all are asked together.
func (i *idler) rest(ctx context.Context) {
	oldest := time.Now()
	cases := make([]reflect.SelectCase, len(i.queues), len(i.queues)+2)
	for n, l := range i.queues {
		if l.empty.IsZero() {
			return
		}
		if l.empty.Before(oldest) {
			oldest = l.empty
		}
		cases[n] = reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(l.word)}
	}
	timer := time.NewTimer(time.Until(oldest.Add(idleMost)))
	defer timer.Stop()
	cases = append(cases, reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(ctx.Done())},
		reflect.SelectCase{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(timer.C)})
	if n, _, _ := reflect.Select(cases); n < len(i.queues) {
		i.queues[n].empty = time.Time{}
		return
	}
	for _, l := range i.queues {
		l.empty = time.Time{}
	}
}

// taken names the queue that a script takes a task off, by what it touches, empty
// where it does something else. Should the library touch other keys one day, every
// look goes to the server.
func taken(keys []string) string {
	if len(keys) < 2 || !strings.HasSuffix(keys[1], ":paused") {
		return ""
	}
	name, pending := strings.CutSuffix(keys[0], "}:pending")
	_, queue, found := strings.Cut(name, ":{")
	if !pending || !found {
		return ""
	}
	return queue
}
