package providertest

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/providers"
)

// patience is the time limit the slow cases are played with.
const patience = 150 * time.Millisecond

// assertNoLeak fails when an error tells the key or where it was sent.
func assertNoLeak(t *testing.T, err error) {
	t.Helper()
	for e := err; e != nil; e = errors.Unwrap(e) {
		text := fmt.Sprintf("%v %+v %#v", e, e, e)
		for _, secret := range []string{marker, "127.0.0.1", "http://", "/base/"} {
			if strings.Contains(text, secret) {
				t.Errorf("the error tells %q: %s", secret, text)
			}
		}
	}
}

// hostileAnswer is one that no contract foresees and what it must become; "" is
// a record, as poor as it may be.
type hostileAnswer struct {
	name string
	want galena.Kind
	play http.HandlerFunc
}

// hostile are the answers of a vendor of JSON.
var hostile = []hostileAnswer{
	{"BodyOverOneMegabyte", galena.Malformed, jsonOf(`{"data":"`+strings.Repeat("x", 1<<20)+`"}`, nil)},
	{"GzipBomb", galena.Malformed, bombOf("application/json", "\x00")},
	{"CutGzip", galena.Unavailable, cutGzip("application/json", `{"status":1,"data":{}}`)},
	{"NotGzip", galena.Malformed, jsonOf(`{"status":1}`, map[string]string{"Content-Encoding": "gzip"})},
	{"HTML", galena.Malformed, jsonOf("<html>"+marker, map[string]string{"Content-Type": "text/html"})},
	{"HTMLAsJSON", galena.Malformed, jsonOf("<html>"+marker, nil)},
	{"UTF16", galena.Malformed, jsonOf("{\x00}\x00\xff", nil)},
	{"HalfJSON", galena.Malformed, jsonOf(`{"status":1,"data":{"key":"`+marker, nil)},
	{"NaN", galena.Malformed, jsonOf(`{"status":1,"data":NaN}`, nil)},
	{"Null", galena.Malformed, jsonOf(`null`, nil)},
	{"List", galena.Malformed, jsonOf(`[]`, nil)},
	{"TwoValues", galena.Malformed, jsonOf(`{}{}`, nil)},
	{"DuplicateKeys", galena.Malformed, jsonOf(`{"status":1,"data":{"domain":"acme.example","domain":"`+marker+`.example"}}`, nil)},
	{"DeepJSON", galena.Malformed, jsonOf(`{"data":`+strings.Repeat("[", 10_000)+strings.Repeat("]", 10_000)+`}`, nil)},
	{"ConnectionReset", galena.Unavailable, hijack("")},
	{"HalfBody", galena.Unavailable, hijack("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 400\r\n\r\n{\"data\":")},
	{"SwitchingProtocols", galena.Malformed, hijack("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n")},
	{"HugeHeader", galena.Unavailable, hijack("HTTP/1.1 200 OK\r\nX-Big: " + strings.Repeat("x", 128<<10) + "\r\n\r\n{}")},
}

// runHostile plays what no vendor should send.
func runHostile(t *testing.T, spec providers.Spec, in tongue) {
	t.Helper()
	for _, h := range in.hostile {
		t.Run("Hostile"+h.name, func(t *testing.T) { t.Parallel(); endure(t, spec, h.play, h.want) })
		if steps := stepsOf(t, spec); len(steps) > 0 {
			t.Run("LaterHostile"+h.name, func(t *testing.T) { t.Parallel(); endure(t, spec, after(steps, h.play), h.want) })
		}
	}
	t.Run("RedirectIsNotFollowed", func(t *testing.T) { t.Parallel(); redirect(t, spec, in.sent) })
	t.Run("SilenceEndsInTime", func(t *testing.T) { t.Parallel(); silence(t, spec, "") })
	t.Run("DripEndsInTime", func(t *testing.T) { t.Parallel(); silence(t, spec, " ") })
	t.Run("CancelIsOurs", func(t *testing.T) { t.Parallel(); cancelled(t, spec) })
	t.Run("KeyIsNeverTold", func(t *testing.T) { t.Parallel(); echo(t, spec, in.echo) })
}

// endure asks once and wants a kind, or a record where the kind is empty.
func endure(t *testing.T, spec providers.Spec, answer http.HandlerFunc, want galena.Kind) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	err := enrich(ctx, subject(t, spec, answer))
	if want != "" {
		checkFailure(t, err, want)
	} else if err != nil {
		t.Errorf("got %v, want a record", err)
	}
}

// jsonOf answers 200 with a body, as JSON unless the headers say otherwise.
func jsonOf(body string, header map[string]string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for k, v := range header {
			w.Header().Set(k, v)
		}
		_, _ = io.WriteString(w, body)
	}
}

// bombOf unpacks to 256 MB of one letter: one packed megabyte, sent 256 times, so
// that it costs the sender nothing.
func bombOf(contentType, letter string) http.HandlerFunc {
	var member bytes.Buffer
	z := gzip.NewWriter(&member)
	_, _ = io.WriteString(z, strings.Repeat(letter, 1<<20))
	_ = z.Close()
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Content-Encoding", "gzip")
		for range 256 {
			if _, err := w.Write(member.Bytes()); err != nil {
				return
			}
		}
	}
}

// cutGzip ends in the middle of the stream.
func cutGzip(contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = io.WriteString(z, body)
		_ = z.Close()
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(b.Bytes()[:b.Len()-10])
	}
}

// hijack writes raw bytes and hangs up, but for a 101, which it keeps open.
func hijack(raw string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer conn.Close()
		_, _ = io.WriteString(conn, raw)
		if strings.Contains(raw, " 101 ") {
			_, _ = io.Copy(io.Discard, conn) // until the client hangs up
		}
	}
}

// redirect sends the client elsewhere: it must not go, and the key must not.
func redirect(t *testing.T, spec providers.Spec, want galena.Kind) {
	t.Helper()
	var visits atomic.Int32
	canary := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { visits.Add(1) }))
	defer canary.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		p := subject(t, spec, http.RedirectHandler(canary.URL+"/?k="+marker, status))
		checkFailure(t, enrich(t.Context(), p), want)
	}
	if n := visits.Load(); n != 0 {
		t.Errorf("%d redirects followed, want none", n)
	}
}

// silence answers nothing, or one byte now and then, for longer than allowed.
func silence(t *testing.T, spec providers.Spec, drip string) {
	t.Helper()
	p := subject(t, spec, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // or the server would not see the client leave
		if drip != "" {
			wanted, _, _ := strings.Cut(r.Header.Get("Accept"), ",")
			w.Header().Set("Content-Type", wanted)
		}
		for {
			select {
			case <-r.Context().Done():
				return
			case <-time.After(patience / 5):
			}
			if drip != "" {
				_, _ = io.WriteString(w, drip)
				_ = http.NewResponseController(w).Flush()
			}
		}
	}))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	start := time.Now()
	err := enrich(ctx, p)
	if took := time.Since(start); took > patience+500*time.Millisecond {
		t.Errorf("ended after %v, want %v", took, patience)
	}
	checkFailure(t, err, galena.Unavailable)
	if e, ok := errors.AsType[*galena.Error](err); !ok || e.Cause != "timeout" {
		t.Errorf("got %#v, want the cause timeout", err)
	}
}

// cancelled ends a call ourselves: the error says so, and nobody else is blamed.
func cancelled(t *testing.T, spec providers.Spec) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	p := subject(t, spec, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		cancel()
		<-r.Context().Done()
	}))
	err := enrich(ctx, p)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context canceled", err)
	}
	assertNoLeak(t, err)
}

// echo answers every status with the key in its headers and body.
func echo(t *testing.T, spec providers.Spec, say func(said, url string) (typ, body string)) {
	t.Helper()
	for _, status := range []int{200, 201, 202, 204, 206, 300, 304, 400, 401, 402, 403, 404, 405, 409, 410, 415, 418, 422, 425, 429, 451, 500, 501, 502, 503, 504, 599} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			t.Parallel()
			p := subject(t, spec, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				typ, body := say(marker, r.URL.String())
				w.Header().Set("Content-Type", typ)
				w.Header().Set("Retry-After", marker)
				w.Header().Set("X-Echo", marker)
				w.WriteHeader(status)
				_, _ = io.WriteString(w, body)
			}))
			err := enrich(t.Context(), p)
			if err != nil {
				assertNoLeak(t, err)
			} else if status != http.StatusOK {
				t.Errorf("status %d became a record", status)
			}
		})
	}
}

func echoJSON(said, url string) (typ, body string) {
	return "application/json", fmt.Sprintf(`{"status":-1,"message":%q,"errors":[{"details":%q}],"error":{"type":%q}}`, said, url, said)
}
