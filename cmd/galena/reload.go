package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/configs"
	"github.com/galenahq/galena/providers/registry"
	"github.com/galenahq/galena/routing"
	"github.com/galenahq/galena/worker"
)

// lookEvery is how often the directory is looked at. A change is in force after
// the second look that finds it the same.
const lookEvery = time.Second

// editions is the store, as the rulebook needs it.
type editions interface {
	SaveConfig(ctx context.Context, c galena.ConfigRef, bytes []byte) error
	Configs(ctx context.Context) ([]galena.ConfigRef, error)
}

// rulebook holds the set of rules in force and replaces it as a whole when the
// files say something new and right. What is wrong changes nothing and is told.
//
//	files ──► watcher ──► configs.LoadSources ──► workshop.build ──► store ──► in force
//	                            └──── findings ◄───────┘                          │
//	                                     ▼                        leads keep the set they began with
//	                          log, metrics, /rules, /v1/configs
type rulebook struct {
	shop    workshop
	store   editions
	watcher *configs.Watcher // nil: the built-in files do not change
	dir     string
	log     *slog.Logger
	now     func() time.Time
	adopted func(*ruleset) // told of each new set

	history history // nil: every estimate is the prior, and vendors know what they promise, as in a scenario

	mu       sync.Mutex
	set      *ruleset
	state    galena.ConfigState
	told     string // the findings that the log has
	retiring sync.WaitGroup
	live     []*ruleset // in force, or still used
}

// adopt puts a set in force that was checked before. Its bytes are stored first:
// a decision must never name rules that nobody can look up.
func (b *rulebook) adopt(ctx context.Context, r configs.Rules) error {
	set, err := b.shop.build(r, b.current())
	if err != nil {
		return findings(r, err)
	}
	for _, ref := range r.Refs {
		if err := b.store.SaveConfig(ctx, ref, r.Bytes[ref.Kind]); err != nil {
			if set.waterfall != nil {
				set.waterfall.Retire()
			}
			return err
		}
	}
	if set.compiled != nil {
		set.compiled.Done = func() { b.done(set) }
		set.compiled = b.countIn(ctx, set.compiled)
	}
	b.mu.Lock()
	old := b.set
	b.set, b.live = set, append(b.live, set)
	b.state = configState(r, b.state, b.now())
	b.mu.Unlock()
	if b.adopted != nil {
		b.adopted(set)
	}
	if old != nil {
		b.retire(old)
	}
	return nil
}

// configState lists the files of a set; one that stayed as it was keeps its time.
func configState(r configs.Rules, before galena.ConfigState, now time.Time) galena.ConfigState {
	out := galena.ConfigState{LoadedAt: now, Findings: r.Warnings}
	for _, ref := range r.Refs {
		f := galena.ConfigFile{ConfigRef: ref, Path: r.Paths[ref.Kind], Since: now}
		i := slices.IndexFunc(before.Files, func(o galena.ConfigFile) bool { return o.ConfigRef == ref })
		if i >= 0 {
			f.Since = before.Files[i].Since
		}
		out.Files = append(out.Files, f)
	}
	return out
}

// current is the set in force.
func (b *rulebook) current() *ruleset {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.set
}

// router is routing as it is in force, and the files that say so.
func (b *rulebook) router() (*routing.Router, []galena.ConfigRef) {
	set := b.current()
	return set.router, set.rules.Refs
}

// ttl is how long a value of the field is good by the merge policy in force.
func (b *rulebook) ttl(field string) (fresh, held time.Duration) { return b.current().ttl(field) }

// status is what is in force and what was found in the files.
func (b *rulebook) status() galena.ConfigState {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.state
}

// begin gives a lead the set in force, which is kept until the lead is through;
// nil where nobody is asked.
func (b *rulebook) begin() *worker.Rules {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.set.compiled != nil {
		b.set.users++
	}
	return b.set.compiled
}

func (b *rulebook) done(set *ruleset) {
	b.mu.Lock()
	set.users--
	b.mu.Unlock()
	b.end(set)
}

func (b *rulebook) retire(set *ruleset) {
	b.mu.Lock()
	set.retired = true
	b.mu.Unlock()
	b.end(set)
}

// end lets go of a replaced set that no lead uses any more.
func (b *rulebook) end(set *ruleset) {
	b.mu.Lock()
	defer b.mu.Unlock()
	i := slices.Index(b.live, set)
	if !set.retired || set.users > 0 || i < 0 {
		return
	}
	b.live = slices.Delete(b.live, i, i+1)
	if set.waterfall != nil {
		b.retiring.Go(set.waterfall.Retire)
	}
}

// close gives up what is still under way.
func (b *rulebook) close() {
	b.mu.Lock()
	live := slices.Clone(b.live)
	b.mu.Unlock()
	for _, set := range live {
		if set.waterfall != nil {
			set.waterfall.Close()
		}
	}
	b.retiring.Wait()
}

// watch looks at the files until the context ends. SIGHUP makes it look at once
// and consider them again, changed or not.
func (b *rulebook) watch(ctx context.Context) error {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-hup:
			if b.watcher == nil {
				b.log.InfoContext(ctx, "nothing to reload: the built-in files are in force")
				continue
			}
			b.watcher.Again()
		case <-tick.C:
		}
		if b.watcher != nil {
			b.look(ctx)
		}
	}
}

func (b *rulebook) look(ctx context.Context) {
	sources, news, err := b.watcher.Look()
	switch {
	case err != nil && news:
		f := galena.Faultf("", "E02", "the directory cannot be read")
		b.refuse(ctx, configs.Report{{Path: b.dir, Line: 1, Column: 1, Code: f.Code, Severity: galena.SeverityError, Message: f.Message}})
	case news:
		b.consider(ctx, sources)
	}
}

// consider puts files in force, or tells why not.
func (b *rulebook) consider(ctx context.Context, sources []configs.Source) {
	before, mended := b.current(), b.status().Errors() > 0
	seen, err := b.store.Configs(ctx)
	if err != nil {
		seen = nil // a store that is away must not hide what is wrong in a file
	}
	r, err := configs.LoadSources(sources, configs.Options{Path: b.dir, Specs: registry.All(), Previous: seen, Given: before.rules.Given()})
	if err == nil && !r.Same(before.rules) {
		err = b.adopt(ctx, r)
	}
	if report, ok := err.(configs.Report); ok { //nolint:errorlint // it is never wrapped
		b.refuse(ctx, report)
		return
	}
	if err != nil {
		b.watcher.Again()
		b.log.WarnContext(ctx, "changed configuration waits for the store", "kind", galena.KindOf(err), "error", err)
		return
	}
	b.accepted(ctx, r, mended)
}

// accepted notes that the files as they are now are the ones in force; mended: those
// before them were refused.
func (b *rulebook) accepted(ctx context.Context, r configs.Rules, mended bool) {
	b.mu.Lock()
	b.state.Findings = r.Warnings
	loaded := b.state.LoadedAt
	fresh := b.tell(r.Warnings)
	files := b.state.Files
	b.mu.Unlock()
	var changed []string
	for _, f := range files {
		if f.Since.Equal(loaded) {
			changed = append(changed, f.Kind)
		}
	}
	var lists []string
	for _, l := range r.Hygiene.Lists {
		lists = append(lists, l.File)
	}
	b.log.InfoContext(ctx, "configuration in force", "kinds", strings.Join(changed, ","), "lists", strings.Join(lists, ","), "since", loaded, "mended", mended)
	for _, f := range r.Warnings {
		if fresh {
			b.log.WarnContext(ctx, "configuration", "finding", f.String())
		}
	}
}

// refuse keeps the rules in force and tells what is wrong, once per set of faults.
func (b *rulebook) refuse(ctx context.Context, report configs.Report) {
	b.mu.Lock()
	b.state.Findings = report
	fresh := b.tell(report)
	errs := b.state.Errors()
	b.mu.Unlock()
	if fresh {
		b.log.WarnContext(ctx, "configuration refused, the rules before stay in force", "errors", errs, "findings", report.Error())
	}
}

// tell says whether the log has not heard these findings last.
func (b *rulebook) tell(report configs.Report) bool {
	text := report.Error()
	fresh := text != b.told
	b.told = text
	return fresh
}
