package twenty

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/crm"
)

const (
	maxBody = 8 << 20
	page    = 200 // the server's own cap
	pages   = 10  // more of one look-up than this is no look-up
)

// record is a record as it stands in an answer; numbers are json.Number.
type record map[string]any

// call makes one call to the records, in its turn.
func (c *CRM) call(ctx context.Context, op, method, path string, query url.Values, body any) (record, error) {
	if err := c.deps.Pace.Wait(ctx); err != nil {
		return nil, crm.ExchangeError(op, err)
	}
	out, err := c.exchange(ctx, op, method, path, query, body)
	if galena.KindOf(err) == galena.RateLimited {
		c.deps.Pace.Refused()
	}
	return out, err
}

// exchange sends a request, and once more where the key was refused and is
// another by now: people make keys anew while we run.
func (c *CRM) exchange(ctx context.Context, op, method, path string, query url.Values, body any) (record, error) {
	c.mu.Lock()
	key := c.key
	c.mu.Unlock()
	out, err := c.send(ctx, key, op, method, path, query, body)
	if galena.KindOf(err) != galena.Unauthorized || !c.rekeyed(key) {
		return out, err
	}
	c.mu.Lock()
	key = c.key
	c.mu.Unlock()
	return c.send(ctx, key, op, method, path, query, body)
}

// rekeyed reads the key again, and says whether it differs from the refused one.
func (c *CRM) rekeyed(refused string) bool {
	if c.deps.Secret == nil {
		return false
	}
	key, err := c.deps.Secret("KEY")
	if err != nil || key == "" || key == refused {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.key = key
	return true
}

// send sends a request, and reads an answer or what it means.
func (c *CRM) send(ctx context.Context, key, op, method, path string, query url.Values, body any) (record, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	at := c.config.URL + path
	if len(query) > 0 {
		at += "?" + query.Encode()
	}
	var sent io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return nil, galena.Errorf(galena.Invalid, op, "the record has no JSON form")
		}
		sent = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, at, sent)
	if err != nil {
		return nil, galena.Errorf(galena.Invalid, op, "the address is not valid")
	}
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.deps.Client.Do(req)
	if err != nil {
		return nil, crm.ExchangeError(op, err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if err != nil {
		return nil, crm.ExchangeError(op, err)
	}
	return read(op, resp, b, c.deps.Now())
}

// decode reads one JSON value; numbers keep their digits.
func decode(b []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one value")
	}
	return v, nil
}

// list reads every record that the filter matches.
func (c *CRM) list(ctx context.Context, op, many, filter string) ([]record, error) {
	var out []record
	q := url.Values{"filter": {filter}, "limit": {strconv.Itoa(page)}}
	for range pages {
		answer, err := c.call(ctx, op, http.MethodGet, "/rest/"+many, q, nil)
		if err != nil {
			return nil, err
		}
		found, ok := recordsOf(answer, many)
		if !ok {
			return nil, galena.Errorf(galena.Malformed, op, "the answer lists no %s", many)
		}
		out = append(out, found...)
		info := recordOf(answer["pageInfo"])
		next := textOf(info["endCursor"])
		if more, _ := info["hasNextPage"].(bool); !more || next == "" || len(found) == 0 {
			return out, nil
		}
		q.Set("starting_after", next)
	}
	return nil, galena.Errorf(galena.Invalid, op, "more than %d records answer", page*pages)
}

// recordsOf takes a list out of either envelope: {data: {companies: []}},
// {data: []}, or a bare list that was put under data when it was read.
func recordsOf(answer record, name string) ([]record, bool) {
	items, ok := answer["data"].([]any)
	if !ok {
		if items, ok = recordOf(answer["data"])[name].([]any); !ok {
			return nil, false
		}
	}
	out := make([]record, 0, len(items))
	for _, it := range items {
		if r := recordOf(it); r != nil {
			out = append(out, r)
		}
	}
	return out, true
}

func recordOf(v any) record { m, _ := v.(map[string]any); return m }

func textOf(v any) string { s, _ := v.(string); return s }

// quote puts a text into a filter; false for one that the filter's grammar might
// read otherwise than we mean it.
func quote(s string) (string, bool) {
	if strings.ContainsAny(s, "\"\\()[]\r\n\t") {
		return "", false
	}
	return `"` + s + `"`, true
}
