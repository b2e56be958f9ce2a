package main

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"testing"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/redis"
)

// redisThatSays answers INFO with a text and everything else with an error.
func redisThatSays(t *testing.T, info string) (url string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go answerInfo(c, info)
		}
	}()
	return "redis://" + l.Addr().String()
}

func answerInfo(c net.Conn, info string) {
	defer c.Close()
	var words, bytes int
	for in := bufio.NewReader(c); ; {
		if _, err := fmt.Fscanf(in, "*%d\r\n", &words); err != nil {
			return
		}
		command := make([]string, words)
		for i := range command {
			if _, err := fmt.Fscanf(in, "$%d\r\n%s\r\n", &bytes, &command[i]); err != nil {
				return
			}
		}
		answer := "-ERR unknown command\r\n"
		if strings.EqualFold(command[0], "info") {
			answer = fmt.Sprintf("$%d\r\n%s\r\n", len(info), info)
		}
		if _, err := c.Write([]byte(answer)); err != nil {
			return
		}
	}
}

func TestAWorkerLooksAtItsRedisBeforeItStarts(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, info string
		fits       bool
		tells      string
	}{
		{"a good one", "redis_version:7.2.4\r\nmaxmemory_policy:noeviction\r\nrole:master\r\n", true, ""},
		{"one that throws tasks away", "redis_version:7.2.4\r\nmaxmemory_policy:volatile-ttl\r\n", true, "evicts keys when it is full (volatile-ttl)"},
		{"a replica", "redis_version:7.2.4\r\nrole:slave\r\n", true, "takes no writes"},
		{"one that is too old", "redis_version:6.0.16\r\n", false, "6.0.16"},
		{"one that hides its version", "role:master\r\n", true, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var said strings.Builder
			log := slog.New(slog.NewTextHandler(&said, &slog.HandlerOptions{Level: slog.LevelError}))
			client, err := redis.Open(redisThatSays(t, tc.info), 1, log)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = client.Close() })
			a := &App{settings: settings{log: log}, redis: client}
			err = a.queueFits(context.Background())
			if (err == nil) != tc.fits || err != nil && galena.KindOf(err) != galena.Invalid {
				t.Errorf("fits: %v, want %v", err, tc.fits)
			}
			if !strings.Contains(said.String(), tc.tells) || tc.tells == "" && tc.fits && strings.Contains(tc.info, "redis_version") && said.Len() > 0 {
				t.Errorf("said %q, want %q", said.String(), tc.tells)
			}
		})
	}
}
