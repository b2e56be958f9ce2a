package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/galenahq/galena/configs"
)

// vendors are the simulated providers of a demo: what each would answer, by
// domain. They play over real HTTP, one server each, or inside the client for a
// scenario, where time stands still.
type vendors struct {
	answers map[string]map[string]configs.ScenarioAnswer // by domain and provider
	latency map[string]time.Duration                     // by provider
}

// reply is what the simulated provider says of a domain.
func (v vendors) reply(provider, domain string) (status int, body []byte, hang bool) {
	answer, ok := v.answers[domain][provider]
	if !ok {
		return http.StatusNotFound, []byte(`{"error":"not_found"}`), false
	}
	if answer.Error == "" {
		b, err := json.Marshal(answer.Fields)
		if err != nil {
			return http.StatusInternalServerError, nil, false
		}
		return http.StatusOK, b, false
	}
	if answer.Error == "timeout" {
		return 0, nil, true
	}
	if code, err := strconv.Atoi(answer.Error); err == nil && code >= 400 && code < 600 {
		return code, []byte(`{"error":"simulated"}`), false
	}
	return http.StatusInternalServerError, []byte(`{"error":"simulated"}`), false
}

// handler plays one provider: GET /v1/companies/{domain}.
func (v vendors) handler(provider string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/companies/{domain}", func(w http.ResponseWriter, r *http.Request) {
		status, body, hang := v.reply(provider, r.PathValue("domain"))
		if hang {
			<-r.Context().Done() // the client gives up first
			return
		}
		select {
		case <-time.After(v.latency[provider]):
		case <-r.Context().Done():
			return
		}
		w.Header().Set("Content-Type", "application/json")
		if status == http.StatusTooManyRequests {
			w.Header().Set("Retry-After", "1")
		}
		w.WriteHeader(status)
		_, _ = w.Write(body)
	})
	return mux
}

// serve starts one server per provider on a free port of this machine and
// returns their base URLs. They stop with the context.
func (v vendors) serve(ctx context.Context, providers []string) (map[string]string, error) {
	urls := map[string]string{}
	for _, id := range providers {
		l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("simulated provider %s: %w", id, err)
		}
		srv := &http.Server{Handler: v.handler(id), ReadHeaderTimeout: 5 * time.Second}
		context.AfterFunc(ctx, func() { _ = srv.Close() })
		go func() { _ = srv.Serve(l) }() // ends with the context
		urls[id] = "http://" + l.Addr().String()
	}
	return urls, nil
}

// scenarioHost is the name under which a scenario's provider is asked; no
// packet leaves the process.
const scenarioHost = ".vendor.invalid"

// RoundTrip plays the answer inside the client: a timeout is an outcome at once.
func (v vendors) RoundTrip(r *http.Request) (*http.Response, error) {
	provider := strings.TrimSuffix(r.URL.Hostname(), scenarioHost)
	domain := strings.TrimPrefix(r.URL.Path, "/v1/companies/")
	status, body, hang := v.reply(provider, domain)
	if hang {
		return nil, context.DeadlineExceeded
	}
	return &http.Response{
		StatusCode: status, Status: http.StatusText(status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}}, Request: r,
		Body: io.NopCloser(strings.NewReader(string(body))), ContentLength: int64(len(body)),
	}, nil
}

// scenarioURLs are the base URLs that RoundTrip answers.
func scenarioURLs(providers []string) map[string]string {
	urls := map[string]string{}
	for _, id := range providers {
		urls[id] = "http://" + id + scenarioHost
	}
	return urls
}
