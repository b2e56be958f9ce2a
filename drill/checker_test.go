package drill

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// tally is what became of the leads: the total queue of Jepsen, with a limit.
type tally struct {
	Sent, Acked, Routed int
	Lost                int // acked and never routed
	Doubled             int // notifications beyond one a lead, the same webhook-id counted once
	Again               int // notifications accepted more than once under the same webhook-id
	Unexpected          int // routed and never sent
	Recovered           int // routed without an answer that said so
	Late                int // routed later than the limit
	Forged              int // with a signature that an independent library refuses
	Waits               []time.Duration
}

const eventRouted = "lead.routed"

// count holds the books against each other. Leads that were posted in the
// interval are judged by the limit; 0 = none is late.
func count(all []sent, acks []acked, events []told, from, to time.Time, limit time.Duration) tally {
	t := tally{Sent: len(all), Acked: len(acks)}
	known, ack := map[string]bool{}, map[string]acked{}
	for _, s := range all {
		known[s.Key] = true
	}
	for _, a := range acks {
		ack[a.Key] = a
	}
	routed, taken := map[string]time.Time{}, map[string]int{}
	for _, e := range events {
		if e.Forged {
			t.Forged++
		}
		if e.Type != eventRouted || e.Status/100 != 2 {
			continue
		}
		taken[e.Caller+" "+e.Key]++
		if taken[e.Caller+" "+e.Key] > 1 {
			t.Again++
			continue
		}
		if _, twice := routed[e.Caller]; twice {
			t.Doubled++
			continue
		}
		routed[e.Caller] = e.At
	}
	for key := range routed {
		t.Routed++
		switch _, answered := ack[key]; {
		case !known[key]:
			t.Unexpected++
		case !answered:
			t.Recovered++
		}
	}
	for key, a := range ack {
		at, ok := routed[key]
		if !ok {
			t.Lost++
			continue
		}
		if a.From.Before(from) || !a.From.Before(to) {
			continue
		}
		wait := at.Sub(a.From)
		t.Waits = append(t.Waits, wait)
		if limit > 0 && wait > limit {
			t.Late++
		}
	}
	slices.Sort(t.Waits)
	return t
}

// quantile of sorted waits, 0 when there are none.
func quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}

func TestTheCheckerCountsWhatWasPlanted(t *testing.T) {
	t.Parallel()
	begin := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	at := func(seconds float64) time.Time { return begin.Add(time.Duration(seconds * float64(time.Second))) }
	posts := []sent{{At: at(0), Key: "a"}, {At: at(1), Key: "b"}, {At: at(2), Key: "c"}}
	answers := []acked{{At: at(0.1), From: at(0), Key: "a", Lead: "A"}, {At: at(1.1), From: at(1), Key: "b", Lead: "B"}}
	event := func(key, caller string, seconds float64, status int) told {
		return told{At: at(seconds), Key: key, Type: eventRouted, Caller: caller, Status: status}
	}
	good := []told{event("k-a", "a", 1, 204), event("k-b", "b", 2, 204)}
	for _, tc := range []struct {
		name   string
		events []told
		want   string
	}{
		{"nothing", good, ""},
		{"a lead that nobody was told of", good[:1], "lost"},
		{"a lead whose event was refused", append(good[:1:1], event("k-b", "b", 2, 500)), "lost"},
		{"a second notification", append(good[:2:2], event("k-b2", "b", 2, 204)), "doubled"},
		{"the same notification again", append(good[:2:2], event("k-b", "b", 2, 204)), "again"},
		{"a lead that nobody sent", append(good[:2:2], event("k-x", "x", 2, 204)), "unexpected"},
		{"a lead whose answer was lost", append(good[:2:2], event("k-c", "c", 2, 204)), "recovered"},
		{"a late one", append(good[:1:1], event("k-b", "b", 9, 204)), "late"},
		{"a forged one", append(good[:2:2], told{Type: "other", Forged: true}), "forged"},
		{"an event of another kind", append(good[:2:2], told{Type: "lead.rerouted", Caller: "b", Key: "k-b3", Status: 204}), ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := count(posts, answers, tc.events, at(0), at(10), 5*time.Second)
			var got []string
			for _, x := range []struct {
				name string
				n    int
			}{{"lost", c.Lost}, {"doubled", c.Doubled}, {"again", c.Again}, {"unexpected", c.Unexpected},
				{"recovered", c.Recovered}, {"late", c.Late}, {"forged", c.Forged}} {
				if x.n > 0 {
					got = append(got, x.name)
				}
				if x.n > 1 {
					t.Errorf("%s %d, planted once", x.name, x.n)
				}
			}
			if strings.Join(got, " ") != tc.want {
				t.Errorf("counted %v, planted %q", got, tc.want)
			}
		})
	}
}

func TestABreakerIsDueByProcessWindowAndShare(t *testing.T) {
	t.Parallel()
	began := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	calls := []call{}
	for _, c := range []struct {
		second      int
		who, answer string
	}{{0, "a", "500"}, {1, "b", "500"}, {2, "a", "well"}, {3, "b", "well"}, {3, "b", "well"}, {3, "b", "400"}, {4, "b", "500"}, {5, "b", "500"},
		{11, "a", "500"}, {12, "a", "500"}, {13, "a", "500 again"}} {
		calls = append(calls, call{At: began.Add(time.Duration(c.second) * time.Second), Who: c.who, Answer: c.answer})
	}
	for n, second := range map[int]int{1: 0, 2: 2, 3: 4, 4: 4, 5: 5, 6: -1} { // -1 = never
		want := time.Time{}
		if second >= 0 {
			want = began.Add(time.Duration(second) * time.Second)
		}
		if got := tripped(n, calls, "500", 10*time.Second); !got.Equal(want) {
			t.Errorf("%d calls at %v, want %v", n, got, want)
		}
	}
}
