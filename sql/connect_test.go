package sql

import (
	"testing"
	"time"
)

func TestServerTime(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"": 0, "0": 0, "2000": 2 * time.Second, "1500.4": 1500 * time.Millisecond, "0.4": 0, "400us": 0, "2s": 2 * time.Second, " 250 ms ": 250 * time.Millisecond,
		"1.5 s": 1500 * time.Millisecond, "1min": time.Minute, "900us": time.Millisecond, "1h": time.Hour, "2d": 48 * time.Hour, "soon": 0,
	} {
		if got := serverTime(text); got != want {
			t.Errorf("%q is %v, want %v", text, got, want)
		}
	}
}
