package sqltest

import (
	"reflect"
	"testing"

	"github.com/galenahq/galena"
)

var groupRules = map[string]func(*bench){
	"AFaultOfOneIsNobodyElses":            groupFault,
	"APersonTwiceAtOnceIsOneLead":         groupRepeats,
	"SomeOfManyStepsBeginOnce":            groupBegins,
	"OfTwoStartsOneGetsTheLead":           groupStarts,
	"AnUnknownLeadAmongManyIsNobodyElses": groupUnknown,
}

// many is more than fits into one transaction.
const many = 100

func groupFault(s *bench) {
	ids := make([]string, many)
	rulings := make([]galena.Ruling, many)
	for i := range ids {
		ids[i] = s.begun(person(i))
		rulings[i] = s.ruling(ids[i], to("ana", false))
		if i%10 == 0 {
			rulings[i].Settle = func(r galena.Roster) (galena.Decision, []galena.Delivery, galena.Roster, error) {
				if i == 0 {
					return galena.Ruling{}.Settle(r) // there is none: it panics
				}
				return galena.Decision{}, nil, galena.Roster{}, galena.Errorf(galena.Invalid, "settle", "of one lead")
			}
		}
	}
	errs := make([]error, many)
	parallel(many, func(i int) { _, errs[i] = s.Rule(s.ctx, rulings[i]) })
	for i, err := range errs {
		if failed := err != nil; failed != (i%10 == 0) {
			s.Errorf("lead %d: error %v", i, err)
		}
	}
	s.roster(func(r galena.Roster) {
		if want := many - many/10; r.Reps["ana"].Open != want || r.Reps["ana"].Days["2026-11-23"] != want {
			s.Errorf("ana has %+v, want %d leads", r.Reps["ana"], want)
		}
	})
}

func groupRepeats(s *bench) {
	got := make([]galena.Receipt, many)
	parallel(many, func(i int) {
		r, err := s.Accept(s.ctx, person(i%10))
		if err != nil {
			s.Error(err)
		}
		got[i] = r
	})
	ids, firsts := map[string]bool{}, 0
	for _, r := range got {
		if ids[r.ID] = true; !r.Duplicate {
			firsts++
		}
	}
	if len(ids) != 10 || firsts != 10 {
		s.Errorf("%d leads of which %d are first, want 10 and 10", len(ids), firsts)
	}
}

func groupBegins(s *bench) {
	ids := make([]string, many/2)
	for i := range ids {
		ids[i] = s.accept(person(i)).ID
	}
	began := make([]bool, many)
	parallel(many, func(i int) {
		var err error
		if began[i], err = s.Begin(s.ctx, galena.StepLead, ids[i/2], 1, 1); err != nil {
			s.Error(err)
		}
	})
	for i := range ids {
		if began[2*i] == began[2*i+1] {
			s.Errorf("step %d began %v and %v, want once", i, began[2*i], began[2*i+1])
		}
	}
}

// groupStarts starts each lead twice at once: one gets it, with what Memory says
// of it, the other gets nothing and no error.
func groupStarts(s *bench) {
	ids := make([]string, many/2)
	want := make([]galena.Memory, len(ids))
	for i := range ids {
		ids[i] = s.accept(person(i)).ID
		var err error
		want[i], err = s.Memory(s.ctx, ids[i])
		s.ok(err)
	}
	ours := make([]bool, many)
	parallel(many, func(i int) {
		m, tries, err := s.Start(s.ctx, run(ids[i/2], 1))
		if err != nil || tries > 0 && !reflect.DeepEqual(m, want[i/2]) {
			s.Errorf("started with %+v, %v, want %+v", m, err, want[i/2])
		}
		ours[i] = tries == 1
	})
	for i := range ids {
		if ours[2*i] == ours[2*i+1] {
			s.Errorf("step %d is ours: %v and %v, want once", i, ours[2*i], ours[2*i+1])
		}
	}
	if _, tries, err := s.Start(s.ctx, run("nobody", 1)); tries != 0 || err != nil {
		s.Errorf("a step that is not there: %d tries, %v", tries, err)
	}
}

func groupUnknown(s *bench) {
	id := s.accept(person(1)).ID
	parallel(many, func(i int) {
		if i == many/2 {
			_, err := s.Memory(s.ctx, "nobody")
			if galena.KindOf(err) != galena.NotFound {
				s.Errorf("error %v, want not found", err)
			}
			return
		}
		if m, err := s.Memory(s.ctx, id); err != nil || m.Lead.ID != id {
			s.Errorf("lead %q, error %v", m.Lead.ID, err)
		}
	})
}

// atOnce measures a call that 64 make at the same time.
func atOnce(b *testing.B, call func(i int)) {
	for i := 0; b.Loop(); i++ {
		parallel(64, func(n int) { call(i*64 + n) })
	}
	b.ReportMetric(b.Elapsed().Seconds()*1e6/float64(b.N)/64, "µs/lead")
}
