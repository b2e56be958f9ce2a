package crm

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/galenahq/galena"
)

// A name may lead into our own network for a while. That says nothing of any value, and
// what was decided meanwhile is written once it leads elsewhere, or is let through.
func TestACRMThatOurGuardKeepsInIsTriedAgain(t *testing.T) {
	t.Parallel()
	guard := &galena.Error{Kind: galena.Invalid, Op: "dial", Cause: galena.CauseForbiddenTarget, Err: errors.New("private")}
	err := ExchangeError("one.find", &url.Error{Op: "Get", URL: "https://crm.example/key", Err: guard})
	if Wait(err, time.Minute, 0.5) < 0 || verdictOn(err) != faulty || outage(err) == nil {
		t.Errorf("%v of kind %s is taken for a word of the CRM", err, galena.KindOf(err))
	}
	if !strings.Contains(err.Error(), "GALENA_ALLOW_PRIVATE_TARGETS") || strings.Contains(err.Error(), "key") {
		t.Errorf("it says %q", err)
	}
}
