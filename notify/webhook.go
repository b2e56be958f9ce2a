package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/galenahq/galena"
)

// The limits of one try.
const (
	tryTimeout = 15 * time.Second
	maxAnswer  = 64 << 10
	maxWait    = 24 * time.Hour
)

// notYet is how long one process may know a target that another has not read of.
const notYet = 10 * time.Minute

// Unknown is what meets a delivery whose target this process does not know.
func Unknown(d galena.Delivery, now time.Time) error {
	if now.Sub(d.At) < notYet {
		return galena.Errorf(galena.Unavailable, "notify", "%s is not configured here yet", d.Target)
	}
	return galena.Errorf(galena.Invalid, "notify", "%s is not configured any more", d.Target)
}

// Deps is what webhooks are made of. The client brings the guard against private
// addresses; the allow list names the targets that plain http may reach.
type Deps struct {
	Client     *http.Client
	AllowPlain []string // GALENA_ALLOW_PRIVATE_TARGETS
	Registerer prometheus.Registerer
	Now        func() time.Time
}

type endpoint struct {
	Endpoint
	request *http.Request               // what all of its requests have alike
	signers []*standardwebhooks.Webhook // one for each secret
}

// Webhooks sends deliveries to endpoints.
type Webhooks struct {
	endpoints []endpoint
	transport http.RoundTripper
	now       func() time.Time
	sent      *prometheus.CounterVec
}

// New checks every endpoint: its URL, and that its secret cannot be guessed.
func New(endpoints []Endpoint, d Deps) (*Webhooks, error) {
	if d.Client == nil || d.Registerer == nil || d.Now == nil {
		return nil, errors.New("webhooks need a client, a registerer and a clock")
	}
	w := &Webhooks{now: d.Now, sent: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "galena_deliveries_total", Help: "Tries to deliver an event, by target and outcome (ok or a kind of error).",
	}, []string{"target", "outcome"})}
	// The client's transport alone: a redirect would carry the event to an address
	// that nobody allowed, there are no cookies, and each try has its own bound.
	if w.transport = d.Client.Transport; w.transport == nil {
		w.transport = http.DefaultTransport
	}
	var errs []error
	for _, e := range endpoints {
		u, err := target(e.URL)
		if err == nil && u.Scheme != "https" && !plainAllowed(u, d.AllowPlain) {
			err = errors.New("must be an https URL")
		}
		signers, secretErr := signersOf(e.Secret)
		if err = errors.Join(err, secretErr); err != nil {
			errs = append(errs, fmt.Errorf("webhook %s: %w", e.ID, err))
			continue
		}
		w.endpoints = append(w.endpoints, endpoint{e, requestTo(u), signers})
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return w, w.register(d.Registerer)
}

func signersOf(secret string) ([]*standardwebhooks.Webhook, error) {
	keys, err := SecretKeys(secret)
	if err != nil {
		return nil, err
	}
	signers := make([]*standardwebhooks.Webhook, len(keys))
	for i, key := range keys {
		if signers[i], err = standardwebhooks.NewWebhookRaw(key); err != nil {
			return nil, errors.New("its secret cannot be used")
		}
	}
	return signers, nil
}

// register keeps the counter that is there already: changed endpoints make new
// webhooks beside the old ones.
func (w *Webhooks) register(r prometheus.Registerer) error {
	err := r.Register(w.sent)
	if old, ok := errors.AsType[prometheus.AlreadyRegisteredError](err); ok {
		if same, ok := old.ExistingCollector.(*prometheus.CounterVec); ok {
			w.sent = same
			return nil
		}
	}
	if err != nil {
		return fmt.Errorf("galena_deliveries_total: %w", err)
	}
	return nil
}

// Targets lists the endpoints that want an event.
func (w *Webhooks) Targets(event string) []string {
	var ids []string
	for _, e := range w.endpoints {
		if len(e.Events) == 0 || slices.Contains(e.Events, event) {
			ids = append(ids, e.ID)
		}
	}
	return ids
}

// Personal says that an endpoint may have e-mail and names.
func (w *Webhooks) Personal(target string) bool {
	e := w.find(target)
	return e != nil && e.Personal
}

func (w *Webhooks) find(id string) *endpoint {
	i := slices.IndexFunc(w.endpoints, func(e endpoint) bool { return e.ID == id })
	if i < 0 {
		return nil
	}
	return &w.endpoints[i]
}

// Send does one try. nil is a 2xx; every other end is an error whose Kind says
// what to do, and which names neither the URL nor what the other side said.
func (w *Webhooks) Send(ctx context.Context, d galena.Delivery) error {
	e := w.find(d.Target)
	if e == nil {
		return Unknown(d, w.now())
	}
	err := w.try(ctx, e, d)
	w.Count(e.ID, err)
	return err
}

// Count counts a try, an endpoint's or that of another target.
func (w *Webhooks) Count(target string, err error) {
	outcome := "ok"
	if err != nil {
		outcome = string(galena.KindOf(err))
	}
	w.sent.WithLabelValues(target, outcome).Inc()
}

func (w *Webhooks) try(ctx context.Context, e *endpoint, d galena.Delivery) error {
	ctx, cancel := context.WithTimeout(ctx, tryTimeout)
	defer cancel()
	now := w.now()
	signatures, err := e.sign(d, now)
	if err != nil {
		return err
	}
	resp, err := w.transport.RoundTrip(e.post(ctx, d, now, signatures))
	if err != nil {
		return broken(e.ID, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 200 && resp.StatusCode < 300 {
		// Read to the end so that the connection can be used again. What cannot be
		// read does not matter: the answer was yes.
		_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxAnswer))
		return nil
	}
	return refused(e.ID, resp, now)
}

// sign signs with every secret, so that a receiver who has only one of them, the new
// one or the old one, can verify.
func (e *endpoint) sign(d galena.Delivery, now time.Time) (string, error) {
	signatures := make([]string, len(e.signers))
	for i, s := range e.signers {
		var err error
		if signatures[i], err = s.Sign(d.Key, now, d.Body); err != nil {
			return "", galena.Errorf(galena.Internal, "notify."+e.ID, "cannot be signed")
		}
	}
	return strings.Join(signatures, " "), nil
}

// requestTo is the part of a request that is the same for all.
func requestTo(u *url.URL) *http.Request {
	return &http.Request{Method: http.MethodPost, URL: u, Host: u.Host, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1}
}

// post is the request of one try.
func (e *endpoint) post(ctx context.Context, d galena.Delivery, now time.Time, signatures string) *http.Request {
	r := e.request.WithContext(ctx)
	r.Header = http.Header{}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "galena")
	r.Header.Set(standardwebhooks.HeaderWebhookID, d.Key)
	r.Header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(now.Unix(), 10))
	r.Header.Set(standardwebhooks.HeaderWebhookSignature, signatures)
	r.ContentLength = int64(len(d.Body))
	r.Body = io.NopCloser(bytes.NewReader(d.Body))
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(d.Body)), nil }
	return r
}

// broken words a transport error without its text, which holds the URL.
func broken(id string, err error) error {
	out := &galena.Error{Kind: galena.Unavailable, Op: "notify." + id, Cause: "connection", Err: errors.New("no answer")}
	if galena.CauseOf(err) == galena.CauseForbiddenTarget {
		out.Cause = galena.CauseForbiddenTarget // tried again: the name may lead elsewhere for a while
		out.Err = errors.New("its address is private, or takes no TLS: name it in GALENA_ALLOW_PRIVATE_TARGETS")
	} else if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		out.Cause, out.Err = "timeout", errors.New("no answer in time")
	}
	return out
}

// kindOf is the table of answers. 410 is the receiver's way to say "never
// again": it is Invalid, which stops the delivery, and the text tells the
// operator why. What may pass by itself, a redirect and a 404 while the receiver
// is being deployed included, is tried again.
func kindOf(status int) galena.Kind {
	switch {
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return galena.Unauthorized
	case status == http.StatusTooManyRequests:
		return galena.RateLimited
	case status >= 500, status < 400, status == http.StatusNotFound,
		status == http.StatusRequestTimeout, status == http.StatusTooEarly, status == http.StatusLocked:
		return galena.Unavailable
	default:
		return galena.Invalid
	}
}

func refused(id string, resp *http.Response, now time.Time) error {
	e := &galena.Error{Kind: kindOf(resp.StatusCode), Op: "notify." + id, Cause: strconv.Itoa(resp.StatusCode),
		Err: fmt.Errorf("status %d", resp.StatusCode)}
	if resp.StatusCode == http.StatusGone {
		e.Err = errors.New("status 410: the receiver has switched the endpoint off")
	}
	if e.Kind == galena.RateLimited || e.Kind == galena.Unavailable {
		e.RetryAfter = retryAfter(resp.Header.Get("Retry-After"), now)
	}
	return e
}

// retryAfter reads seconds or a date, 0 when there is neither. A number beyond every
// size is still a number: ParseInt gives the largest there is.
func retryAfter(h string, now time.Time) time.Duration {
	wait := time.Duration(0)
	if s, err := strconv.ParseInt(h, 10, 64); err == nil || errors.Is(err, strconv.ErrRange) {
		wait = time.Duration(min(max(s, 0), int64(maxWait/time.Second))) * time.Second
	} else if at, err := http.ParseTime(h); err == nil {
		wait = at.Sub(now)
	}
	return min(max(wait, 0), maxWait)
}
