package providertest

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/providers"
)

// waits are the forms of a Retry-After header and how long each asks to wait, at
// the instant that all recordings are played at.
var waits = map[string]time.Duration{
	"": 0, "0": 0, "-1": 0, "soon": 0, "30": 30 * time.Second,
	"Mon, 23 Nov 2026 14:31:30 GMT": 90 * time.Second, "Monday, 23-Nov-26 14:31:30 GMT": 90 * time.Second,
	"Mon Nov 23 14:31:30 2026": 90 * time.Second, "Mon, 23 Nov 2026 14:29:00 GMT": 0,
	"86400": 24 * time.Hour, "99999999999999999999": 24 * time.Hour,
}

// throttle plays a vendor's own refusal with every form of the hint.
func throttle(t *testing.T, spec providers.Spec) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(testdata(spec), string(galena.RateLimited)+"*.http"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		rec := read(t, f)
		if rec.status == http.StatusOK { // a refusal in the body of a 200 has no such header
			continue
		}
		for form, want := range waits {
			rec.header = maps.Clone(rec.header)
			rec.header.Del("X-Ratelimit-Reset")
			rec.header.Del("Retry-After")
			if form != "" {
				rec.header.Set("Retry-After", form)
			}
			err := enrich(t.Context(), subject(t, spec, rec.withSteps(t, spec)))
			if got := galena.RetryAfterOf(err); galena.KindOf(err) != galena.RateLimited || got != want {
				t.Errorf("Retry-After %q: %v and a wait of %v, want %v", form, err, got, want)
			}
		}
		return
	}
	t.Error("no recording of a refusal by status")
}

// A vendor changes a type over night: a hit with one odd value is still a hit
// with almost everything else in it. What is lost may be the value's own field,
// those made of it, and the whole record where it says whom it is about.
const (
	mostLost    = 4 // fields, to one odd value
	mostRefused = 8 // values without which nobody knows whom a record is about
)

// drift plays the recorded hit with each of its values in turn of another type.
func drift(t *testing.T, spec providers.Spec) {
	t.Helper()
	rec := read(t, filepath.Join(testdata(spec), found+".http"))
	q := rec.question(spec)
	var body any
	d := json.NewDecoder(bytes.NewReader(rec.body))
	d.UseNumber()
	if err := d.Decode(&body); err != nil {
		t.Fatal(err)
	}
	p := subject(t, spec, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { rec.withSteps(t, spec).ServeHTTP(w, r) }))
	whole, err := p.Enrich(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	var refused []string
	for _, place := range places(body, nil) {
		for _, odd := range []any{map[string]any{"odd": true}, -7} {
			if rec.body, err = json.Marshal(replaced(body, place, odd)); err != nil {
				t.Fatal(err)
			}
			r, err := p.Enrich(t.Context(), q)
			switch kind := galena.KindOf(err); kind {
			case "":
				if lost := len(whole.Observations) - len(r.Observations); lost > mostLost {
					t.Errorf("%v at %s costs %d of %d fields", odd, strings.Join(place, "."), lost, len(whole.Observations))
				}
			case galena.WrongSubject, galena.NotFound, galena.Malformed:
				refused = append(refused, strings.Join(place, "."))
			default:
				t.Errorf("%v at %s: %v", odd, strings.Join(place, "."), err)
			}
		}
	}
	if refused = slices.Compact(refused); len(refused) > mostRefused {
		t.Errorf("an odd value at any of %q costs the whole record", refused)
	}
}

// places are the ways to every list of a body and every value that is no
// object; of a list the first element stands for all.
func places(v any, at []string) (out [][]string) {
	if _, object := v.(map[string]any); !object {
		out = append(out, slices.Clone(at))
	}
	switch x := v.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(x)) {
			out = append(out, places(x[key], append(at, key))...)
		}
	case []any:
		if len(x) > 0 {
			out = append(out, places(x[0], append(at, "0"))...)
		}
	}
	return out
}

// replaced is a body with another value at a place.
func replaced(v any, at []string, odd any) any {
	if len(at) == 0 {
		return odd
	}
	switch x := v.(type) {
	case map[string]any:
		x = maps.Clone(x)
		x[at[0]] = replaced(x[at[0]], at[1:], odd)
		return x
	case []any:
		x = slices.Clone(x)
		i, _ := strconv.Atoi(at[0])
		x[i] = replaced(x[i], at[1:], odd)
		return x
	}
	return v
}
