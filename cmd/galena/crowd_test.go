package main

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestWhoFindsNoPlaceIsToldSo(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	const most = 3
	srv := &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNoContent)
	})}
	go func() { _ = srv.Serve(crowdOf(l, most)) }()
	t.Cleanup(func() { _ = srv.Close() })
	var idle []net.Conn
	for range most + 2*porchPlaces { // they fill the house and the porch, and say nothing
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		idle = append(idle, c)
	}
	ask := func() (int, http.Header, string) {
		client := &http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
		res, err := client.Post("http://"+l.Addr().String()+"/v1/leads", "application/json", strings.NewReader(strings.Repeat("x", 20_000)))
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, res.Header, string(body)
	}
	status, header, body := ask()
	if status != http.StatusServiceUnavailable || header.Get("Retry-After") != "1" || header.Get("Content-Type") != "application/problem+json" ||
		!strings.Contains(body, `"request_id":"`+header.Get("X-Request-Id")+`"`) {
		t.Errorf("with no place left: %d %v %s", status, header, body)
	}
	for i := range 2 { // a place that is left is found again, each time
		if err := idle[i].Close(); err != nil {
			t.Fatal(err)
		}
		eventually(t, 5*time.Second, "a place is free", func() bool { s, _, _ := ask(); return s == http.StatusNoContent })
	}
}

func TestMostDescriptorsAreForConnections(t *testing.T) {
	t.Parallel()
	for descriptors, want := range map[uint64]int{128: 64, 500: 250, 1024: 724, 65536: 65236, 1 << 62: 1 << 20} {
		if got := places(descriptors); got != want {
			t.Errorf("of %d descriptors %d are for connections, want %d", descriptors, got, want)
		}
	}
}
