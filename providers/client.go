package providers

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"time"
)

const (
	maxHeader  = 64 << 10
	maxBody    = 1 << 20 // after decompression
	lastResort = 30 * time.Second
)

// NewClient makes the one client that outgoing calls go through: it refuses
// private addresses unless allow names them (items of
// GALENA_ALLOW_PRIVATE_TARGETS: host[:port], a block, or loopback), speaks
// plain http only to those, follows no redirect, uses no proxy, keeps no
// cookies and trusts no TLS below 1.2. Callers bound each call by its context.
func NewClient(allow []string) (*http.Client, error) {
	g, err := newGuard(allow)
	if err != nil {
		return nil, err
	}
	return &http.Client{
		Transport: links{newLink(g, false), newLink(g, true), lastResort},
		// A redirect would carry an X-Api-Key to whatever host it names.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, nil
}

// newLink makes a transport for requests with TLS, or for those without: a dial
// cannot see which it is for.
func newLink(g *guard, plain bool) *http.Transport {
	dialer := &net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second, ControlContext: g.control}
	return &http.Transport{
		Proxy: nil,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			host, port, err := net.SplitHostPort(addr)
			if err != nil {
				return nil, errForbiddenTarget
			}
			return dialer.DialContext(context.WithValue(ctx, targetKey{}, target{host, port, plain}), network, addr)
		},
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    5 * time.Second,
		ForceAttemptHTTP2:      true,
		MaxResponseHeaderBytes: maxHeader,
		MaxIdleConns:           1024,
		MaxIdleConnsPerHost:    256, // what a burst opened is kept for the next one: to dial again costs more than a call
		IdleConnTimeout:        90 * time.Second,
	}
}

// links are the two transports, and the longest that a call may take, for callers
// who bound it by more or not at all. The library's own timeout would start a
// goroutine and a timer for every call, bounded or not.
type links struct {
	secure, plain *http.Transport
	longest       time.Duration
}

// RoundTrip implements http.RoundTripper.
func (l links) RoundTrip(r *http.Request) (*http.Response, error) {
	by := l.secure
	if r.URL.Scheme != "https" {
		by = l.plain
	}
	if end, bounded := r.Context().Deadline(); bounded && time.Until(end) <= l.longest {
		return by.RoundTrip(r)
	}
	ctx, cancel := context.WithTimeout(r.Context(), l.longest)
	resp, err := by.RoundTrip(r.WithContext(ctx))
	if err != nil {
		cancel()
		return nil, err
	}
	resp.Body = boundedBody{resp.Body, cancel}
	return resp, nil
}

// CloseIdleConnections is what http.Client looks for.
func (l links) CloseIdleConnections() {
	l.secure.CloseIdleConnections()
	l.plain.CloseIdleConnections()
}

// boundedBody ends the bound of a call with its body.
type boundedBody struct {
	io.ReadCloser
	cancel context.CancelFunc
}

// Close implements io.Closer.
func (b boundedBody) Close() error {
	defer b.cancel()
	return b.ReadCloser.Close()
}
