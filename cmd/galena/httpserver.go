package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// httpServer is one listener. It is bound before anything starts, so a busy
// port is told at once.
type httpServer struct {
	srv      *http.Server
	listener net.Listener
	draining *atomic.Bool // readiness turns before the listener closes; nil = nobody asks
	log      *slog.Logger
}

const (
	// drain is how long a load balancer gets to see that we are no longer ready.
	drain = 500 * time.Millisecond
	// lastRequests is how long requests in flight may take to end.
	lastRequests = 15 * time.Second
)

func listen(ctx context.Context, addr string, srv *http.Server, draining *atomic.Bool, log *slog.Logger) (*httpServer, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s: %w", addr, err)
	}
	return &httpServer{srv: srv, listener: newCrowd(l), draining: draining, log: log}, nil
}

// url is where people find the server.
func (h *httpServer) url() string { return "http://" + h.listener.Addr().String() }

// run serves until the context ends, then lets requests in flight end.
func (h *httpServer) run(ctx context.Context) error {
	failed := make(chan error, 1)
	go func() { failed <- h.srv.Serve(h.listener) }()
	h.log.InfoContext(ctx, "listening", "addr", h.listener.Addr().String())
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	if h.draining != nil {
		h.draining.Store(true)
		time.Sleep(drain)
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastRequests)
	defer cancel()
	if err := h.srv.Shutdown(end); err != nil {
		_ = h.srv.Close()
	}
	if err := <-failed; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
