package main

import (
	"context"
	"net/http"

	"github.com/galenahq/galena"
)

// Callback takes the call of a provider that answers later, and lets the leads
// look again that wait for it.
func (a *App) Callback(ctx context.Context, provider string, header http.Header, body []byte) error {
	waterfall := a.book.current().waterfall
	if waterfall == nil {
		return galena.Errorf(galena.NotFound, "callback", "this process asks no provider")
	}
	domain, err := waterfall.Callback(ctx, provider, header, body)
	if err != nil || domain == "" {
		return err
	}
	n, err := a.store.Awaken(ctx, provider, domain)
	if n > 0 {
		a.relay.Nudge()
	}
	return err
}
