package providertest

import (
	"context"
	"errors"
	"maps"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/providers"
)

// zone is what a name server knows: the answers by name and type. A name that
// has none does not exist.
//
//	acme.example.      MX     10 aspmx.l.google.com.
//	acme.example.      TXT    v=spf1 include:sendgrid.net -all
//	www.acme.example.  CNAME  shops.myshopify.com.
//	rcode              SERVFAIL
type zone struct {
	rcode   dnsmessage.RCode
	records map[string][]dnsmessage.Resource
}

// RunDNS plays all cases against a vendor that asks the name servers. It gets
// the one to ask as its base URL, dns://host:port. What may go wrong there is
// little: no such domain, a server in trouble, and silence.
func RunDNS(t *testing.T, spec providers.Spec) {
	t.Parallel()
	checkSpec(t, spec)
	files, err := filepath.Glob(filepath.Join("testdata", "*.zone"))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{found: true, string(galena.NotFound): true, string(galena.Unavailable): true}
	for _, f := range files {
		kind, _, _ := strings.Cut(strings.TrimSuffix(filepath.Base(f), ".zone"), "-")
		delete(want, kind)
		t.Run(strings.TrimSuffix(filepath.Base(f), ".zone"), func(t *testing.T) {
			t.Parallel()
			record, err := resolve(t, spec, serveZone(t, readZone(t, f).answer)).Enrich(t.Context(), question(spec))
			if kind != found {
				checkFailure(t, err, galena.Kind(kind))
				return
			}
			if err != nil {
				t.Fatalf("got %v, want a record", err)
			}
			checkGolden(t, spec, strings.TrimSuffix(f, ".zone")+".golden.json", record)
		})
	}
	for kind := range maps.Keys(want) {
		t.Errorf("no recording of %s: save one as testdata/%s.zone", kind, kind)
	}
	t.Run("SilenceEndsInTime", func(t *testing.T) { t.Parallel(); mute(t, spec, func([]byte) []byte { return nil }) })
	t.Run("NoiseEndsInTime", func(t *testing.T) {
		t.Parallel()
		mute(t, spec, func(q []byte) []byte { return append(q[:2:2], 0xff, 0xff, 0xff) })
	})
	t.Run("CancelIsOurs", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		err := enrich(ctx, resolve(t, spec, serveZone(t, func([]byte) []byte { cancel(); return nil })))
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want context canceled", err)
		}
		assertNoLeak(t, err)
	})
}

// mute asks a server that never answers to the point.
func mute(t *testing.T, spec providers.Spec, answer func([]byte) []byte) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	start := time.Now()
	err := enrich(ctx, resolve(t, spec, serveZone(t, answer)))
	if took := time.Since(start); took > patience+500*time.Millisecond {
		t.Errorf("ended after %v, want %v", took, patience)
	}
	checkFailure(t, err, galena.Unavailable)
}

// resolve makes the vendor ask a server.
func resolve(t *testing.T, spec providers.Spec, addr string) asked {
	t.Helper()
	p, err := spec.New(providers.Settings{ID: spec.Name, BaseURL: "dns://" + addr, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return asked{p, spec}
}

// serveZone answers datagrams until the test ends; nil is silence.
func serveZone(t *testing.T, answer func([]byte) []byte) string {
	t.Helper()
	conn, err := new(net.ListenConfig).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 4096)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			if a := answer(buf[:n]); a != nil {
				_, _ = conn.WriteTo(a, from)
			}
		}
	}()
	t.Cleanup(func() { _ = conn.Close(); <-done })
	return conn.LocalAddr().String()
}

// answer is the reply to one question, nil when it is not one.
func (z zone) answer(question []byte) []byte {
	var m dnsmessage.Message
	if m.Unpack(question) != nil || len(m.Questions) != 1 {
		return nil
	}
	q := m.Questions[0]
	m.Response, m.RecursionAvailable, m.RCode, m.Additionals = true, true, z.rcode, nil
	all, exists := z.records[q.Name.String()]
	if !exists && m.RCode == dnsmessage.RCodeSuccess {
		m.RCode = dnsmessage.RCodeNameError
	}
	for _, r := range all {
		if r.Header.Type == q.Type || r.Header.Type == dnsmessage.TypeCNAME {
			m.Answers = append(m.Answers, r)
		}
	}
	reply, err := m.Pack()
	if err != nil {
		return nil
	}
	return reply
}

// readZone loads a recording.
func readZone(t *testing.T, file string) zone {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	z := zone{records: map[string][]dnsmessage.Resource{}}
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		switch {
		case len(f) == 0 || strings.HasPrefix(line, ";"):
		case f[0] == "rcode" && f[1] == "SERVFAIL":
			z.rcode = dnsmessage.RCodeServerFailure
		default:
			name := dnsmessage.MustNewName(f[0])
			typ, body := resource(t, f[1], f[2:])
			z.records[f[0]] = append(z.records[f[0]], dnsmessage.Resource{
				Header: dnsmessage.ResourceHeader{Name: name, Type: typ, Class: dnsmessage.ClassINET, TTL: 60}, Body: body})
		}
	}
	return z
}

// resource reads one record; a TXT longer than 255 bytes is split as on the wire.
func resource(t *testing.T, typ string, data []string) (dnsmessage.Type, dnsmessage.ResourceBody) {
	t.Helper()
	last := data[len(data)-1]
	switch typ {
	case "MX":
		return dnsmessage.TypeMX, &dnsmessage.MXResource{Pref: 10, MX: dnsmessage.MustNewName(last)}
	case "NS":
		return dnsmessage.TypeNS, &dnsmessage.NSResource{NS: dnsmessage.MustNewName(last)}
	case "CNAME":
		return dnsmessage.TypeCNAME, &dnsmessage.CNAMEResource{CNAME: dnsmessage.MustNewName(last)}
	case "A":
		return dnsmessage.TypeA, &dnsmessage.AResource{A: [4]byte{192, 0, 2, 1}}
	case "TXT":
		var parts []string
		for s := strings.Join(data, " "); s != ""; {
			n := min(len(s), 255)
			parts, s = append(parts, s[:n]), s[n:]
		}
		return dnsmessage.TypeTXT, &dnsmessage.TXTResource{TXT: parts}
	default:
		t.Fatalf("a zone has no %s records", typ)
		return 0, nil
	}
}
