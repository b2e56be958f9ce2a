package drill

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// roomFaults are too little memory, disk or descriptors, and what fills them
// slowly (F07, F13, F44, F95).
func roomFaults() []fault {
	return []fault{
		{id: "F07", name: "gzip bombs in 96 MiB", limit: leadLimit, setup: func(b *bench) {
			b.more["worker1"], b.more["worker2"] = "GOMEMLIMIT=96MiB", "GOMEMLIMIT=96MiB"
		}, cause: func(b *bench) {
			b.hostileSet(floods()[:1])
			for _, w := range b.workers {
				b.atMost(w.name+" peak MB", b.peakMB(w), 128)
			}
		}},
		{id: "F13", name: "one answer of twenty is hostile", limit: leadLimit, cause: leakWatch},
		{id: "F44", name: "the disk of postgres full", setup: smallDisk, cause: diskFull},
		{id: "F95", name: "web with 128 descriptors", limit: time.Minute, cause: fewDescriptors},
	}
}

// sample is how large a process was at a moment.
type sample struct{ minute, mb, goroutines, descriptors float64 }

func (b *bench) sample(p *process, began time.Time) sample {
	fds, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.cmd.Process.Pid))
	return sample{time.Since(began).Minutes(), b.statusMB(p, "VmRSS"), b.gauge(p, "go_goroutines"), float64(len(fds))}
}

// mean of a figure over samples.
func mean(of []sample, figure func(sample) float64) float64 {
	sum := 0.0
	for _, s := range of {
		sum += figure(s)
	}
	return sum / float64(max(len(of), 1))
}

// floor of a figure over samples: the one that a tenth of them are below. A leak
// raises it; a busy minute, with its connections that are kept for a while, does not.
func floor(of []sample, figure func(sample) float64) float64 {
	all := make([]float64, len(of))
	for i, s := range of {
		all[i] = figure(s)
	}
	slices.Sort(all)
	return all[len(all)/10]
}

// slope of the memory in MB a minute: the line that is nearest to all samples.
func slope(of []sample) float64 {
	x, y := mean(of, func(s sample) float64 { return s.minute }), mean(of, func(s sample) float64 { return s.mb })
	over, under := 0.0, 0.0
	for _, s := range of {
		over += (s.minute - x) * (s.mb - y)
		under += (s.minute - x) * (s.minute - x)
	}
	return over / max(under, 1e-9)
}

// leakWatch looks at the size of every process under load, with every kind of
// hostile answer among the good ones. Memory breathes for minutes, and what a burst
// opens is kept for five, so a short watch judges only how much memory grew. Of
// goroutines and descriptors a leak leaves more and more that never end: their
// floor is judged.
func leakWatch(b *bench) {
	var set []hostile
	for _, of := range [][]hostile{torn(), nonsense(), lies(), floods()[:2]} {
		set = append(set, of...)
	}
	b.p1.play(func(n int, _ call) answer {
		if n%20 == 7 {
			return set[n/20%len(set)].answer
		}
		return b.p1.well(5 * time.Millisecond)
	})
	all := b.ours()
	l := b.gen.run("f13", 2.5*b.plan.rate)
	began, watch := time.Now(), b.span(30*time.Minute, time.Minute)
	b.rest(watch / 6)
	samples := map[string][]sample{}
	for time.Since(began) < watch {
		for _, p := range all {
			samples[p.name] = append(samples[p.name], b.sample(p, began))
		}
		b.rest(watch / 60)
	}
	l.end()
	for _, p := range all {
		of := samples[p.name]
		first, last := of[:len(of)/3], of[len(of)-len(of)/3:]
		rss := func(s sample) float64 { return s.mb }
		if watch < 10*time.Minute {
			b.atMost(p.name+" grew by MB", mean(last, rss)-mean(first, rss), 32)
			continue
		}
		b.atMost(p.name+" MB/min", slope(of), 1)
		for what, figure := range map[string]func(sample) float64{"goroutines": func(s sample) float64 { return s.goroutines },
			"descriptors": func(s sample) float64 { return s.descriptors }} {
			b.atMost(p.name+" "+what, floor(last, figure), 1.05*floor(first, figure)+5)
		}
	}
}

// smallDisk puts Postgres on a disk of 64 MB of its own.
func smallDisk(b *bench) {
	_ = b.pg.db.Close()
	b.pg.kill()
	data := filepath.Join(b.dir, "pg")
	b.must(os.RemoveAll(data))
	b.must(os.Mkdir(data, 0o700))
	if err := syscall.Mount("tmpfs", data, "tmpfs", 0, "size=64m,mode=0700"); err != nil {
		b.t.Fatalf("%s needs root to mount a small disk: %v", b.id, err)
	}
	b.t.Cleanup(func() { _ = syscall.Unmount(data, syscall.MNT_FORCE|2) }) // 2 = detach: the server may hold it still
	pg, err := newPostgres(b.plan.programs, b.dir, "--wal-segsize=1")
	b.must(err)
	b.pg = pg
	b.pg.args = append(b.pg.args, "-c", "max_wal_size=4MB", "-c", "min_wal_size=2MB")
}

// diskFull leaves Postgres no byte for a while. It may crash of it; the gate may
// not, and must say what is the matter.
func diskFull(b *bench) {
	l := b.gen.run("f44", b.plan.rate)
	b.rest(3 * time.Second)
	filler := filepath.Join(b.dir, "pg", "filler")
	b.must(fill(filler))
	began := time.Now()
	for time.Since(began) < b.span(time.Minute, 15*time.Second) {
		b.rest(500 * time.Millisecond)
		if !b.pg.running() { // a platform starts it again and again
			b.pg.forgive()
			b.must(b.pg.start())
		}
		b.must(fill(filler)) // what was freed meanwhile
	}
	b.must(os.Remove(filler))
	if !b.pg.running() {
		b.pg.forgive()
	}
	b.must(b.pg.up())
	up := time.Now()
	took := b.within(30*time.Second, "a lead is accepted again", func() bool {
		_, acks := b.gen.books()
		return len(acks) > 0 && acks[len(acks)-1].From.After(up)
	})
	l.end()
	b.figure("accepted again after %.1fs, refused %v", took.Seconds(), b.gen.refusals())
	b.atLeast("posts refused", float64(b.gen.refusals()[http.StatusServiceUnavailable]), 1)
	b.atMost("posts broken off", float64(total(b.gen.refusals())-b.gen.refusals()[http.StatusServiceUnavailable]), 0)
	b.atMost("slowest refusal s", b.gen.slowest.Seconds(), 3.5)
	b.atLeast("lines that say that the disk is full", float64(b.logged(b.web, "disk is full")), 1)
	b.atMost("leads that nobody will decide", b.sql(`SELECT count(*) FROM leads l WHERE NOT EXISTS (SELECT 1 FROM steps s WHERE s.lead_id = l.id)
		AND NOT EXISTS (SELECT 1 FROM decisions d WHERE d.lead_id = l.id)`), 0)
}

// fill writes a file until the disk is full.
func fill(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	for piece := make([]byte, 64<<10); len(piece) > 0; {
		if _, err := f.Write(piece); errors.Is(err, syscall.ENOSPC) {
			piece = piece[:len(piece)/2]
		} else if err != nil {
			return err
		}
	}
	return nil
}

// fewDescriptors lets idlers take what connections web has. Whoever comes then
// is told so at once; who was there before is served.
func fewDescriptors(b *bench) {
	b.web.kill()
	b.web.args, b.web.path = []string{"-c", `ulimit -n 128; exec "$0" web`, b.galena}, "/bin/sh"
	b.must(b.web.start())
	b.within(time.Minute, "web is ready", func() bool { return statusOf(b.gen.base+"/readyz") == http.StatusOK })
	pid := b.web.cmd.Process.Pid
	l := b.gen.run("f95", b.plan.rate)
	b.rest(2 * time.Second)
	var idle []net.Conn
	for range b.times(10, 2) {
		for range 300 {
			if c, err := net.DialTimeout("tcp", strings.TrimPrefix(b.gen.base, "http://"), time.Second); err == nil {
				idle = append(idle, c)
			}
		}
		b.newcomer()
		b.rest(6 * time.Second) // by then whoever said nothing is shown out
	}
	for _, c := range idle {
		_ = c.Close()
	}
	b.within(10*time.Second, "web is ready again", func() bool { return statusOf(b.gen.base+"/readyz") == http.StatusOK })
	b.rest(2 * time.Second)
	l.end()
	b.figure("refused %v", b.gen.refusals())
	b.atMost("posts broken off", float64(b.gen.refusals()[noAnswer]), 0)
	b.atLeast("idlers that were let in", float64(len(idle)), 300)
	if !b.web.running() || b.web.cmd.Process.Pid != pid {
		b.fail("web died")
	}
}

// newcomer asks web while idlers have all its places.
func (b *bench) newcomer() {
	b.t.Helper()
	began := time.Now()
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	if res, err := client.Get(b.gen.base + "/readyz"); err != nil {
		b.fail("a newcomer is told nothing: %v", err)
	} else if res.Body.Close(); res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "" {
		b.fail("a newcomer is told %d, want 503 with Retry-After", res.StatusCode)
	}
	b.atMost("a newcomer is answered after s", time.Since(began).Seconds(), b.plan.patience)
}
