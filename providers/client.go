package providers

import (
	"context"
	"crypto/tls"
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
	dialer := &net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second, ControlContext: g.control}
	transport := &http.Transport{
		Proxy: nil,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			host, port, err := net.SplitHostPort(addr)
			if err != nil {
				return nil, errForbiddenTarget
			}
			plain, _ := ctx.Value(plainKey{}).(bool)
			return dialer.DialContext(context.WithValue(ctx, targetKey{}, target{host, port, plain}), network, addr)
		},
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    5 * time.Second,
		ForceAttemptHTTP2:      true,
		MaxResponseHeaderBytes: maxHeader,
		MaxIdleConns:           256,
		MaxIdleConnsPerHost:    64,
		IdleConnTimeout:        90 * time.Second,
	}
	return &http.Client{
		Transport: marked{transport},
		Timeout:   lastResort,
		// A redirect would carry an X-Api-Key to whatever host it names.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, nil
}

// marked tells the dial whether the request is without TLS, which a dial cannot see.
type marked struct{ *http.Transport }

// RoundTrip implements http.RoundTripper.
func (m marked) RoundTrip(r *http.Request) (*http.Response, error) {
	plain := r.URL.Scheme != "https"
	return m.Transport.RoundTrip(r.WithContext(context.WithValue(r.Context(), plainKey{}, plain)))
}
