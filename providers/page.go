package providers

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"

	"golang.org/x/net/html/charset"
	"golang.org/x/net/idna"

	"github.com/galenahq/galena"
)

const (
	maxPage  = 512 << 10 // of a page; what stands behind it is not read
	maxMoves = 5
)

// Page is what a company shows at its own address.
type Page struct {
	Header http.Header
	Body   string // UTF-8
}

// GetPage reads the page at / of a company's domain, or of the settings' base
// URL. It fetches this one page and nothing else of a site. An address that
// anybody may type into a form is the visitor's choice, not ours: every dial
// passes the guard, only https is spoken, and a redirect is followed within the
// company's own domain only; elsewhere it is about somebody else.
//
// What a site says of itself says nothing of any other: a site that does not
// let us in is a miss, not a key refused or a pause for all, and one that is broken
// opens no breaker. That we reach nobody does.
func GetPage(ctx context.Context, s Settings, op, domain string) (Page, error) {
	first, err := url.Parse(strings.TrimRight(s.BaseURL, "/") + "/")
	if s.BaseURL == "" {
		first, err = &url.URL{Scheme: "https", Host: domain, Path: "/"}, nil
	}
	if err != nil {
		return Page{}, galena.Errorf(galena.Invalid, op, "the base URL is not valid")
	}
	at := first
	for range maxMoves + 1 {
		page, to, err := getPage(ctx, s, op, at)
		if err != nil || to == "" {
			return page, err
		}
		if at, err = move(op, domain, first, at, to); err != nil {
			return Page{}, OfCompany(err)
		}
	}
	return Page{}, galena.Errorf(galena.NotFound, op, "the site redirects without end")
}

// move is where a redirect leads, if we go there.
func move(op, domain string, first, from *url.URL, to string) (*url.URL, error) {
	u, err := from.Parse(to)
	if err != nil || u.User != nil {
		return nil, galena.Errorf(galena.Malformed, op, "the redirect leads to no address")
	}
	host, _ := idna.Lookup.ToASCII(strings.TrimSuffix(u.Hostname(), ".")) // however it is spelt
	switch {
	case u.Scheme == first.Scheme && u.Host == first.Host:
		return u, nil
	case (u.Scheme == "http" || u.Scheme == "https") && (u.Port() == "" || u.Port() == "443" || u.Port() == "80") &&
		(host == domain || strings.HasSuffix(host, "."+domain)):
		u.Scheme, u.Host = "https", host
		return u, nil
	default:
		return nil, galena.Errorf(galena.WrongSubject, op, "the site redirects to another domain")
	}
}

// getPage is one exchange; to is where a redirect points.
func getPage(ctx context.Context, s Settings, op string, at *url.URL) (p Page, to string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return Page{}, "", galena.Errorf(galena.Invalid, op, "the address is not valid")
	}
	req.Header.Set("Accept", "text/html,application/xhtml+xml")
	req.Header.Set("User-Agent", Agent)
	resp, err := s.Client.Do(req)
	if err != nil {
		return Page{}, "", s.pageError(op, err)
	}
	defer resp.Body.Close()
	switch code := resp.StatusCode; {
	case code == http.StatusOK:
	case code >= 300 && code < 400 && resp.Header.Get("Location") != "":
		return Page{}, resp.Header.Get("Location"), nil
	case code >= 400 && code < 500:
		return Page{}, "", galena.Errorf(galena.NotFound, op, "the site does not show its home page: status %d", code)
	default:
		return Page{}, "", OfCompany(statusError(Request{Op: op}, kindOf(code, nil), resp, s.Now()))
	}
	contentType := resp.Header.Get("Content-Type")
	if t, _, err := mime.ParseMediaType(contentType); contentType != "" && (err != nil || t != "text/html" && t != "application/xhtml+xml") {
		return Page{}, "", OfCompany(galena.Errorf(galena.Malformed, op, "the home page is not HTML"))
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxPage))
	if err != nil {
		return Page{}, "", s.pageError(op, err)
	}
	enc, _, _ := charset.DetermineEncoding(b, contentType)
	text, err := enc.NewDecoder().Bytes(b)
	if err != nil {
		text = b
	}
	return Page{Header: resp.Header, Body: strings.ToValidUTF8(string(text), "")}, "", nil
}

// pageError is transportError for a company's own site: one without a name or
// without a certificate shows nothing, which is no trouble that will pass.
func (s Settings) pageError(op string, err error) error {
	if d, ok := errors.AsType[*net.DNSError](err); ok && d.IsNotFound {
		return NoHost(op, "the site's host name does not exist")
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return galena.Errorf(galena.NotFound, op, "the site's certificate is not trusted")
	}
	if s.cutOff(err) {
		return transportError(op, err)
	}
	return OfCompany(transportError(op, err))
}

// cutOff says that nothing left us: there is no network, or no resolver to ask. What a
// company can bring about by its records is none of that, such as name servers that
// fail, an IPv6 address where we have only IPv4, or a router on the way to it that
// knows no way onward, which the kernel tells in the same word.
func (s Settings) cutOff(err error) bool {
	if d, ok := errors.AsType[*net.DNSError](err); ok {
		return NoResolver(d)
	}
	dial, ok := errors.AsType[*net.OpError](err)
	if !ok || !errors.Is(dial, syscall.ENETUNREACH) {
		return false
	}
	to, ok := dial.Addr.(*net.TCPAddr)
	if !ok || to.IP.To4() == nil {
		return false
	}
	if s.way == nil {
		s.way = way
	}
	return errors.Is(s.way(to), syscall.ENETUNREACH)
}

// NoResolver says that a question reached no resolver of ours. The library keeps no more
// than the words of its cause.
func NoResolver(d *net.DNSError) bool {
	return strings.Contains(d.Err, syscall.ECONNREFUSED.Error()) || strings.Contains(d.Err, syscall.ENETUNREACH.Error())
}

// way asks our own routes for one to an address; nothing is sent.
func way(to *net.TCPAddr) error {
	c, err := net.DialUDP("udp4", nil, &net.UDPAddr{IP: to.IP, Port: to.Port})
	if err != nil {
		return err
	}
	return c.Close()
}
