package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/configs"
	"github.com/galenahq/galena/intake"
	"github.com/galenahq/galena/providers"
	"github.com/galenahq/galena/providers/registry"
	"github.com/galenahq/galena/redis"
	"github.com/galenahq/galena/sql"
)

type doctorCmd struct {
	JSON bool `help:"Print one JSON object per finding."`
}

// Help is shown by --help.
func (doctorCmd) Help() string {
	return `Example: DATABASE_URL=postgres://… REDIS_URL=redis://… galena doctor

Ends with 3 when something is wrong, with 0 when there are warnings only.`
}

// The verdicts of a finding.
const (
	fine    = "ok"
	warning = "warn"
	wrong   = "wrong"
)

// finding is one thing that was looked at.
type finding struct {
	Part    string `json:"part"`
	Verdict string `json:"verdict"`
	Says    string `json:"says"`
	Do      string `json:"do,omitempty"`
}

// print shows a finding to a person, or to a program.
func (f finding) print(std streams, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(std.Out).Encode(f)
	}
	fmt.Fprintf(std.Out, "%-5s  %-9s %s\n", f.Verdict, f.Part, f.Says)
	if f.Do != "" {
		fmt.Fprintf(std.Out, "%18s%s\n", "", f.Do)
	}
	return nil
}

// Run looks at settings, files and stores.
func (c doctorCmd) Run(ctx context.Context, std streams) error {
	findings := diagnose(ctx, std)
	bad := false
	for _, f := range findings {
		bad = bad || f.Verdict == wrong
		if err := f.print(std, c.JSON); err != nil {
			return err
		}
	}
	if bad {
		return errNo
	}
	return nil
}

func diagnose(ctx context.Context, std streams) []finding {
	env, err := configs.ReadEnv()
	if err != nil {
		return []finding{{"settings", wrong, oneLine(err), "see docs/operations.md"}}
	}
	out := []finding{{"settings", fine, "every GALENA_ variable is known and of its form", ""}}
	if rules, err := rulesOf(env.ConfigDir); err != nil {
		out = append(out, finding{"rules", wrong, oneLine(err), "galena check names every fault"})
	} else {
		out = append(out, rulesFinding(env, rules))
		out = append(out, listFindings(rules.Hygiene, time.Now())...)
		out = append(out, vendorFindings(ctx, env, rules.Providers)...)
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	out = append(out, database(ctx, env, std)...)
	return append(out, queue(ctx, env, std)...)
}

// rulesFinding says whether files that are in order by themselves go with these
// settings: a start puts them in force as it is done here.
func rulesFinding(env configs.Env, rules configs.Rules) finding {
	client, err := providers.NewClient(env.AllowPrivateTargets)
	if err == nil {
		defer client.CloseIdleConnections()
		shop := workshop{env: env, guarded: client, clock: time.Now, reg: prometheus.NewRegistry(),
			scribe: func(c configs.CRM) (*scribe, error) {
				_, err := wires{env: env, client: client, now: time.Now}.connect(c)
				return nil, err
			}}
		_, err = shop.build(rules, nil)
	}
	if err != nil {
		return finding{"rules", wrong, oneLine(findings(rules, err)), "the settings and the files do not go together: nothing starts so"}
	}
	return finding{"rules", fine, "the files are in order", ""}
}

// listFindings warns of lists that are old enough to miss what is new.
func listFindings(c intake.Config, now time.Time) (out []finding) {
	lists, err := c.InForce()
	if err != nil {
		return []finding{{"lists", wrong, oneLine(err), ""}}
	}
	for _, l := range lists {
		if l.Stale(now) {
			out = append(out, finding{"lists", warning, l.File + " is older than 90 days", "galena lists update, or upgrade"})
		}
	}
	if len(out) == 0 {
		out = []finding{{"lists", fine, "none is older than 90 days", ""}}
	}
	return out
}

// vendorFindings asks the vendors that tell of their account for free whether
// they take the key, and how much is left on it.
func vendorFindings(ctx context.Context, env configs.Env, c providers.Config) (out []finding) {
	all, err := accounts(ctx, env, c)
	if err != nil {
		return []finding{{"vendors", wrong, oneLine(err), "see docs/providers.md"}}
	}
	for _, checked := range all {
		out = append(out, accountFinding(checked))
	}
	return out
}

// accounts asks the vendors that are on and tell of their account for free.
func accounts(ctx context.Context, env configs.Env, c providers.Config) ([]providers.Checked, error) {
	client, err := providers.NewClient(env.AllowPrivateTargets)
	if err != nil {
		return nil, err
	}
	defer client.CloseIdleConnections()
	w, err := providers.New(c, providers.Deps{Specs: registry.All(), Keys: env.ProviderKey, URLs: env.ProviderURL,
		Contact: env.Contact, Client: client})
	if err != nil {
		return nil, err
	}
	defer w.Close()
	return w.Accounts(ctx), nil
}

// accountFinding puts a vendor's word on its account for a person.
func accountFinding(c providers.Checked) finding {
	f := finding{"vendors", fine, c.Provider + " takes the key", ""}
	if left := c.Account.CreditsLeft; left != nil {
		f.Says += fmt.Sprintf(", %d credits left", *left)
		if *left == 0 {
			f.Verdict, f.Do = warning, "nobody asks it until there are new ones: buy some, or wait"
		}
	}
	if at := c.Account.RenewsAt; !at.IsZero() {
		f.Says += ", new ones on " + at.Format(time.DateOnly)
	}
	switch galena.KindOf(c.Err) {
	case "":
		return f
	case galena.Unauthorized:
		return finding{"vendors", wrong, c.Provider + " refuses the key", "see GALENA_PROVIDER_" + providers.EnvName(c.Provider) + "_KEY"}
	default:
		return finding{"vendors", warning, oneLine(c.Err), "leads are decided without it meanwhile"}
	}
}

func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }

// clockTolerance is how far apart the clocks of a process and of the database
// may be before leases and due times suffer.
const clockTolerance = 2 * time.Second

func database(ctx context.Context, env configs.Env, std streams) (out []finding) {
	if !env.DatabaseURL.Set() {
		out = append(out, finding{"database", warning, "embedded: " + strings.TrimPrefix(databaseURL(env), "sqlite:"),
			"fine for one machine; for more set DATABASE_URL"})
	}
	store, err := sql.Open(ctx, databaseURL(env), newLog(env, std.Err), time.Now)
	if err != nil {
		return append(out, finding{"database", wrong, oneLine(err), "is it there, and is galena migrate done?"})
	}
	defer store.Close()
	before := time.Now()
	engine, now, err := store.About(ctx)
	if err != nil {
		return append(out, finding{"database", wrong, oneLine(err), ""})
	}
	out = append(out, finding{"database", fine, engine + ", schema up to date", ""})
	if now.IsZero() {
		return out
	}
	if off := now.Sub(before).Round(time.Millisecond); off.Abs() > clockTolerance {
		return append(out, finding{"clock", wrong, fmt.Sprintf("the database's clock is %v off this machine's", off), "run NTP on both"})
	}
	return append(out, finding{"clock", fine, "the same as the database's", ""})
}

func queue(ctx context.Context, env configs.Env, std streams) []finding {
	if !env.RedisURL.Set() {
		return []finding{{"redis", warning, "embedded in the process", "fine for galena serve alone; for more processes set REDIS_URL"}}
	}
	c, err := redis.Open(env.RedisURL.Reveal(), 2, newLog(env, std.Err))
	if err != nil {
		return []finding{{"redis", wrong, oneLine(err), ""}}
	}
	defer c.Close()
	a, err := c.About(ctx)
	if err != nil {
		return []finding{{"redis", wrong, oneLine(err), "leads are kept meanwhile, and decided when it is back"}}
	}
	return append(redisFindings(a), redisSafety(env.RedisURL.Reveal())...)
}

// redisFindings holds a server against what the queue needs.
func redisFindings(a redis.About) []finding {
	out := []finding{{"redis", fine, "version " + a.Version, ""}}
	if !a.AtLeast(6, 2) {
		out[0] = finding{"redis", wrong, "has version " + a.Version + ", older than 6.2", "upgrade: the queue's scripts need 6.2"}
	}
	switch {
	case a.AppendOnly:
		out = append(out, finding{"redis", fine, "keeps its tasks over a restart (appendonly)", ""})
	case a.Snapshots:
		out = append(out, finding{"redis", warning, "keeps snapshots only", "appendonly yes spares the sweep some work after a restart; nothing is lost either way"})
	default:
		out = append(out, finding{"redis", warning, "forgets everything at a restart", "appendonly yes spares the sweep some work after a restart; nothing is lost either way"})
	}
	if a.Eviction != "" && a.Eviction != "noeviction" {
		out = append(out, finding{"redis", wrong, "evicts keys when it is full (" + a.Eviction + ")", "maxmemory-policy noeviction: any other policy drops tasks that wait"})
	}
	if a.MaxBytes > 0 && a.UsedBytes*10 > a.MaxBytes*7 {
		out = append(out, finding{"redis", warning, fmt.Sprintf("%d %% of its memory is in use", a.UsedBytes*100/a.MaxBytes), "a full Redis stops the queue; leads then wait in the database"})
	}
	if a.Role == "slave" {
		out = append(out, finding{"redis", wrong, "is a replica and takes no writes", "use the address of the primary, or redis-sentinel://"})
	}
	return out
}

// redisSafety warns of a server that others on the way may read.
func redisSafety(address string) []finding {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "127.0.0.1" || u.Hostname() == "localhost" || u.Hostname() == "::1" {
		return nil // a list of hosts is not judged, and loopback needs neither
	}
	var missing []string
	if _, has := u.User.Password(); !has {
		missing = append(missing, "a password")
	}
	if u.Scheme == "redis" {
		missing = append(missing, "TLS (rediss://)")
	}
	if len(missing) == 0 {
		return nil
	}
	return []finding{{"redis", warning, "is not on this machine and has no " + strings.Join(missing, " and no "), "anyone on the way can read and change the queue"}}
}
