package providers

import (
	"bytes"
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
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/galenahq/galena"
)

// maxDrain is how much of an unwanted body is read so that the connection can
// be used again.
const maxDrain = 16 << 10

// causeNoHost is the Cause of a name that does not resolve.
const causeNoHost = "no_host"

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

	Method string
	Body   []byte                // of a post that is no form
	Type   string                // the body's content type
	XML    bool                  // the answer is XML
	Reads  func(status int) bool // statuses other than a hit's whose body is read too
}

// GetJSON asks and returns the JSON object of a hit.
func GetJSON(ctx context.Context, s Settings, r Request) (Object, error) {
	r.Method = http.MethodGet
	return exchange(ctx, s, r)
}

// PostForm sends a form and returns the JSON object of a hit.
func PostForm(ctx context.Context, s Settings, r Request) (Object, error) {
	r.Method, r.Body, r.Type = http.MethodPost, []byte(r.Form.Encode()), "application/x-www-form-urlencoded"
	return exchange(ctx, s, r)
}

// Reply is an answer whose meaning the status alone does not tell.
type Reply struct {
	Status int
	Header http.Header
	Kind   galena.Kind // what the status means everywhere; "" is a hit
	Body   Object      // nil where it was not to be read, or is none under a status that is no hit
}

// Send asks and returns whatever is answered.
func Send(ctx context.Context, s Settings, r Request) (Reply, error) {
	resp, err := do(ctx, s, r)
	if err != nil {
		return Reply{}, err
	}
	defer resp.Body.Close()
	reply := Reply{Status: resp.StatusCode, Header: resp.Header, Kind: kindOf(resp.StatusCode, nil)}
	if reply.Status < http.StatusOK || reply.Kind != "" && !r.Reads(reply.Status) {
		drain(resp)
		return reply, nil
	}
	reply.Body, err = readObject(r, resp)
	if reply.Kind != "" {
		err = nil // the status has said enough
	}
	return reply, err
}

// Fail is the failure that a reply was found to mean.
func (p Reply) Fail(op string, kind galena.Kind, wait time.Duration) error {
	if kind == galena.Pending && wait == 0 {
		wait = pendingWait
	}
	e := &galena.Error{Kind: kind, Op: op, RetryAfter: wait, Err: errors.New("status " + strconv.Itoa(p.Status))}
	if p.Status != http.StatusOK {
		e.Cause = strconv.Itoa(p.Status)
	}
	return e
}

func exchange(ctx context.Context, s Settings, r Request) (Object, error) {
	resp, err := do(ctx, s, r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if kind := kindOf(resp.StatusCode, r.Means); kind != "" {
		drain(resp)
		return nil, statusError(r, kind, resp, s.Now())
	}
	if r.Heard != nil {
		r.Heard(resp.Header)
	}
	return readObject(r, resp)
}

// drain reads what nobody wants to know: the status has said it all.
func drain(resp *http.Response) {
	if resp.StatusCode >= http.StatusOK {
		_, _ = io.CopyN(io.Discard, resp.Body, maxDrain)
	}
}

// do sends a request.
func do(ctx context.Context, s Settings, r Request) (*http.Response, error) {
	at := strings.TrimRight(s.BaseURL, "/") + r.Path
	if len(r.Query) > 0 {
		at += "?" + r.Query.Encode()
	}
	var body io.Reader
	if r.Method == http.MethodPost {
		body = bytes.NewReader(r.Body)
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, at, body)
	if err != nil {
		return nil, galena.Errorf(galena.Invalid, r.Op, "the base URL is not valid")
	}
	req.Header.Set("Accept", "application/json")
	if r.XML {
		req.Header.Set("Accept", "text/xml, application/xml, application/soap+xml")
	}
	req.Header.Set("User-Agent", agent(s.Contact))
	if r.Type != "" {
		req.Header.Set("Content-Type", r.Type)
	}
	for k, v := range r.Header {
		req.Header.Set(k, v)
	}
	resp, err := s.Client.Do(req)
	if err != nil {
		return nil, transportError(r.Op, err)
	}
	return resp, nil
}

// readObject reads the body of a hit within its limits.
func readObject(r Request, resp *http.Response) (Object, error) {
	op, contentType := r.Op, resp.Header.Get("Content-Type")
	switch {
	case r.XML && !isXML(contentType):
		return nil, galena.Errorf(galena.Malformed, op, "the answer is not XML by its content type")
	case !r.XML && !isJSON(contentType):
		return nil, galena.Errorf(galena.Malformed, op, "the answer is not JSON by its content type")
	}
	b, err := readBody(op, resp)
	if err != nil {
		return nil, err
	}
	var o Object
	if r.XML {
		o, err = decodeXML(b, contentType)
	} else {
		o, err = ParseObject(b)
	}
	if err != nil {
		return nil, galena.Errorf(galena.Malformed, op, "%w", err)
	}
	return o, nil
}

// readBody reads what is not too large, in one piece where its length is told.
func readBody(op string, resp *http.Response) ([]byte, error) {
	var b bytes.Buffer
	if 0 < resp.ContentLength && resp.ContentLength <= maxBody {
		b.Grow(int(resp.ContentLength) + bytes.MinRead) // with the room in which it looks for more
	}
	if _, err := b.ReadFrom(io.LimitReader(resp.Body, maxBody+1)); err != nil {
		return nil, transportError(op, err)
	}
	if b.Len() > maxBody {
		return nil, galena.Errorf(galena.Malformed, op, "the answer is larger than %d bytes", maxBody)
	}
	return b.Bytes(), nil
}

// isJSON accepts the JSON types in UTF-8; a missing type says nothing against it.
func isJSON(contentType string) bool {
	switch contentType {
	case "", "application/json", "application/json; charset=utf-8", "application/json;charset=utf-8", "application/json; charset=UTF-8":
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
	case galena.CauseOf(err) == galena.CauseForbiddenTarget:
		e.Cause, e.Err = galena.CauseForbiddenTarget, errNotOurs // asked again: the name may lead elsewhere for a while
	case errors.Is(err, context.Canceled):
		e.Cause, e.Err = "cancelled", context.Canceled
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		e.Cause, e.Err = "timeout", fmt.Errorf("no answer in time: %w", context.DeadlineExceeded)
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum), errors.As(err, &corrupt):
		e.Kind, e.Err = galena.Malformed, errors.New("the answer is not what its encoding says")
	case errors.As(err, &dns):
		e.Cause, e.Err = causeNoHost, errors.New("the host name does not resolve")
	case errors.As(err, &cert):
		e.Cause, e.Err = "tls", errors.New("the certificate is not trusted")
	case errors.As(err, &record):
		e.Cause, e.Err = "tls", errors.New("the other side does not speak TLS")
	case strings.Contains(err.Error(), "tls: "): // of a version or an alert, for which the library has no type
		e.Cause, e.Err = "tls", errors.New("the handshake failed")
	case errors.Is(err, syscall.ECONNREFUSED):
		e.Cause, e.Err = "refused", errors.New("connection refused")
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET):
		e.Cause, e.Err = "cut", errors.New("the answer was cut short")
	default:
		e.Cause, e.Err = "connection", errors.New("the exchange failed")
	}
	return e
}
