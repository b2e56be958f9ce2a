package providertest

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/providers"
)

const (
	// ticketMark stands in a recorded callback for the ticket of the call that it answers.
	ticketMark = "{{ticket}}"
	someTicket = "6f1c0a52-7d1e-4a53-9d5f-0c7c1f2f9b11"
	// calledFor is the company that recorded callbacks are about.
	calledFor = "talentgarden.org"
)

// RunCallbacks plays the callbacks of a vendor that answers later: the bodies in
// testdata/callbacks, named as recordings are. sign makes the headers by which the
// vendor proves a body with our key.
func RunCallbacks(t *testing.T, spec providers.Spec, sign func(key string, body []byte) http.Header) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(testdata(spec), "callbacks", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	files = slices.DeleteFunc(files, func(f string) bool { return strings.HasSuffix(f, ".golden.json") })
	seen := map[string]bool{}
	for _, file := range files {
		kind, _ := caseOf(strings.TrimSuffix(file, ".json") + ".http")
		seen[kind] = true
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			t.Parallel()
			playCallback(t, spec, file, kind, sign)
		})
	}
	for _, kind := range []string{found, string(galena.NotFound), string(galena.Malformed), string(galena.WrongSubject)} {
		if !seen[kind] {
			t.Errorf("no callback of %s: save one as %s/callbacks/%s.json", kind, testdata(spec), kind)
		}
	}
	t.Run("TheTicketIsTold", func(t *testing.T) { t.Parallel(); ticketTold(t, spec) })
}

// playCallback hears a recorded callback, and refuses it in every other form.
func playCallback(t *testing.T, spec providers.Spec, file, want string, sign func(string, []byte) http.Header) {
	t.Helper()
	body, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	body = bytes.ReplaceAll(body, []byte(ticketMark), []byte(someTicket))
	p, ok := subject(t, spec, http.NotFoundHandler()).Provider.(providers.Asynchronous)
	if !ok {
		t.Fatal("it cannot be called back")
	}
	if got, err := p.Ticket(sign(marker, body), body); err != nil || got != someTicket {
		t.Fatalf("ticket %q, %v", got, err)
	}
	changed := bytes.Clone(body)
	changed[len(changed)/2] ^= 1
	for forgery, err := range map[string]error{
		"a changed byte": second(p.Ticket(sign(marker, body), changed)),
		"another key":    second(p.Ticket(sign("sk_another", body), body)),
		"no key":         second(p.Ticket(sign("", body), body)),
		"no signature":   second(p.Ticket(http.Header{}, body)),
		"half of it":     second(p.Ticket(halved(sign(marker, body)), body)),
	} {
		t.Run(forgery, func(t *testing.T) { checkFailure(t, err, galena.Unauthorized) })
	}
	record, err := p.Hear(providers.Query{Domain: calledFor}, body)
	if want == found {
		if err != nil {
			t.Fatalf("got %v, want a record", err)
		}
		checkGolden(t, spec, strings.TrimSuffix(file, ".json")+".golden.json", record)
		return
	}
	checkFailure(t, err, galena.Kind(want))
}

func second(_ string, err error) error { return err }

func halved(h http.Header) http.Header {
	out := http.Header{}
	for name, values := range h {
		out.Set(name, values[0][:len(values[0])/2])
	}
	return out
}

// ticketTold wants the vendor to be given what it calls back with, and nothing
// where it is not to call.
func ticketTold(t *testing.T, spec providers.Spec) {
	t.Helper()
	for _, ticket := range []string{someTicket, ""} {
		var asked string
		p := subject(t, spec, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked = r.URL.String()
			w.WriteHeader(http.StatusAccepted)
		}))
		q := question(spec)
		q.Ticket = ticket
		_, err := p.Enrich(t.Context(), q)
		checkFailure(t, err, galena.Pending)
		if strings.Contains(asked, someTicket) != (ticket != "") {
			t.Errorf("asked %s with the ticket %q", asked, ticket)
		}
	}
}
