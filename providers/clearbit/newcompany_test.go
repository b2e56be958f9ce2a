package clearbit

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"testing"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/providers"
)

// forgetful is a memory that grants every claim and keeps nothing.
type forgetful struct{ providers.Waiting }

func (forgetful) Answer(context.Context, string, string) (galena.Answer, bool, galena.CallClaim, error) {
	return galena.Answer{}, false, galena.CallClaim{}, nil
}

func (forgetful) ClaimCall(context.Context, galena.CallClaim, galena.CallClaim) (galena.Grant, error) {
	return galena.Grant{Granted: true}, nil
}

func (forgetful) SettleCall(context.Context, galena.Settlement) error { return nil }

// BenchmarkNewCompany asks Clearbit about a company that nobody asked for before,
// on a real connection: what a call costs this process beside the store and the
// limiter. The answer is a recorded one; to read and to send it back allocates nothing.
func BenchmarkNewCompany(b *testing.B) {
	recorded, err := os.ReadFile("testdata/found.http")
	if err != nil {
		b.Fatal(err)
	}
	client, err := providers.NewClient([]string{"loopback"})
	if err != nil {
		b.Fatal(err)
	}
	head, body, _ := bytes.Cut(recorded, []byte("\n\n"))
	answer := append(bytes.ReplaceAll(head, []byte("\n"), []byte("\r\n")), fmt.Sprintf("\r\nContent-Length: %d\r\n\r\n%s", len(body), body)...)
	w, err := providers.New(
		providers.Config{Providers: []providers.Entry{{ID: "clearbit", Rate: &providers.Rate{PerSecond: 1e6, Burst: 1e6}}}},
		providers.Deps{Specs: []providers.Spec{Spec}, Cache: forgetful{}, Keys: func(string) string { return "key" },
			URLs: func(string) string { return "http://" + recording(b, answer) }, Client: client})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(w.Close)
	b.ReportAllocs()
	for b.Loop() {
		if _, call, err := w.AskFresh(b.Context(), "clearbit", "talentgarden.org", nil); err != nil || len(call.Added) < 10 {
			b.Fatal(call, err)
		}
	}
}

// recording is a vendor that answers every question on a connection the same.
func recording(b *testing.B, answer []byte) (address string) {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				for in := bufio.NewReader(c); ; {
					line, err := in.ReadSlice('\n')
					if err != nil {
						return
					}
					if len(line) > 2 { // the question ends with an empty line
						continue
					}
					if _, err := c.Write(answer); err != nil {
						return
					}
				}
			}()
		}
	}()
	return l.Addr().String()
}
