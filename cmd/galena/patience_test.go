package main

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"

	"github.com/galenahq/galena"
)

func TestAStartWaitsForItsDatabaseAndForNothingElse(t *testing.T) {
	t.Parallel()
	away := galena.Errorf(galena.Unavailable, "sql.open", "no connection to the database")
	for _, tc := range []struct {
		name  string
		fails []error
		opens int
		lines int
	}{
		{"there at once", nil, 1, 0},
		{"there a little later", []error{away, away}, 3, 1},
		{"refused for good", []error{galena.Errorf(galena.Invalid, "sql.open", "takes no writes"), away}, 1, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var said bytes.Buffer
			opens := 0
			_, err := patiently(context.Background(), slog.New(slog.NewTextHandler(&said, nil)), func() (*App, error) {
				opens++
				if opens <= len(tc.fails) {
					return nil, tc.fails[opens-1]
				}
				return &App{}, nil
			})
			if opens != tc.opens || (err == nil) != (opens > len(tc.fails)) || strings.Count(said.String(), "\n") != tc.lines {
				t.Errorf("opened %d times, %v, said %q", opens, err, said.String())
			}
		})
	}
}

func TestAStartThatIsCalledOffWaitsNoMore(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	opens := 0
	_, err := patiently(ctx, slog.New(slog.DiscardHandler), func() (*App, error) {
		opens++
		cancel()
		return nil, galena.Errorf(galena.Unavailable, "sql.open", "no connection to the database")
	})
	if err == nil || opens != 1 {
		t.Errorf("opened %d times, %v", opens, err)
	}
}
