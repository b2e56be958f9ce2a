package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/configs"
	"github.com/galenahq/galena/providers"
	"github.com/galenahq/galena/providers/registry"
	"github.com/galenahq/galena/routing"
)

// shelf keeps editions.
type shelf struct {
	mu   sync.Mutex
	refs []galena.ConfigRef
	down error
}

func (s *shelf) SaveConfig(_ context.Context, c galena.ConfigRef, _ []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.down == nil && !slices.Contains(s.refs, c) {
		s.refs = append(s.refs, c)
	}
	return s.down
}

func (s *shelf) Configs(context.Context) ([]galena.ConfigRef, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.refs), s.down
}

// library is a rulebook over a directory that a test writes to.
type library struct {
	*testing.T
	*rulebook
	shelf *shelf
	log   *lockedBuffer
	dir   string
}

const oneVendor = `apiVersion: galena/v1
kind: Providers
metadata: {name: one, version: 1}
spec:
  providers:
    - {id: testvendor, adapter: fixture, url: "https://vendor.example", fields: {company.employee_count: 0.9}}
`

func newLibrary(t *testing.T) *library {
	t.Helper()
	l := &library{T: t, shelf: &shelf{}, log: &lockedBuffer{}, dir: t.TempDir()}
	l.write("icp.yaml", profile(1, 50))
	l.write("providers.yaml", oneVendor)
	rules, err := configs.Load(os.DirFS(l.dir), configs.Options{Path: l.dir, Specs: registry.All()})
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(l.log, nil))
	reg := prometheus.NewRegistry()
	client, err := providers.NewClient(nil)
	if err != nil {
		t.Fatal(err)
	}
	l.rulebook = &rulebook{store: l.shelf, dir: l.dir, log: log, now: time.Now, watcher: configs.Watch(os.DirFS(l.dir), l.dir),
		shop: workshop{asks: true, must: true, guarded: client, clock: time.Now, reg: reg, providers: providers.Deps{Specs: registry.All(), Client: client, Registerer: reg, Log: log}}}
	if err := l.adopt(t.Context(), rules); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.close)
	l.looks(2)
	return l
}

// profile is an ICP of one criterion of some weight.
func profile(version, weight int) string {
	return strings.NewReplacer("VERSION", strconv.Itoa(version), "WEIGHT", strconv.Itoa(weight)).Replace(`apiVersion: galena/v1
kind: ICP
metadata: {name: tiny, version: VERSION}
spec:
  criteria:
    - id: size
      field: company.employee_count
      weight: WEIGHT
      bands:
        - {range: [50, null], value: 1.0}
    - {id: industry, field: company.industry, weight: 50, bands: [{in: [software], value: 1.0}]}
  tiers:
    - {name: A, min: 70}
    - {name: B, min: 40}
    - {name: C, min: 20}
    - {name: D, min: 0}
`)
}

func (l *library) write(name, text string) {
	l.Helper()
	if err := os.WriteFile(filepath.Join(l.dir, name), []byte(text), 0o600); err != nil {
		l.Fatal(err)
	}
}

func (l *library) looks(n int) {
	for range n {
		l.look(l.Context())
	}
}

// inForce is the weight of the profile's first criterion.
func (l *library) inForce() int { return int(l.current().rules.ICP.Criteria[0].Weight) }

func TestAChangedFileIsInForceAfterTwoLooks(t *testing.T) {
	t.Parallel()
	l := newLibrary(t)
	before := l.status()
	l.write("icp.yaml", profile(2, 60))
	l.looks(1)
	if l.inForce() != 50 {
		t.Error("a file is taken at the first look: it may be half a file")
	}
	l.looks(1)
	now := l.status()
	if l.inForce() != 60 || now.Files[0].Version != 2 || !now.LoadedAt.After(before.LoadedAt) {
		t.Errorf("weight %d, %+v", l.inForce(), now.Files[0])
	}
	if now.Files[3].Since != before.Files[3].Since {
		t.Error("a file that did not change has a new date")
	}
	if seen, _ := l.shelf.Configs(t.Context()); len(seen) != len(now.Files)+1 {
		t.Errorf("%d editions are stored, want %d and the new one", len(seen), len(now.Files))
	}
}

func TestWhatIsWrongChangesNothingAndIsTold(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		spoil func(*library)
		want  string
	}{
		"Syntax": {func(l *library) { l.write("icp.yaml", "kind: ICP\n  x: [") }, "icp.yaml:1:7: E02 is not YAML"},
		"Field": {func(l *library) {
			l.write("icp.yaml", strings.Replace(profile(2, 60), "employee_count", "employes", 1))
		}, "icp.yaml:7:14: E04"},
		"NaN": {func(l *library) {
			l.write("icp.yaml", strings.Replace(profile(2, 60), "weight: 60", "weight: .nan", 1))
		}, "icp.yaml:8:15: E09"},
		"Negative":    {func(l *library) { l.write("icp.yaml", profile(2, -5)) }, "icp.yaml:8:15: E09"},
		"Empty":       {func(l *library) { l.write("icp.yaml", "") }, "icp.yaml:1:1: E02"},
		"HalfWritten": {func(l *library) { l.write("icp.yaml", profile(2, 60)[:180]) }, "icp.yaml:"},
		"Huge": {func(l *library) { _ = os.Truncate(filepath.Join(l.dir, "icp.yaml"), 100<<20) },
			"icp.yaml:1:1: E02 the file is larger than 1 MiB"},
		"Removed":   {func(l *library) { _ = os.Remove(filepath.Join(l.dir, "icp.yaml")) }, "icp.yaml:1:1: E02 the file is gone"},
		"Directory": {func(l *library) { _ = os.RemoveAll(l.dir) }, ":1:1: E02 the directory cannot be read"},
		"Vendor": {func(l *library) {
			l.write("providers.yaml", strings.ReplaceAll(oneVendor, "adapter: fixture, url: \"https://vendor.example\"", "adapter: hunter, enabled: true"))
		},
			"providers.yaml:6:5: E02 providers.new: invalid: provider testvendor is enabled and has no key"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLibrary(t)
			before := l.current()
			tc.spoil(l)
			l.looks(8)
			s := l.status()
			if s.Errors() == 0 || l.current() != before || s.Files[0].Version != 1 {
				t.Fatalf("%d errors, %+v in force", s.Errors(), s.Files[0])
			}
			if !slices.ContainsFunc(s.Findings, func(f galena.Finding) bool { return strings.Contains(f.String(), tc.want) }) {
				t.Errorf("told %v, want %s", s.Findings, tc.want)
			}
			if n := strings.Count(l.log.String(), "configuration refused"); n != 1 {
				t.Errorf("the log says it %d times, want once", n)
			}
			if err := os.MkdirAll(l.dir, 0o700); err != nil {
				t.Fatal(err)
			}
			l.write("icp.yaml", profile(3, 70))
			l.write("providers.yaml", oneVendor)
			l.looks(3)
			if s := l.status(); s.Errors() != 0 || l.inForce() != 70 {
				t.Errorf("mended, and still %d errors, weight %d", s.Errors(), l.inForce())
			}
			if n := strings.Count(l.log.String(), "mended=true"); n != 1 {
				t.Errorf("the log says %d times that it is mended, want once", n)
			}
		})
	}
}

func TestALeadFinishesOnTheSetItBeganWith(t *testing.T) {
	t.Parallel()
	l := newLibrary(t)
	old, held := l.current(), l.begin()
	l.write("icp.yaml", profile(2, 60))
	l.looks(2)
	if fresh := l.begin(); fresh == held || fresh.Refs[0].Version != 2 || held.Refs[0].Version != 1 {
		t.Fatalf("editions %+v and %+v", held.Refs[0], fresh.Refs[0])
	}
	if len(l.live) != 2 {
		t.Fatalf("%d sets are kept, want the one in force and the one in use", len(l.live))
	}
	held.Done()
	l.retiring.Wait()
	if len(l.live) != 1 {
		t.Errorf("%d sets are kept after the last lead, want 1", len(l.live))
	}
	if _, _, err := old.waterfall.Ask(t.Context(), "testvendor", "acme.com", nil); galena.KindOf(err) != galena.Unavailable {
		t.Errorf("the replaced catalogue answers %v, want that it is closed", err)
	}
}

func TestNoRulesAreInForceThatTheStoreDoesNotKeep(t *testing.T) {
	t.Parallel()
	l := newLibrary(t)
	l.shelf.down = errors.New("away")
	l.write("icp.yaml", profile(2, 60))
	l.looks(4)
	if l.inForce() != 50 {
		t.Error("a decision could name rules that nobody can look up")
	}
	l.shelf.down = nil
	l.looks(1)
	if l.inForce() != 60 {
		t.Error("the change is forgotten once the store is back")
	}
}

func TestTheSameVersionWithOtherContentWarns(t *testing.T) {
	t.Parallel()
	l := newLibrary(t)
	l.write("icp.yaml", profile(1, 60))
	l.looks(2)
	s := l.status()
	if l.inForce() != 60 || s.Errors() > 0 || s.Findings[0].Code != "W08" || s.Findings[0].Line != 3 {
		t.Errorf("weight %d, findings %v, want the change in force and W08", l.inForce(), s.Findings)
	}
}

// The profile in force says how sure a fact must be, to the rules as well.
func TestTheRulesBelieveWhatTheProfileDoes(t *testing.T) {
	t.Parallel()
	l := newLibrary(t)
	l.write("routing.yaml", `apiVersion: galena/v1
kind: Routing
metadata: {name: tiny, version: 1}
spec:
  rules:
    - {id: home, when: {field: company.hq_country, eq: US}, to: {queue: home}}
    - {id: rest, to: {queue: rest}}
  fallback: {queue: rest}
`)
	l.looks(2)
	for confidence, want := range map[float64]string{0.49: "rest", 0.51: "home"} {
		country := galena.KnownFact("company.hq_country", galena.CountryValue("US"), "alpha", time.Now())
		country.Confidence = confidence
		in := routing.Input{Facts: galena.Facts{"company.hq_country": country}, Now: time.Now(), Final: true}
		if got := l.current().router.Match(in); got.Rule != want {
			t.Errorf("%v sure: rule %s, want %s", confidence, got.Rule, want)
		}
	}
}
