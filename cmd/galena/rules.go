package main

import (
	"fmt"
	"io/fs"
	"log/slog"
	"os"

	"github.com/galenahq/galena/configs"
	"github.com/galenahq/galena/intake"
	"github.com/galenahq/galena/merging"
	"github.com/galenahq/galena/providers"
	"github.com/galenahq/galena/providers/registry"
	"github.com/galenahq/galena/routing"
	"github.com/galenahq/galena/scoring"
	"github.com/galenahq/galena/worker"
)

// loadRules reads the files of GALENA_CONFIG_DIR over the built-in ones.
// Warnings are logged, errors end the start with every fault named.
func loadRules(env configs.Env, log *slog.Logger) (configs.Rules, error) {
	var dir fs.FS
	if env.ConfigDir != "" {
		dir = os.DirFS(env.ConfigDir)
	}
	rules, err := configs.Load(dir, configs.Options{Path: env.ConfigDir, Specs: registry.All()})
	if err != nil {
		return rules, err
	}
	for _, f := range rules.Warnings {
		log.Warn("configuration", "finding", f.String())
	}
	return rules, env.CheckVendors(rules.Providers.KeyIDs(registry.All()), nil)
}

// providerIDs lists the catalogue.
func providerIDs(r configs.Rules) []string {
	var ids []string
	for _, e := range r.Providers.Entries(registry.All()) {
		ids = append(ids, e.ID)
	}
	return ids
}

// judgeOf is hygiene with the lists of the file. The named accounts of routing
// are known domains too: what somebody may have meant, and never a slip.
func judgeOf(r configs.Rules, env configs.Env) (*intake.Judge, error) {
	router, err := routing.New(r.Routing)
	if err != nil {
		return nil, fmt.Errorf("routing: %w", err)
	}
	return intake.NewJudge(r.Hygiene.Knowing(router.NamedDomains()), intake.Options{AllowReserved: env.AllowReservedDomains})
}

// compile makes one consistent set of rules. In a scenario the deadline never fires.
func compile(r configs.Rules, w *providers.Waterfall, frozen bool) (*worker.Rules, error) {
	icp, err := scoring.New(r.ICP)
	if err != nil {
		return nil, fmt.Errorf("ICP: %w", err)
	}
	policy, err := merging.New(r.Merging, w.Trust())
	if err != nil {
		return nil, fmt.Errorf("merging: %w", err)
	}
	router, err := routing.New(r.Routing)
	if err != nil {
		return nil, fmt.Errorf("routing: %w", err)
	}
	out := &worker.Rules{ICP: icp, Merging: policy, Routing: router, Refs: r.Refs,
		AlwaysCollect: w.AlwaysCollect(), LimitMicros: w.Limits().PerLeadMicros(),
		Deadline: w.Limits().Deadline()}
	if frozen {
		out.Deadline = -1
	}
	return out, nil
}
