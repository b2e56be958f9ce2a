package providers

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/galenahq/galena"
)

// certificate is one that nobody vouches for, of an address and a time.
func certificate(t *testing.T, ip net.IP, until time.Time) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	leaf := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "very-telling-name"},
		NotBefore: until.Add(-24 * time.Hour), NotAfter: until, IPAddresses: []net.IP{ip}}
	der, err := x509.CreateCertificate(rand.Reader, leaf, leaf, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func TestNoAnswerIsTakenOverBadTLS(t *testing.T) {
	t.Parallel()
	local, tomorrow := net.IPv4(127, 0, 0, 1), time.Now().Add(24*time.Hour)
	for name, c := range map[string]struct {
		config *tls.Config
		says   string
	}{
		"expired":     {&tls.Config{Certificates: []tls.Certificate{certificate(t, local, time.Now().Add(-time.Minute))}}, "the certificate is not trusted"},
		"another":     {&tls.Config{Certificates: []tls.Certificate{certificate(t, net.IPv4(192, 0, 2, 1), tomorrow)}}, "the certificate is not trusted"},
		"self-signed": {&tls.Config{Certificates: []tls.Certificate{certificate(t, local, tomorrow)}}, "the certificate is not trusted"},
		"TLS 1.0":     {&tls.Config{Certificates: []tls.Certificate{certificate(t, local, tomorrow)}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, "the handshake failed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var visits atomic.Int32
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { visits.Add(1) }))
			server.Config.ErrorLog = log.New(io.Discard, "", 0) // it complains of clients that hang up
			server.TLS = c.config
			server.StartTLS()
			defer server.Close()
			refusedTLS(t, askLocal(t, server.URL), "tls", c.says)
			if visits.Load() != 0 {
				t.Error("the key was sent all the same")
			}
		})
	}
}

func TestAHandshakeThatIsCutIsACutAnswer(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var talks atomic.Int32
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			talks.Add(1)
			_, _ = io.ReadFull(c, make([]byte, 64)) // some of its hello
			_ = c.Close()
		}
	}()
	refusedTLS(t, askLocal(t, "https://"+l.Addr().String()), "cut", "the answer was cut short")
	if n := talks.Load(); n != 1 {
		t.Errorf("tried %d times, want once: never without proof", n)
	}
}

// refusedTLS wants a failure that counts for the breaker, in a few words of ours.
func refusedTLS(t *testing.T, err error, cause, says string) {
	t.Helper()
	e, _ := errors.AsType[*galena.Error](err)
	if e == nil || e.Kind != galena.Unavailable || e.Cause != cause || !strings.HasSuffix(err.Error(), says) {
		t.Errorf("%v, want it unavailable: %s", err, says)
	}
	if err != nil && (len(err.Error()) > 80 || strings.Contains(err.Error(), "very-telling-name")) {
		t.Errorf("it tells the certificate: %v", err)
	}
}
