package clearbit

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // the vendor's contract; an HMAC does not rest on collisions
	"encoding/hex"
	"net/http"
	"strings"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/providers"
)

// signature is the header that proves a callback: sha1= and the HMAC in hex.
const signature = "X-Request-Signature"

// Ticket checks the signature of a callback, made with the key without its
// prefix, and reads the webhook_id that the call was given.
func (a adapter) Ticket(header http.Header, body []byte) (string, error) {
	const op = "clearbit.callback"
	key := strings.TrimPrefix(strings.TrimPrefix(a.settings.Key, "sk_"), "pk_")
	given, hasPrefix := strings.CutPrefix(header.Get(signature), "sha1=")
	sum, err := hex.DecodeString(given)
	mac := hmac.New(sha1.New, []byte(key))
	mac.Write(body)
	if key == "" || !hasPrefix || err != nil || !hmac.Equal(sum, mac.Sum(nil)) {
		return "", galena.Errorf(galena.Unauthorized, op, "the signature does not fit the body")
	}
	o, err := providers.ParseObject(body)
	if err != nil {
		return "", galena.Errorf(galena.Invalid, op, "%w", err)
	}
	return o.Text("id"), nil
}

// Hear reads the company of a callback: the answer that Enrich would have got,
// with its status, in an envelope.
func (a adapter) Hear(q providers.Query, body []byte) (providers.Record, error) {
	const op = "clearbit.callback"
	o, err := providers.ParseObject(body)
	if err != nil {
		return providers.Record{}, galena.Errorf(galena.Malformed, op, "%w", err)
	}
	status, _ := o.Number("status")
	switch company := o.Object("body"); {
	case o.Text("type") != "company":
		return providers.Record{}, galena.Errorf(galena.Malformed, op, "it does not speak of a company")
	case status != http.StatusOK:
		return providers.Record{}, providers.StatusError(op, int(status))
	case company == nil:
		return providers.Record{}, galena.Errorf(galena.Malformed, op, "there is no company in it")
	default:
		return providers.ReadClearbitShape(op, q.Domain, company, a.settings.Now())
	}
}
