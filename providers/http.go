package providers

import (
	"compress/flate"
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"

	"github.com/galenahq/galena"
)

// maxDrain is how much of an unwanted body is read so that the connection can
// be used again.
const maxDrain = 16 << 10

// Agent names us to those who answer without a key, who want to know whom to
// turn to.
const Agent = "galena (+https://github.com/galenahq/galena)"

// agent is Agent for somebody who demands a contact.
func agent(contact string) string {
	if contact == "" {
		return Agent
	}
	return strings.TrimSuffix(Agent, ")") + "; " + contact + ")"
}

// Request is one call to a vendor.
type Request struct {
	Op     string // "hunter.enrich", printed in errors
	Path   string // the vendor's own path, "/v2/companies/find"
	Query  url.Values
	Form   url.Values
	Header map[string]string
	Means  map[int]galena.Kind // statuses by which this vendor means something of its own
	Reset  string              // the header that tells when a throttle ends, of a vendor without Retry-After
	Heard  func(http.Header)   // is told the headers of a hit: what the call cost
}

// GetJSON asks and returns the JSON object of a hit.
func GetJSON(ctx context.Context, s Settings, r Request) (Object, error) {
	return exchange(ctx, s, r, http.MethodGet, nil)
}

// PostForm sends a form and returns the JSON object of a hit.
func PostForm(ctx context.Context, s Settings, r Request) (Object, error) {
	return exchange(ctx, s, r, http.MethodPost, strings.NewReader(r.Form.Encode()))
}

func exchange(ctx context.Context, s Settings, r Request, method string, body io.Reader) (Object, error) {
	at := strings.TrimRight(s.BaseURL, "/") + r.Path
	if len(r.Query) > 0 {
		at += "?" + r.Query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, at, body)
	if err != nil {
		return nil, galena.Errorf(galena.Invalid, r.Op, "the base URL is not valid")
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", agent(s.Contact))
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for k, v := range r.Header {
		req.Header.Set(k, v)
	}
	resp, err := s.Client.Do(req)
	if err != nil {
		return nil, transportError(r.Op, err)
	}
	defer resp.Body.Close()
	if kind := kindOf(resp.StatusCode, r.Means); kind != "" {
		if resp.StatusCode >= http.StatusOK {
			_, _ = io.CopyN(io.Discard, resp.Body, maxDrain) // the status has said it all
		}
		return nil, statusError(r, kind, resp, s.Now())
	}
	if r.Heard != nil {
		r.Heard(resp.Header)
	}
	return readObject(r.Op, resp)
}

// readObject reads the body of a hit within its limits.
func readObject(op string, resp *http.Response) (Object, error) {
	if !isJSON(resp.Header.Get("Content-Type")) {
		return nil, galena.Errorf(galena.Malformed, op, "the answer is not JSON by its content type")
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if err != nil {
		return nil, transportError(op, err)
	}
	if len(b) > maxBody {
		return nil, galena.Errorf(galena.Malformed, op, "the answer is larger than %d bytes", maxBody)
	}
	o, err := decode(b)
	if err != nil {
		return nil, galena.Errorf(galena.Malformed, op, "%w", err)
	}
	return o, nil
}

// isJSON accepts the JSON types in UTF-8; a missing type says nothing against it.
func isJSON(contentType string) bool {
	if contentType == "" {
		return true
	}
	t, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		return false
	}
	charset := strings.ToLower(params["charset"])
	return (charset == "" || charset == "utf-8" || charset == "us-ascii") &&
		(t == "application/json" || t == "text/json" || strings.HasSuffix(t, "+json"))
}

// transportError puts a failed exchange into our own words: the library's name
// the URL, and with it whatever key a vendor wants there.
func transportError(op string, err error) error {
	e := &galena.Error{Kind: galena.Unavailable, Op: op}
	var (
		timeout interface{ Timeout() bool }
		dns     *net.DNSError
		cert    *tls.CertificateVerificationError
		record  tls.RecordHeaderError
		corrupt flate.CorruptInputError
	)
	switch {
	case errors.Is(err, errForbiddenTarget):
		e.Kind, e.Cause, e.Err = galena.Invalid, "forbidden_target", errForbiddenTarget
	case errors.Is(err, context.Canceled):
		e.Cause, e.Err = "cancelled", context.Canceled
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		e.Cause, e.Err = "timeout", fmt.Errorf("no answer in time: %w", context.DeadlineExceeded)
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum), errors.As(err, &corrupt):
		e.Kind, e.Err = galena.Malformed, errors.New("the answer is not what its encoding says")
	case errors.As(err, &dns):
		e.Cause, e.Err = "no_host", errors.New("the host name does not resolve")
	case errors.As(err, &cert):
		e.Cause, e.Err = "tls", errors.New("the certificate is not trusted")
	case errors.As(err, &record):
		e.Cause, e.Err = "tls", errors.New("the other side does not speak TLS")
	case errors.Is(err, syscall.ECONNREFUSED):
		e.Cause, e.Err = "refused", errors.New("connection refused")
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET):
		e.Cause, e.Err = "cut", errors.New("the answer was cut short")
	default:
		e.Cause, e.Err = "connection", errors.New("the exchange failed")
	}
	return e
}
