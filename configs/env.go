package configs

import (
	"cmp"
	"errors"
	"log/slog"
	"os"
	"reflect"
	"strings"

	"github.com/kelseyhightower/envconfig"
)

// prefix opens the name of every variable that is ours.
const prefix = "GALENA"

// Env is the environment, read and checked. An empty variable counts as absent.
type Env struct {
	DatabaseURL          Secret // postgres://… or sqlite:PATH; unset = SQLite in the data directory
	RedisURL             Secret // unset = embedded
	Addr                 string // host:port to listen on
	AddrGiven            bool   // GALENA_ADDR or PORT said so; else a demo may take a free port
	ConfigDir            string // "" = built-in
	AllowReservedDomains bool
	AllowPrivateTargets  []string // host[:port], CIDR or "loopback"
	AllowPrivateGiven    bool     // the demo's default applies only when the operator was silent
	DNS                  bool
	WebhookURL           Secret // keys hide in the paths of such URLs
	WebhookSecret        Secret // whsec_ + base64, or two with a blank between
	BootstrapToken       Secret
	MetricsAddr          string // "" = no port of its own
	PublicURL            string // without a trailing slash
	Contact              string // whom services that want to know may turn to: an e-mail address or a URL; PublicURL where none is given
	LogLevel             slog.Level
	LogFormat            string // "json", "text", or "" = what suits the output
	WorkerConcurrency    int    // 0 = what suits the machine
	OTLPEndpoint         string // "" = no traces

	secretKey    Secret
	databaseFrom string                   // the variable that gave DatabaseURL
	providers    map[string]vendor        // by NAME
	crm          map[string]Secret        // by what follows GALENA_CRM_
	lookup       func(name string) string // a function, so that printing an Env shows no variable
}

// variables are the fixed names, as envconfig sees them. Everything is text
// here: envconfig stops at the first fault and its ParseError prints the value,
// so conversion is ours. Only the two names that platforms set are tagged,
// because a tag makes envconfig honour the bare name too: a tagged LOG_LEVEL or
// SECRET_KEY would be taken from whoever set it for another program.
type variables struct {
	DatabaseURL          string `envconfig:"DATABASE_URL"`
	RedisURL             string `envconfig:"REDIS_URL"`
	Addr                 string `split_words:"true"`
	ConfigDir            string `split_words:"true"`
	AllowReservedDomains string `split_words:"true"`
	AllowPrivateTargets  string `split_words:"true"`
	DNS                  string `split_words:"true"`
	WebhookURL           string `split_words:"true"`
	WebhookSecret        string `split_words:"true"`
	BootstrapToken       string `split_words:"true"`
	MetricsAddr          string `split_words:"true"`
	SecretKey            string `split_words:"true"`
	PublicURL            string `split_words:"true"`
	Contact              string `split_words:"true"`
	LogLevel             string `split_words:"true"`
	LogFormat            string `split_words:"true"`
	WorkerConcurrency    string `split_words:"true"`
	OTLPEndpoint         string `split_words:"true"`
}

// EnvFault is one variable that cannot be used. It names the variable and
// never its value.
type EnvFault struct {
	Variable string
	Message  string
}

// Error prints "VARIABLE: message".
func (f *EnvFault) Error() string { return f.Variable + ": " + f.Message }

// ReadEnv reads the environment of this process. The error joins every
// *EnvFault, one line each. Further names are those that only this build knows.
func ReadEnv(also ...string) (Env, error) {
	var v variables
	// The one call of envconfig that looks at the process; it cannot fail, as
	// every field is text.
	if err := envconfig.Process(prefix, &v); err != nil {
		return Env{}, errors.New("the environment could not be read")
	}
	return buildEnv(v, listed(os.Environ()), also)
}

// ParseEnv reads an environment given as "NAME=value" lines, for tests and for
// programs that compose one.
func ParseEnv(lines []string, also ...string) (Env, error) {
	e := listed(lines)
	var v variables
	fields := reflect.ValueOf(&v).Elem()
	for i, name := range variableNames() {
		value, ok := e[name]
		if bare := fields.Type().Field(i).Tag.Get("envconfig"); !ok && bare != "" {
			value = e[bare]
		}
		fields.Field(i).SetString(value)
	}
	return buildEnv(v, e, also)
}

// variableNames asks envconfig how it calls the fields, in their order.
func variableNames() []string {
	var out strings.Builder
	// Usagef renders from the type alone and can only fail on the template.
	_ = envconfig.Usagef(prefix, &variables{}, &out, "{{range .}}{{usage_key .}}\n{{end}}")
	return strings.Fields(out.String())
}

// environ is the environment by name.
type environ map[string]string

func listed(lines []string) environ {
	e := make(environ, len(lines))
	for _, l := range lines {
		if name, value, ok := strings.Cut(l, "="); ok {
			e[name] = value
		}
	}
	return e
}

// buildEnv types and checks everything, and tells all faults together.
func buildEnv(v variables, e environ, also []string) (Env, error) {
	c := &envChecker{environ: e}
	env := Env{
		AllowReservedDomains: c.yesNo("GALENA_ALLOW_RESERVED_DOMAINS", v.AllowReservedDomains, false),
		AllowPrivateTargets:  c.targets("GALENA_ALLOW_PRIVATE_TARGETS", v.AllowPrivateTargets),
		AllowPrivateGiven:    present(e, "GALENA_ALLOW_PRIVATE_TARGETS"),
		DNS:                  c.yesNo("GALENA_DNS", v.DNS, true),
		ConfigDir:            v.ConfigDir,
		BootstrapToken:       c.longEnough("GALENA_BOOTSTRAP_TOKEN", c.secret("GALENA_BOOTSTRAP_TOKEN", v.BootstrapToken), 32),
		MetricsAddr:          c.address("GALENA_METRICS_ADDR", v.MetricsAddr),
		PublicURL:            strings.TrimRight(c.url("GALENA_PUBLIC_URL", v.PublicURL, "https", "http"), "/"),
		LogLevel:             c.level("GALENA_LOG_LEVEL", v.LogLevel),
		LogFormat:            c.word("GALENA_LOG_FORMAT", v.LogFormat, "json", "text"),
		WorkerConcurrency:    c.number("GALENA_WORKER_CONCURRENCY", v.WorkerConcurrency, 1, 10000),
		OTLPEndpoint:         c.url("GALENA_OTLP_ENDPOINT", v.OTLPEndpoint, "https", "http"),
		secretKey:            c.longEnough("GALENA_SECRET_KEY", c.secret("GALENA_SECRET_KEY", v.SecretKey), 16),
		lookup:               func(name string) string { return e[name] },
	}
	env.Contact = cmp.Or(c.contact("GALENA_CONTACT", v.Contact), env.PublicURL)
	env.Addr, env.AddrGiven = c.listen(v.Addr, e["PORT"])
	env.DatabaseURL, env.databaseFrom = c.platformURL("DATABASE_URL", v.DatabaseURL, "postgres", "postgresql", "sqlite")
	env.RedisURL, _ = c.platformURL("REDIS_URL", v.RedisURL, "redis", "rediss", "redis-sentinel", "redis-cluster")
	env.WebhookURL, env.WebhookSecret = c.webhook(v.WebhookURL, v.WebhookSecret)
	env.providers, env.crm = c.families(also)
	if len(c.faults) > 0 {
		return Env{}, c.join()
	}
	return env, nil
}
