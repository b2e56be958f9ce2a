package notify

import (
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/galenahq/galena"
)

type refusing struct{}

func (refusing) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, &net.OpError{Op: "dial", Err: &galena.Error{Kind: galena.Invalid, Op: "dial", Cause: galena.CauseForbiddenTarget, Err: errors.New("guard")}}
}

// What our own guard did not let out reached nobody, and says who can let it.
func TestAnAddressThatOurGuardRefusesIsSaidToBeThat(t *testing.T) {
	t.Parallel()
	w, err := New([]Endpoint{{ID: Default, URL: "https://hooks.internal/in", Secret: secret}}, Deps{Client: &http.Client{Transport: refusing{}},
		Registerer: prometheus.NewRegistry(), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	err = w.Send(t.Context(), delivery())
	if galena.CauseOf(err) != galena.CauseForbiddenTarget || galena.KindOf(err) != galena.Unavailable || !strings.Contains(err.Error(), "GALENA_ALLOW_PRIVATE_TARGETS") {
		t.Errorf("%q of kind %s and cause %s, want it said that our guard refused", err, galena.KindOf(err), galena.CauseOf(err))
	}
}

// A process beside this one may know an endpoint that this one has not read yet.
func TestAnEndpointThatIsNotKnownHereMayBeKnownSoon(t *testing.T) {
	t.Parallel()
	w, _ := hooks(t, "http://127.0.0.1:1")
	d := delivery()
	d.Target, d.At = "new-one", time.Now()
	if err := w.Send(t.Context(), d); galena.KindOf(err) != galena.Unavailable {
		t.Errorf("%q is of kind %s, want it tried again", err, galena.KindOf(err))
	}
}

// Who hands leads in by their e-mail as id gave it away to nobody by that.
func TestWithoutPersonalDataAnIDThatIsTheEmailIsNotTold(t *testing.T) {
	t.Parallel()
	l, c, d := routedExample()
	l.ExternalID = l.Email
	got, err := Routed(l, c, d, false)
	if err != nil || strings.Contains(string(got), l.Email) {
		t.Errorf("%.80s %v, want the e-mail left out", got, err)
	}
}
