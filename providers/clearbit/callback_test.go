package clearbit

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"

	"github.com/galenahq/galena/providers"
	"github.com/galenahq/galena/providers/providertest"
)

func TestCallbacks(t *testing.T) { providertest.RunCallbacks(t, Spec, sign) }

// sign proves a body as the vendor does, with the key without its prefix.
func sign(key string, body []byte) http.Header {
	mac := hmac.New(sha1.New, []byte(strings.TrimPrefix(key, "sk_")))
	mac.Write(body)
	return http.Header{"X-Request-Signature": {"sha1=" + hex.EncodeToString(mac.Sum(nil))}}
}

// The figure is of RFC 2202, test case 2: not one that our own code has made.
func TestTheSignatureIsHMACSHA1(t *testing.T) {
	t.Parallel()
	h := http.Header{"X-Request-Signature": {"sha1=effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"}}
	for _, key := range []string{"Jefe", "sk_Jefe", "pk_Jefe"} {
		a := adapter{providers.Settings{Key: key}}
		if _, err := a.Ticket(h, []byte("what do ya want for nothing?")); err == nil || !strings.Contains(err.Error(), "invalid") {
			t.Errorf("%s: %v, want the signature accepted and the body refused", key, err)
		}
	}
	if _, err := (adapter{providers.Settings{Key: ""}}).Ticket(sign("", nil), nil); err == nil || !strings.Contains(err.Error(), "unauthorized") {
		t.Errorf("without a key: %v, want nobody to be believed", err)
	}
}
