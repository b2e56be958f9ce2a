package sqltest

import (
	"sync"
	"time"
)

var jobRules = map[string]func(*bench){
	"TwoSchedulersRunATickOnce":          tickOnce,
	"ADeadHolderIsReplacedAtTheNextTick": holderReplaced,
}

// tickOnce lets two schedulers run a job for a while. The ticks are those of the
// database's clock, which the test does not hold.
func tickOnce(s *bench) {
	const every, ticks = 100 * time.Millisecond, 20
	var mu sync.Mutex
	runs := map[int64]int{}
	end := time.Now().Add(ticks * every)
	parallel(2, func(i int) {
		holder := string(rune('a' + i))
		for time.Now().Before(end) {
			ours, wait, err := s.ClaimJob(s.ctx, "sweep", holder, every)
			if err != nil {
				s.Error(err)
				return
			}
			if ours {
				mu.Lock()
				runs[time.Now().Add(wait-every/2).UnixMicro()/every.Microseconds()]++
				mu.Unlock()
				if err := s.ReleaseJob(s.ctx, "sweep", holder); err != nil {
					s.Error(err)
				}
			}
			time.Sleep(min(wait, every))
		}
	})
	all := 0
	for _, n := range runs {
		all += n
	}
	if all > ticks+1 || all < ticks/2 {
		s.Errorf("%d runs in %d ticks", all, ticks)
	}
}

func holderReplaced(s *bench) {
	const every = 500 * time.Millisecond
	claim := func(holder string) (bool, time.Duration) {
		ours, wait, err := s.ClaimJob(s.ctx, "tidy", holder, every)
		s.ok(err)
		return ours, wait
	}
	ours, _ := claim("dead")
	if !ours {
		s.Fatal("nobody holds the job, and it is refused")
	}
	if again, _ := claim("other"); again {
		s.Fatal("one tick was given out twice")
	}
	for began := time.Now(); ; {
		ours, wait := claim("other")
		if ours {
			if late := time.Since(began); late > 3*every {
				s.Errorf("the job came back after %v, want the next tick", late)
			}
			return
		}
		if time.Since(began) > 10*every {
			s.Fatal("the job never came back")
		}
		time.Sleep(wait)
	}
}
