package api

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/galenahq/galena"
)

// held posts a lead that the gate holds, and returns its id.
func (d *desk) held(t *testing.T, email string) string {
	t.Helper()
	var a Accepted
	w := d.post(`{"email":"` + email + `"}`)
	if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil || a.Status != galena.StatusQuarantined {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	return a.ID
}

func (d *desk) release(id, token, body string) (int, Released, string) {
	headers := []string{auth(token)}
	if body != "" {
		headers = append(headers, jsonType)
	}
	w := d.call(http.MethodPost, "/v1/leads/"+id+"/release", body, headers...)
	var r Released
	_ = json.Unmarshal(w.Body.Bytes(), &r)
	return w.Code, r, w.Body.String()
}

func TestAHeldLeadIsReleasedOnce(t *testing.T) {
	t.Parallel()
	for body, detail := range map[string]string{`{"note":"ana@gmial.com is right"}`: "did_you_mean:gmail.com: (address) is right", "": "did_you_mean:gmail.com", "{}": "did_you_mean:gmail.com"} {
		d := newDesk(t)
		id := d.held(t, "ana@gmial.com")
		code, r, _ := d.release(id, bootstrap, body)
		if code != http.StatusOK || r.ID != id || r.Status != galena.StatusAccepted || r.Verdict != galena.Accept ||
			!slices.Equal(r.Codes, []string{"did_you_mean:gmail.com", "released"}) {
			t.Errorf("%q: %d %+v", body, code, r)
		}
		if len(d.shelf.trail) != 1 || d.shelf.trail[0].Actor != bootstrapID || d.shelf.trail[0].Detail != detail {
			t.Errorf("%q: trail %+v", body, d.shelf.trail)
		}
		code, _, text := d.release(id, bootstrap, body)
		if code != http.StatusConflict || !strings.Contains(text, `"not_held"`) {
			t.Errorf("%q again: %d %s", body, code, text)
		}
	}
}

func TestReleasingNeedsReadingAndWriting(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.held(t, "ana@gmial.com")
	for _, c := range []struct {
		token, id, body string
		want            int
	}{
		{d.token(galena.ScopeLeadsWrite), id, "", http.StatusForbidden},
		{d.token(galena.ScopeLeadsRead, galena.ScopeOpsRead), id, "", http.StatusForbidden},
		{"nonsense", id, "", http.StatusUnauthorized},
		{bootstrap, "0190d9d2-0000-7000-8000-000000000000", "", http.StatusNotFound},
		{bootstrap, "me", "", http.StatusNotFound},
		{bootstrap, id, `{"note":7e400}`, http.StatusOK}, // a number is taken as it is written
		{bootstrap, id, `{"note":{}}`, http.StatusUnprocessableEntity},
		{bootstrap, id, `{"note":"` + strings.Repeat("x", 201) + `"}`, http.StatusUnprocessableEntity},
		{bootstrap, id, `{"note":`, http.StatusBadRequest},
	} {
		if code, _, text := d.release(c.id, c.token, c.body); code != c.want {
			t.Errorf("%+v: %d %s", c, code, text)
		}
	}
}

func TestAnAddressIsCheckedForTheForm(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	token := d.token(galena.ScopeLeadsWrite)
	for email, want := range map[string]string{
		"ana@acme.com":      `{"verdict":"accept","codes":[],"did_you_mean":null,"class":"corporate","role":false}`,
		"info@gmial.com":    `{"verdict":"confirm","codes":["role_address","did_you_mean:gmail.com"],"did_you_mean":"gmail.com","class":"role","role":true}`,
		"x@0-mail.com":      `{"verdict":"quarantine","codes":["disposable"],"did_you_mean":null,"class":"disposable","role":false}`,
		"not an address":    `{"verdict":"reject","codes":["syntax"],"did_you_mean":null,"class":"","role":false}`,
		"Ana+x@GMAIL.com. ": `{"verdict":"accept","codes":["trimmed","lowercased","trailing_dot","plus_tag","freemail"],"did_you_mean":null,"class":"freemail","role":false}`,
	} {
		body, err := json.Marshal(EmailBody{email})
		if err != nil {
			t.Fatal(err)
		}
		w := d.call(http.MethodPost, "/v1/email:check", string(body), auth(token), jsonType)
		if w.Code != http.StatusOK || strings.TrimSpace(w.Body.String()) != want {
			t.Errorf("%s: %d %s\nwant %s", email, w.Code, w.Body, want)
		}
	}
	for body, want := range map[string]int{`{}`: 422, `{"email":7}`: 422, `[]`: 400, ``: 415} {
		if w := d.call(http.MethodPost, "/v1/email:check", body, auth(token), jsonType); w.Code != want && (body != "" || w.Code != 400) {
			t.Errorf("%q: %d %s", body, w.Code, w.Body)
		}
	}
	if w := d.call(http.MethodPost, "/v1/email:check", `{"email":"a@b.com"}`, auth(d.token(galena.ScopeLeadsRead)), jsonType); w.Code != http.StatusForbidden {
		t.Errorf("without the scope: %d", w.Code)
	}
	if len(d.shelf.leads) != 0 {
		t.Error("a check left a lead behind")
	}
}

func TestChecksAreLimitedByToken(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	one, two := d.token(galena.ScopeLeadsWrite), d.token(galena.ScopeLeadsWrite)
	check := func(token string) int {
		w := d.call(http.MethodPost, "/v1/email:check", `{"email":"ana@acme.com"}`, auth(token), jsonType)
		if w.Code == http.StatusTooManyRequests && w.Header().Get("Retry-After") != "1" {
			t.Errorf("Retry-After %q", w.Header().Get("Retry-After"))
		}
		return w.Code
	}
	for i := range checksBurst {
		if code := check(one); code != http.StatusOK {
			t.Fatalf("check %d: %d", i, code)
		}
	}
	if check(one) != http.StatusTooManyRequests || check(two) != http.StatusOK {
		t.Error("the 61st must wait, and only it")
	}
	d.pass(100 * time.Millisecond)
	if check(one) != http.StatusOK || check(one) != http.StatusTooManyRequests {
		t.Error("one more every tenth of a second")
	}
}
