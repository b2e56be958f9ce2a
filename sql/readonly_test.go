package sql_test

import (
	"strings"
	"testing"
	"time"

	"github.com/galenahq/galena"
)

// A server that takes no writes any more, as one that was demoted, answers questions
// and takes no lead: whoever asks whether one could be accepted must hear no.
func TestAServerThatTakesNoWritesIsNotReady(t *testing.T) {
	t.Parallel()
	server := postgresURL(t)
	if server == "" {
		return
	}
	s := open(t, strings.Replace(schema(t, server), "pool_max_conns=8", "pool_max_conns=2", 1), time.Now) // a line for each pool
	if err := s.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Everywhere(t.Context(), "SET default_transaction_read_only = on"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Accept(t.Context(), galena.Intake{Lead: lead(1), RepeatWithin: time.Hour}); galena.KindOf(err) != galena.Unavailable {
		t.Fatalf("accepted by a server that takes no writes: %v", err)
	}
	if err := s.Ready(t.Context()); galena.KindOf(err) != galena.Unavailable {
		t.Errorf("ready, though no lead can be accepted: %v", err)
	}
}
