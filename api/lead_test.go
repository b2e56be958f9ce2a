package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/galenahq/galena"
)

func TestAPostedLeadIsAccepted(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	w := d.post(`{"email":"ana@acme.example","id":42,"first_name":"Ana","company":"Acme","utm":{"source":"ads"},
		"consent":{"marketing":true},"fields":{"size":"51-200"},"registry_id":"12.345.678/0001-95","score":99,"tier":"A","owner":"me","status":"decided","Email":"other@x.example"}`)
	if w.Code != http.StatusAccepted {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	l := d.shelf.leads[0].Lead
	want := map[string]any{"id": l.ID, "external_id": "42", "status": "accepted", "duplicate": false, "warnings": []any{
		`unknown property "registry_id" was kept under fields`, `unknown property "score" was kept under fields`,
		`unknown property "tier" was kept under fields`, `unknown property "owner" was kept under fields`,
		`unknown property "status" was kept under fields`, `unknown property "Email" was kept under fields`}}
	var got map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if l.Email != "ana@acme.example" || l.Status != galena.StatusAccepted || l.UTM["source"] != "ads" || l.Fields["tier"] != "A" ||
		l.Fields["size"] != "51-200" || l.Consent["marketing"] != true || l.Fields["score"] != json.Number("99") {
		t.Errorf("%+v", l)
	}
}

func TestBadBodiesGetTheRightClass(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	wide := make([]string, 0, 101)
	for i := range 101 {
		wide = append(wide, fmt.Sprintf(`"f%d":1`, i))
	}
	deep := strings.Repeat(`[`, 40) + strings.Repeat(`]`, 40)
	cases := []struct {
		name, body    string
		status        int
		pointer, code string
	}{
		{"empty", "", 400, "", "malformed"},
		{"not JSON", "email=ana", 400, "", "malformed"},
		{"cut short", `{"email":"ana@acme.example"`, 400, "", "malformed"},
		{"a list", `[]`, 400, "", "not_an_object"},
		{"trailing", `{"email":"ana@acme.example"} {}`, 400, "", "trailing_data"},
		{"invalid UTF-8", "{\"email\":\"ana\xff@acme.example\"}", 400, "", "invalid_utf8"},
		{"lone surrogate", `{"email":"ana\ud800@acme.example"}`, 400, "/email", "invalid_utf8"},
		{"NUL", `{"email":"ana@acme.example","name":"a\u0000b"}`, 400, "/name", "nul"},
		{"NUL in a key", `{"email":"ana@acme.example","a\u0000":1}`, 400, "/a", "nul"},
		{"same key twice", `{"email":"ana@acme.example","fields":{"a/b":1,"a/b":2}}`, 400, "/fields/a~1b", "duplicate_key"},
		{"too deep", `{"email":"ana@acme.example","x":` + deep + `}`, 400, "/x" + strings.Repeat("/0", 31), "too_deep"},
		{"too wide", `{"email":"ana@acme.example",` + strings.Join(wide, ",") + `}`, 400, "", "too_many_fields"},
		{"no email", `{"name":"Ana"}`, 422, "/email", "missing"},
		{"email null", `{"email":null}`, 422, "/email", "missing"},
		{"email a number", `{"email":7}`, 422, "/email", "wrong_type"},
		{"email a list", `{"email":["ana@acme.example"]}`, 422, "/email", "wrong_type"},
		{"name an object", `{"email":"ana@acme.example","name":{}}`, 422, "/name", "wrong_type"},
		{"utm a text", `{"email":"ana@acme.example","utm":"x"}`, 422, "/utm", "wrong_type"},
		{"utm of lists", `{"email":"ana@acme.example","utm":{"a":[]}}`, 422, "/utm/a", "wrong_type"},
		{"long id", `{"email":"ana@acme.example","id":"` + strings.Repeat("x", 256) + `"}`, 422, "/id", "too_long"},
		{"long form", `{"email":"ana@acme.example","form":"` + strings.Repeat("x", 256) + `"}`, 422, "/form", "too_long"},
		{"form of 256 octets in 128 letters", `{"email":"ana@acme.example","form":"` + strings.Repeat("é", 128) + `"}`, 422, "/form", "too_long"},
		{"not an address", `{"email":"ana-acme"}`, 422, "/email", "syntax"},
		{"single label", `{"email":"secretname@localhost"}`, 422, "/email", "single_label"},
		{"long local", `{"email":"` + strings.Repeat("a", 65) + `@acme.example"}`, 422, "/email", "local_too_long"},
	}
	for _, c := range cases {
		w := d.post(c.body)
		p := problemIn(t, w)
		if w.Code != c.status || len(p.Errors) != 1 || p.Errors[0].Pointer != c.pointer || p.Errors[0].Code != c.code || p.Errors[0].Detail == "" {
			t.Errorf("%s: %d %+v, want %d %s %s", c.name, w.Code, p, c.status, c.pointer, c.code)
		}
		for _, secret := range []string{"ana", "secretname", "acme"} {
			if strings.Contains(w.Body.String(), secret) {
				t.Errorf("%s repeats what was posted: %s", c.name, w.Body)
			}
		}
	}
	if len(d.shelf.leads) != 0 {
		t.Errorf("%d leads were stored", len(d.shelf.leads))
	}
}

func TestSizeAndTypeAreCheckedBeforeTheBodyIsRead(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	big := `{"email":"` + strings.Repeat("a", maxLead) + `"}`
	if w := d.post(big); w.Code != http.StatusRequestEntityTooLarge || problemIn(t, w).Code != "too_large" {
		t.Errorf("announced: %d %s", w.Code, w.Body)
	}
	for _, ct := range []string{"text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1", "multipart/form-data; boundary=x", ""} {
		w := d.call(http.MethodPost, "/v1/leads", `{"email":"ana@acme.example"}`, auth(bootstrap), "Content-Type: "+ct)
		if w.Code != http.StatusUnsupportedMediaType {
			t.Errorf("%q: %d", ct, w.Code)
		}
		problemIn(t, w)
	}
	if w := d.post(`{"email":"ana@acme.example"}`, "Content-Encoding: gzip"); w.Code != http.StatusUnsupportedMediaType {
		t.Errorf("gzip: %d", w.Code)
	}
	w := d.call(http.MethodPost, "/v1/leads", big)
	if w.Code != http.StatusUnauthorized {
		t.Errorf("a stranger learns of the limit: %d", w.Code)
	}
}

func TestAReplayGetsTheSameAnswerByteForByte(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	body := `{"email":"ana@acme.example","extra":1}`
	first, again := d.post(body, "Idempotency-Key: k 1"), d.post(body, "Idempotency-Key: k 1")
	if first.Code != again.Code || first.Body.String() != again.Body.String() || len(d.shelf.leads) != 1 {
		t.Errorf("%d %s, then %d %s", first.Code, first.Body, again.Code, again.Body)
	}
	other := d.post(`{"email":"bea@acme.example"}`, "Idempotency-Key: k 1")
	if p := problemIn(t, other); other.Code != 422 || p.Code != "idempotency_key_reused" {
		t.Errorf("%d %s", other.Code, other.Body)
	}
	foreign := d.token(galena.ScopeLeadsWrite)
	w := d.call(http.MethodPost, "/v1/leads", `{"email":"bea@acme.example"}`, auth(foreign), jsonType, "Idempotency-Key: k 1")
	if w.Code != 202 {
		t.Errorf("keys are not per token: %d %s", w.Code, w.Body)
	}
	for _, bad := range []string{strings.Repeat("x", 256), "k\x01", "ключ"} {
		if w := d.post(body, "Idempotency-Key: "+bad); w.Code != 400 || problemIn(t, w).Errors[0].Parameter != "Idempotency-Key" {
			t.Errorf("%q: %d", bad, w.Code)
		}
	}
}

func TestAStoreThatIsAwayIsACleanRefusal(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.shelf.err = galena.Errorf(galena.Unavailable, "sql.accept", "dial 10.0.0.7:5432: refused")
	w := d.post(`{"email":"ana@acme.example"}`)
	if w.Code != http.StatusServiceUnavailable || strings.Contains(w.Body.String(), "10.0.0.7") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	problemIn(t, w)
	if !strings.Contains(d.log.String(), "10.0.0.7") {
		t.Error("the operator is not told the cause")
	}
}

// A store that says nothing any more keeps nobody for long, whoever asks.
func TestASilentStoreIsACleanRefusal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		token := d.token(galena.ScopeLeadsWrite)
		d.shelf.frozen = true
		for _, who := range []string{bootstrap, token} {
			began := time.Now()
			w := d.call("POST", "/v1/leads", `{"email":"ana@acme.example"}`, "Authorization: Bearer "+who, "Content-Type: application/json")
			if took := time.Since(began); w.Code != http.StatusServiceUnavailable || took != answerTime {
				t.Errorf("%d after %v, want 503 after %v", w.Code, took, answerTime)
			}
		}
	})
}

// What finding out who calls has taken is not had again, and that he called is not
// waited for.
func TestACallerAndHisLeadShareTheirTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		reader, writer := d.token(galena.ScopeLeadsRead), d.token(galena.ScopeLeadsWrite)
		d.shelf.slow, d.shelf.stalled = 3*time.Second, true
		for _, c := range []struct {
			method, token string
			code          int
			took          time.Duration
		}{{"GET", reader, http.StatusOK, 4 * time.Second}, {"POST", writer, http.StatusServiceUnavailable, answerTime}} {
			began := time.Now()
			w := d.call(c.method, "/v1/leads", `{"email":"ana@acme.example"}`, "Authorization: Bearer "+c.token, "Content-Type: application/json")
			if took := time.Since(began); w.Code != c.code || took != c.took {
				t.Errorf("%s: %d after %v, want %d after %v", c.method, w.Code, took, c.code, c.took)
			}
		}
	})
}

func FuzzStrictJSON(f *testing.F) {
	for _, s := range []string{`{"email":"a@b.c"}`, `{"a":{"a":[1,{"b":"\ud83d\ude00"}]}}`, `{"a":1,"a":1}`, "\xff", `{"a":"\u0000"}`, `[`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		m, keys, err := strictJSON(body)
		if err != nil {
			return
		}
		if len(keys) != len(m) || !json.Valid(body) {
			t.Errorf("took %q", body)
		}
	})
}
