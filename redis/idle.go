package redis

import (
	"context"
	"errors"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// TopicWork is what a herald tells when something was put on the queue.
const TopicWork = "work"

// idleMost is how long a server that found nothing waits for word that there is
// something: what comes without word, or whose word is lost, waits no longer.
const idleMost = 50 * time.Millisecond

// Idle hands out the client to one server of the queue library that takes from so
// many queues. The library looks, sleeps and looks again: whoever shall not wait
// makes it look a hundred times a second, and still waits half of that. Here a look
// that found nothing in any queue comes back when somebody says that there is work,
// so the server may sleep next to nothing, and looks less often than before.
//
//	look: leads? bulk? deliveries? ──nothing──► wait for word, 50 ms at most ──► look
func (c *Client) Idle(queues int, h *Herald) Conn {
	word, _ := h.Listen(TopicWork) // as long as there is a herald
	return Conn{&idler{unclosable: unclosable{c.rdb}, queues: queues, word: word}}
}

// idler waits at the end of a round without work. One goroutine of a server looks.
type idler struct {
	unclosable
	queues int
	empty  int // of this round
	word   <-chan struct{}
}

// EvalSha runs a script, and waits after the last look of a round that found nothing.
func (i *idler) EvalSha(ctx context.Context, sha1 string, keys []string, params ...any) *goredis.Cmd {
	if !takes(keys) {
		return i.unclosable.EvalSha(ctx, sha1, keys, params...)
	}
	if i.empty == 0 {
		select {
		case <-i.word: // said before: this round finds it
		default:
		}
	}
	cmd := i.unclosable.EvalSha(ctx, sha1, keys, params...)
	if i.empty++; !errors.Is(cmd.Err(), goredis.Nil) {
		i.empty = 0
	}
	if i.empty < i.queues {
		return cmd
	}
	i.empty = 0
	rest := time.NewTimer(idleMost)
	defer rest.Stop()
	select {
	case <-ctx.Done():
	case <-i.word:
	case <-rest.C:
	}
	return cmd
}

// takes says that a script takes a task off a queue, by what it touches. Should the
// library touch something else one day, it sleeps as long as it is told to.
func takes(keys []string) bool {
	return len(keys) > 1 && strings.HasSuffix(keys[0], ":pending") && strings.HasSuffix(keys[1], ":paused")
}
