package web

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"time"
)

// pagePolicy is what a page of ours may load: our own files and nothing else.
const pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; " +
	"connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// pageTime is how long one page may keep the store busy.
const pageTime = 5 * time.Second

// harden sets the headers that every answer carries. The referrer policy is
// same-origin and not no-referrer, because the latter makes browsers send
// "Origin: null" with our own forms, which the cross-origin check must refuse.
func (s *server) harden(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", pagePolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if s.cookie.secure {
			h.Set("Cross-Origin-Opener-Policy", "same-origin")
		}
		ctx, cancel := context.WithTimeout(r.Context(), pageTime)
		defer cancel()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// remoteHost is the other end of the connection. Forwarding headers are not
// read here: anybody can send them, and they would reset the limit on logins.
func remoteHost(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// limitKey counts an IPv6 network of 64 bits as one address, because a single
// host owns all of it.
func limitKey(ip string) string {
	addr, err := netip.ParseAddr(ip)
	if err != nil {
		return ip
	}
	addr = addr.Unmap().WithZone("")
	if addr.Is4() {
		return addr.String()
	}
	p, err := addr.Prefix(64)
	if err != nil {
		return ip
	}
	return p.String()
}
