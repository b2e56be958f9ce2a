package intake

import (
	"context"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/net/dns/dnsmessage"

	"github.com/galenahq/galena"
)

// zone is a small DNS server on 127.0.0.1. A name that it does not know does
// not exist.
type zone struct {
	records map[string]map[dnsmessage.Type]dnsmessage.ResourceBody // "" = no such type
	rcode   map[string]dnsmessage.RCode
	silent  map[string]bool
	asked   atomic.Int32
	conn    net.PacketConn
}

func mx(host string) map[dnsmessage.Type]dnsmessage.ResourceBody {
	return map[dnsmessage.Type]dnsmessage.ResourceBody{dnsmessage.TypeMX: &dnsmessage.MXResource{MX: dnsmessage.MustNewName(host)}}
}

func newZone(t *testing.T) *zone {
	t.Helper()
	conn, err := new(net.ListenConfig).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	z := &zone{conn: conn,
		records: map[string]map[dnsmessage.Type]dnsmessage.ResourceBody{
			"mail.com.":   mx("mx.mail.com."),
			"null.com.":   mx("."),
			"four.com.":   {dnsmessage.TypeA: &dnsmessage.AResource{A: [4]byte{192, 0, 2, 1}}},
			"six.com.":    {dnsmessage.TypeAAAA: &dnsmessage.AAAAResource{AAAA: [16]byte{0x20, 1, 0xd, 0xb8, 15: 1}}},
			"parked.com.": {dnsmessage.TypeTXT: &dnsmessage.TXTResource{TXT: []string{"for sale"}}},
		},
		rcode:  map[string]dnsmessage.RCode{"broken.com.": dnsmessage.RCodeServerFailure, "refused.com.": dnsmessage.RCodeRefused},
		silent: map[string]bool{"silent.com.": true, "slow.com.": true},
	}
	t.Cleanup(func() { _ = conn.Close() })
	go z.serve()
	return z
}

func (z *zone) serve() {
	buf := make([]byte, 1500)
	for {
		n, from, err := z.conn.ReadFrom(buf)
		if err != nil {
			return
		}
		var m dnsmessage.Message
		if m.Unpack(buf[:n]) != nil || len(m.Questions) != 1 {
			continue
		}
		z.asked.Add(1)
		if answer, err := z.answer(m); err == nil && answer != nil {
			_, _ = z.conn.WriteTo(answer, from)
		}
	}
}

func (z *zone) answer(m dnsmessage.Message) ([]byte, error) {
	q := m.Questions[0]
	name := q.Name.String()
	if z.silent[name] {
		return nil, nil
	}
	out := dnsmessage.Message{Header: dnsmessage.Header{ID: m.ID, Response: true, RecursionAvailable: true, RCode: z.rcode[name]},
		Questions: m.Questions}
	types, ok := z.records[name]
	if !ok && out.RCode == dnsmessage.RCodeSuccess {
		out.RCode = dnsmessage.RCodeNameError
	}
	if body := types[q.Type]; body != nil {
		out.Answers = []dnsmessage.Resource{{Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 60}, Body: body}}
	}
	return out.Pack()
}

func (z *zone) resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, StrictErrors: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", z.conn.LocalAddr().String())
	}}
}

// shelf keeps answers.
type shelf struct {
	mu   sync.Mutex
	said map[string]string
	at   map[string]time.Time
	err  error
}

func (s *shelf) DNSCheck(_ context.Context, domain string) (string, time.Time, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.said[domain], s.at[domain], s.err
}

func (s *shelf) SaveDNSCheck(_ context.Context, domain, result string, at time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.said[domain], s.at[domain] = result, at
	return s.err
}

type dnsBench struct {
	*DNS
	zone  *zone
	shelf *shelf
	now   time.Time
}

func newDNSBench(t *testing.T) *dnsBench {
	t.Helper()
	b := &dnsBench{zone: newZone(t), shelf: &shelf{said: map[string]string{}, at: map[string]time.Time{}}, now: time.Unix(1_800_000_000, 0)}
	d, err := NewDNS(b.shelf, b.zone.resolver(), prometheus.NewRegistry(), func() time.Time { return b.now })
	if err != nil {
		t.Fatal(err)
	}
	b.DNS = d
	return b
}

func from(host string, codes ...string) galena.Lead {
	return galena.Lead{Status: galena.StatusAccepted, Judgement: galena.Judgement{Verdict: galena.Accept, Host: host,
		Domain: host, Class: galena.Corporate, Spendable: true, Codes: codes}}
}

func TestADomainThatTakesNoMailHoldsTheLead(t *testing.T) {
	t.Parallel()
	b := newDNSBench(t)
	for host, want := range map[string]string{
		"mail.com": dnsTakesMail, "four.com": dnsTakesMail, "six.com": dnsTakesMail,
		"null.com": codeNullMX, "parked.com": codeUndeliverable, "nowhere.com": codeUndeliverable,
		"broken.com": dnsUnknown, "refused.com": dnsUnknown, "silent.com": dnsUnknown,
	} {
		began := time.Now()
		l, hold := b.Screen(t.Context(), from(host, "plus_tag", "role_address"))
		if took := time.Since(began); took > dnsBudget+200*time.Millisecond {
			t.Errorf("%s: the lead waited %s", host, took)
		}
		if b.shelf.said[host] != want || hold != aboutMail(want) {
			t.Errorf("%s: %s, held %t, want %s", host, b.shelf.said[host], hold, want)
		}
		if hold && (l.Verdict != galena.Quarantine || l.Status != galena.StatusQuarantined || l.Spendable || l.Domain != host ||
			!slices.Equal(l.Codes, sorted([]string{"plus_tag", "role_address", want})) || l.Codes[0] != want) {
			t.Errorf("%s: held as %+v", host, l)
		}
		if !hold && (l.Verdict != galena.Accept || len(l.Codes) != 2) {
			t.Errorf("%s: let through as %+v", host, l)
		}
	}
}

func TestTheDNSIsNotAskedWhereItHasNoSay(t *testing.T) {
	t.Parallel()
	b := newDNSBench(t)
	for name, l := range map[string]galena.Lead{
		"reserved":           from("acme.example"),
		"no host":            from(""),
		"released before":    from("null.com", codeNullMX, codeReleased),
		"released otherwise": from("null.com", codeUndeliverable, codeReleased),
	} {
		if _, hold := b.Screen(t.Context(), l); hold || b.zone.asked.Load() != 0 {
			t.Errorf("%s: held %t, asked %d times", name, hold, b.zone.asked.Load())
		}
	}
	if _, hold := b.Screen(t.Context(), from("null.com", codeDisposable, codeReleased)); !hold {
		t.Error("a lead released for another reason must be held for this one")
	}
}

func TestAnAnswerIsHeldForADayAndSilenceForAMinute(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		host  string
		lasts time.Duration
	}{{"null.com", dnsHeld}, {"mail.com", dnsHeld}, {"broken.com", dnsSilent}} {
		b := newDNSBench(t)
		screen := func() int32 {
			b.Screen(t.Context(), from(c.host))
			return b.zone.asked.Load()
		}
		first := screen()
		b.now = b.now.Add(c.lasts - time.Second)
		if again := screen(); again != first {
			t.Errorf("%s: asked %d times more within %s", c.host, again-first, c.lasts)
		}
		b.now = b.now.Add(time.Second)
		if again := screen(); again == first {
			t.Errorf("%s: not asked again after %s", c.host, c.lasts)
		}
	}
}

func TestLeadsOfOneDomainAskOnce(t *testing.T) {
	t.Parallel()
	b := newDNSBench(t)
	began := time.Now()
	var wg sync.WaitGroup
	for range 20 { // nobody answers: the flight lasts its whole budget, so that all are in it
		wg.Go(func() { b.Screen(t.Context(), from("slow.com")) })
	}
	wg.Wait()
	if took := time.Since(began); took > 2*dnsBudget {
		t.Errorf("20 leads waited %s", took)
	}
	if n := b.zone.asked.Load(); n > 2 {
		t.Errorf("asked %d times", n)
	}
}

func TestAStoreThatIsAwayHoldsNoLead(t *testing.T) {
	t.Parallel()
	b := newDNSBench(t)
	b.shelf.err = galena.Errorf(galena.Unavailable, "sql", "away")
	if _, hold := b.Screen(t.Context(), from("mail.com")); hold {
		t.Error("held")
	}
	if _, err := NewDNS(nil, nil, nil, nil); err == nil {
		t.Error("built from nothing")
	}
}
