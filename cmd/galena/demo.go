package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/api"
	"github.com/galenahq/galena/configs"
	"github.com/galenahq/galena/intake"
	"github.com/galenahq/galena/providers/fixture"
	"github.com/galenahq/galena/providers/registry"
	"github.com/galenahq/galena/sql"
)

type demoCmd struct {
	Scenario string `help:"Play this file instead of the sample leads, deterministically." placeholder:"FILE"`
	Configs  string `help:"Folder of configuration files instead of the demo's own." placeholder:"DIR"`
	JSON     bool   `help:"Print one JSON object per lead."`
	Exit     bool   `help:"End after the last lead instead of serving the pages."`
}

// Help is shown by --help.
func (demoCmd) Help() string {
	return `Example: galena demo
Example: galena demo --scenario leads.sample.yaml --configs configs --json --exit

Everything runs in this process: SQLite in a temporary folder, an embedded Redis
one simulated vendor per catalogue entry and a simulated CRM over real HTTP. Below
each lead stand its records in the CRM: what was blank before shows its value, what
changed shows both. With --scenario the file's own clock stands still inside a lead,
vendors answer at once and nothing is written to a CRM.`
}

// demo is one run of the command.
type demo struct {
	cmd      demoCmd
	std      streams
	scenario configs.Scenario
	clock    *demoClock
	app      *App
	decided  chan galena.Record
	written  chan writtenTo    // nil without a CRM
	reps     map[string]string // by their ids in the CRM
}

// Run feeds the leads and keeps serving.
func (c demoCmd) Run(ctx context.Context, std streams) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	d := &demo{cmd: c, std: std, decided: make(chan galena.Record, 1)}
	s, err := d.settings(ctx)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "galena-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	s.env.DatabaseURL, s.env.RedisURL = configs.NewSecret("sqlite:"+filepath.Join(dir, "galena.db")), configs.Secret{}
	if err := sql.Migrate(ctx, databaseURL(s.env), s.log); err != nil {
		return err
	}
	if err := errors.Join(d.vendors(ctx, &s), d.crm(ctx, &s)); err != nil {
		return err
	}
	if d.app, err = newApp(ctx, s); err != nil {
		return err
	}
	defer d.app.close()
	ended := make(chan error, 1)
	go func() { ended <- d.app.Run(ctx) }()
	if err := d.play(ctx); err != nil && ctx.Err() == nil {
		return err
	}
	if c.Exit {
		cancel()
	} else {
		d.watch(ctx)
	}
	return <-ended
}

// watch prints the leads that people hand in after the play.
func (d *demo) watch(ctx context.Context) {
	out := newTable(d.std.Out, d.cmd)
	for {
		select {
		case <-ctx.Done():
			return
		case r := <-d.decided:
			lead := configs.ScenarioLead{Submission: galena.Submission{Email: r.Lead.Email}}
			_ = out.line(result{lead: lead, judgement: r.Lead.Judgement, record: r, took: r.Decision.Took, records: recordLines(d.inCRM(ctx, r.Lead.ID), d.reps)})
		}
	}
}

// settings are those of serve, with everything outside replaced.
func (d *demo) settings(ctx context.Context) (settings, error) {
	env, err := configs.ReadEnv()
	if err != nil {
		return settings{}, usageError{err}
	}
	if err := d.load(); err != nil {
		return settings{}, err
	}
	env.AllowReservedDomains, env.DNS = true, false
	if !env.AllowPrivateGiven {
		env.AllowPrivateTargets = []string{"loopback"}
	}
	if !env.AddrGiven {
		env.Addr = freeAddress(ctx, env.Addr)
	}
	s := settings{env: env, roles: roles{web: true, worker: true, scheduler: true},
		log: newLog(env, d.std.Err), key: []byte(rand.Text()), once: rand.Text(),
		now: d.clock.now, decided: d.note}
	if env.LogLevel >= slog.LevelInfo {
		// A vendor that fails is part of the play; the table says so already.
		s.log = slog.New(slog.NewTextHandler(d.std.Err, &slog.HandlerOptions{Level: slog.LevelError}))
	}
	s.rules, err = d.rules()
	return s, err
}

// note passes a decision on to whoever prints it.
func (d *demo) note(ctx context.Context, r galena.Record) {
	select {
	case d.decided <- r:
	case <-ctx.Done():
	}
}

// load reads the scenario and starts its clock.
func (d *demo) load() error {
	name, read := "leads.yaml", func(n string) ([]byte, error) { return fs.ReadFile(configs.Demo(), n) }
	if d.cmd.Scenario != "" {
		name, read = d.cmd.Scenario, os.ReadFile
	}
	raw, err := read(name)
	if err != nil {
		return usageError{err}
	}
	if d.scenario, err = configs.LoadScenario(name, raw); err != nil {
		return err
	}
	d.clock = &demoClock{scenario: d.scenario, at: d.scenario.Now, frozen: d.cmd.Scenario != "", began: time.Now()}
	return nil
}

// rules are the demo's own or those of a folder, with the scenario's lists added.
func (d *demo) rules() (configs.Rules, error) {
	dir, path := configs.Demo(), "(demo)"
	if d.cmd.Configs != "" {
		dir, path = os.DirFS(d.cmd.Configs), d.cmd.Configs
	}
	r, err := configs.Load(dir, configs.Options{Path: path, Specs: registry.All()})
	if err != nil {
		return r, err
	}
	r.Hygiene = r.Hygiene.With(d.scenario.Hygiene)
	return r, nil
}

// vendors puts a simulated one behind every entry of the catalogue.
func (d *demo) vendors(ctx context.Context, s *settings) (err error) {
	v := vendors{answers: d.scenario.Answers, latency: map[string]time.Duration{}}
	entries := s.rules.Providers.Entries(registry.All())
	for _, e := range entries {
		if e.P95MS != nil {
			v.latency[e.ID] = time.Duration(*e.P95MS) * time.Millisecond / 6 // a typical answer
		}
	}
	ids := providerIDs(s.rules)
	urls := scenarioURLs(ids)
	if d.clock.frozen {
		s.frozen = true
		s.vendors = &http.Client{Transport: v}
	} else if urls, err = v.serve(ctx, ids); err != nil {
		return err
	}
	s.urls = func(id string) string { return urls[id] }
	// Whatever adapter the catalogue names, the simulated vendor speaks one dialect.
	s.specs = registry.All()
	for i := range s.specs {
		s.specs[i].New, s.specs[i].Keyless = fixture.Spec.New, true
	}
	return nil
}

// freeAddress is the usual one, or any free port when it is taken.
func freeAddress(ctx context.Context, addr string) string {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return "127.0.0.1:0"
	}
	if err == nil {
		_ = l.Close()
	}
	return addr
}

// remember tells the store what the CRM of the scenario holds.
func (d *demo) remember(ctx context.Context) error {
	for _, a := range d.scenario.Accounts {
		if err := d.app.store.SetAccountOwner(ctx, a.Domain, a.Owner); err != nil {
			return err
		}
	}
	for _, l := range d.scenario.OpenLeads {
		key, err := intake.CanonicalKey(l.Email)
		if err != nil {
			return fmt.Errorf("crm.open_leads: %w", err)
		}
		if err := d.app.store.SetOpenLead(ctx, key, l.Owner); err != nil {
			return err
		}
	}
	return d.app.store.AddObservations(ctx, d.scenario.Observations)
}

// play feeds the leads one after the other, in the file's order.
func (d *demo) play(ctx context.Context) error {
	if err := d.remember(ctx); err != nil {
		return err
	}
	out := newTable(d.std.Out, d.cmd)
	out.begin()
	for _, lead := range d.scenario.Leads {
		d.clock.lead(lead.N)
		began := time.Now()
		result, err := d.feed(ctx, lead)
		if err != nil {
			return fmt.Errorf("lead %d: %w", lead.N, err)
		}
		result.took = time.Since(began)
		if result.record.Decision != nil {
			result.records = recordLines(d.inCRM(ctx, result.record.Lead.ID), d.reps)
		}
		if err := out.line(result); err != nil {
			return err
		}
	}
	if d.cmd.Exit {
		return nil
	}
	return d.urls(ctx)
}

// feed hands one lead in and waits for what becomes of it.
func (d *demo) feed(ctx context.Context, lead configs.ScenarioLead) (result, error) {
	receipt, j, err := d.app.gate.Submit(ctx, lead.Submission, nil, nil)
	r := result{lead: lead, judgement: j, duplicate: receipt.Duplicate}
	if j.Verdict == galena.Reject {
		return r, nil
	}
	if err != nil || receipt.Duplicate || j.Verdict != galena.Accept {
		return r, err
	}
	select {
	case r.record = <-d.decided:
		return r, nil
	case <-ctx.Done():
		return r, ctx.Err()
	case <-time.After(time.Minute):
		return r, errors.New("no decision within a minute")
	}
}

// urls tells where to look, on standard error so that output stays the result.
func (d *demo) urls(ctx context.Context) error {
	value, token := api.NewToken(api.PrefixTest, d.clock.now(), time.Time{})
	token.Description, token.Scopes, token.CreatedBy = "demo", galena.GroupScopes()["integration"], "demo"
	if err := d.app.store.CreateToken(ctx, token); err != nil {
		return err
	}
	_, err := fmt.Fprintf(d.std.Err, `
Pages:    %[1]s/login?once=%[2]s  (opens once)
Queue:    %[1]s/monitor/
Contract: %[1]s/openapi.json
Metrics:  %[1]s/metrics
Try one:  curl -s %[1]s/v1/leads -H 'Authorization: Bearer %[3]s' \
            -H 'Content-Type: application/json' \
            -d '{"email":"you@kestrel-pay.example","job_title":"CEO","form":"demo"}'

The demo's clock began on %[4]s, so that reps are at work. Ctrl-C ends it.
`, d.app.url(), d.app.once, value, d.scenario.Now.UTC().Format("Monday, 2006-01-02 15:04 MST"))
	return err
}
