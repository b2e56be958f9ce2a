package homepage

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/providers"
	"github.com/galenahq/galena/providers/providertest"
)

func TestConformance(t *testing.T) { providertest.RunPage(t, Spec) }

// site asks for acme.example at a server of ours.
func site(t *testing.T, h http.HandlerFunc) (providers.Record, error) {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	client, err := providers.NewClient([]string{"loopback"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.CloseIdleConnections)
	p, err := Spec.New(providers.Settings{ID: "homepage", BaseURL: server.URL, Client: client, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	return p.Enrich(t.Context(), providers.Query{Domain: "acme.example"})
}

func TestRedirectsAreFollowedWithinTheSite(t *testing.T) {
	t.Parallel()
	r, err := site(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			http.Redirect(w, r, "/en/", http.StatusFound)
			return
		}
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(`<meta property="og:site_name" content="Acme">`))
	})
	if err != nil || len(r.Observations) != 1 || r.Observations[0].Value.Text != "Acme" {
		t.Errorf("got %+v, %v", r, err)
	}
}

func TestWhereRedirectsLead(t *testing.T) {
	t.Parallel()
	for to, want := range map[string]galena.Kind{
		"/":                            galena.NotFound, // without end
		"https://www.other.example/":   galena.WrongSubject,
		"https://notacme.example/":     galena.WrongSubject,
		"https://acme.example:8443/":   galena.WrongSubject,
		"http://169.254.169.254/":      galena.WrongSubject,
		"file:///etc/passwd":           galena.WrongSubject,
		"https://u:p@www.acme.example": galena.Malformed,
	} {
		_, err := site(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", to)
			w.WriteHeader(http.StatusMovedPermanently)
		})
		if got := galena.KindOf(err); got != want {
			t.Errorf("%s became %s, want %s: %v", to, got, want, err)
		}
	}
}

func TestMarksAreWrittenAsTheyAreCompared(t *testing.T) {
	t.Parallel()
	for _, s := range headers {
		name, value, _ := strings.Cut(s.mark, ": ")
		if http.CanonicalHeaderKey(name) != name || value != strings.ToLower(value) {
			t.Errorf("header mark %q is never found", s.mark)
		}
	}
	seen := map[string]bool{}
	for _, s := range append(hosts, generators...) {
		if s.mark != strings.ToLower(s.mark) || s.product == "" || seen[s.mark] && s.mark != s.product {
			t.Errorf("mark %q is not in lower case, has no product or stands twice", s.mark)
		}
		seen[s.mark] = true
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"<script src=//js.stripe.com>", `<script type="application/ld+json">[{"@type":["Organization"]}]</script>`, "<a href=linkedin.com/company/x", "<meta name=generator content=Hugo>"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, o := range parse(s).record("acme.example", time.Unix(0, 0)).Observations {
			if _, ok := galena.LookupField(o.Field); !ok {
				t.Errorf("%s is no field", o.Field)
			}
		}
	})
}

// Anybody may post leads of broken sites: the next company's is read all the same.
func TestBrokenSitesOfOthersCloseNoDoor(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]func(http.ResponseWriter){
		"Failing": func(w http.ResponseWriter) { w.WriteHeader(http.StatusServiceUnavailable) },
		"NotHTML": func(w http.ResponseWriter) { w.Header().Set("Content-Type", "application/pdf") },
		"BadMove": func(w http.ResponseWriter) {
			w.Header().Set("Location", "https://u:p@x.example")
			w.WriteHeader(http.StatusFound)
		},
		"HangingUp": func(http.ResponseWriter) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var well atomic.Bool
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if !well.Load() {
					answer(w)
					return
				}
				w.Header().Set("Content-Type", "text/html")
				_, _ = w.Write([]byte(`<meta property="og:site_name" content="Acme">`))
			}))
			t.Cleanup(server.Close)
			client, err := providers.NewClient([]string{"loopback"})
			if err != nil {
				t.Fatal(err)
			}
			w, err := providers.New(providers.Config{Providers: []providers.Entry{{ID: "homepage", URL: server.URL, Rate: &providers.Rate{PerSecond: 1000, Burst: 1000}}}},
				providers.Deps{Specs: []providers.Spec{Spec}, Client: client})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(w.Close)
			for range 20 {
				if _, call, err := w.Ask(t.Context(), "homepage", "broken.example", nil); err == nil {
					t.Fatalf("a broken site is %+v", call)
				}
			}
			well.Store(true)
			if _, call, err := w.Ask(t.Context(), "homepage", "acme.example", nil); err != nil {
				t.Errorf("after twenty broken sites: %s, %v, breaker %s", call.Outcome, err, w.States()[0].Breaker)
			}
		})
	}
}

func TestAnAddressWithoutASchemeNamesItsHost(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`<link rel=canonical href="//www.acme.example/"><meta property="og:site_name" content="Acme">`:                          "Acme",
		`<link rel=canonical href="//www.other.example/"><meta property="og:site_name" content="Other">`:                        "",
		`<script type="application/ld+json">{"@type": "Organization", "url": "//www.acme.example/", "name": "Acme"}</script>`:   "Acme",
		`<script type="application/ld+json">{"@type": "Organization", "url": "/", "name": "Acme"}</script>`:                     "Acme",
		`<script type="application/ld+json">{"@type": "Organization", "url": "//www.other.example/", "name": "Other"}</script>`: "",
	} {
		r, err := site(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write([]byte(body))
		})
		got := ""
		for _, o := range r.Observations {
			got += o.Value.Text
		}
		if got != want {
			t.Errorf("%s is %q, want %q (%v)", body, got, want, err)
		}
	}
}
