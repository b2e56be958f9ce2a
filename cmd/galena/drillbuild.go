//go:build drill

package main

import (
	"context"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/galenahq/galena/providers"
	"github.com/galenahq/galena/providers/registry"
)

// clockOffset is how far this process's clock is from the machine's, such as 10m
// or -1h.
const clockOffset = "GALENA_DRILL_CLOCK_OFFSET"

// further are the settings that this build knows beside those of a release.
func further() []string { return []string{clockOffset} }

// spoil makes the process one that the drill can break from inside: its clock
// may be wrong, and some companies are more than its adapters can bear.
func spoil(s *settings) {
	s.specs = registry.All()
	for i, spec := range s.specs {
		if spec.Name != "fixture" {
			continue
		}
		s.specs[i].New = func(of providers.Settings) (providers.Provider, error) {
			p, err := spec.New(of)
			return mined{p}, err
		}
	}
	text, err := s.env.Lookup(clockOffset)
	if err != nil || !text.Set() {
		return
	}
	offset, err := time.ParseDuration(text.Reveal())
	if err != nil {
		s.log.Error(clockOffset + " is no duration: the clock is right")
		return
	}
	s.now = func() time.Time { return time.Now().Add(offset) }
}

// mined is an adapter whose process dies of a company that is called poison-…,
// and which panics on the answer about one that is called panic-….
type mined struct{ providers.Provider }

// Enrich asks, and breaks where it is told to.
func (m mined) Enrich(ctx context.Context, q providers.Query) (providers.Record, error) {
	if strings.HasPrefix(q.Domain, "poison-") {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}
	r, err := m.Provider.Enrich(ctx, q)
	if strings.HasPrefix(q.Domain, "panic-") {
		var nowhere *providers.Record
		return *nowhere, err
	}
	return r, err
}
