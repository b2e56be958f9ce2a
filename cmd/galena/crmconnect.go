package main

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/configs"
	"github.com/galenahq/galena/crm"
	"github.com/galenahq/galena/crm/rest"
	"github.com/galenahq/galena/crm/twenty"
	"github.com/galenahq/galena/providers"
	"github.com/galenahq/galena/redis"
)

// connector is a CRM that knows how its fields are to be written.
type connector interface {
	crm.CRM
	Policies(o crm.Object) map[crm.Field]crm.Policy
}

// wires are what connectors reach the outside by. Without a limiter each process
// paces itself: a command that makes a few calls has no Redis.
type wires struct {
	env     configs.Env
	client  *http.Client // the guarded one
	limiter *redis.Limiter
	now     func() time.Time
}

// connect makes the connector that a file of kind CRM describes. It calls nobody.
func (w wires) connect(c configs.CRM) (connector, error) {
	if c.Known() {
		return w.twenty(c)
	}
	own := *c.REST
	settings := w.env.CRM(c.ID)
	if err := known(c.ID, settings, append(own.Auth.Settings(), "URL")); err != nil {
		return nil, err
	}
	if settings["URL"].Set() {
		own.BaseURL = settings["URL"].Reveal()
	}
	d := rest.Deps{Client: w.client, Now: w.now, Secret: w.secret(c.ID)}
	if w.limiter != nil {
		d.Limiter = w.limiter
	}
	return rest.New(c.ID, own, d)
}

// secret reads a setting of a CRM anew: a token may have been replaced.
func (w wires) secret(id string) func(setting string) (string, error) {
	return func(setting string) (string, error) {
		s, err := w.env.Lookup(settingOf(id, setting))
		return s.Reveal(), err
	}
}

// twentySettings are what may follow GALENA_CRM_TWENTY_.
var twentySettings = []string{"URL", "KEY", "KEY_NAME", "APP_URL", "WEBHOOK_SECRET"}

func (w wires) twenty(c configs.CRM) (*twenty.CRM, error) {
	settings := w.env.CRM(c.ID)
	if err := known(c.ID, settings, twentySettings); err != nil {
		return nil, err
	}
	if !settings["URL"].Set() || !settings["KEY"].Set() {
		return nil, galena.Errorf(galena.Invalid, "crm", "set %s and %[2]s, or %[2]s_FILE", settingOf(c.ID, "URL"), settingOf(c.ID, "KEY"))
	}
	d := twenty.Deps{Client: w.client, Now: w.now, Secret: w.secret(c.ID)}
	if w.limiter != nil {
		d.Limiter = w.limiter
	}
	return twenty.New(twenty.Config{Name: c.ID, URL: settings["URL"].Reveal(), App: settings["APP_URL"].Reveal(), Key: settings["KEY"].Reveal(),
		KeyName: settings["KEY_NAME"].Reveal(), Mapping: c.Mapping}, d)
}

// settingOf is the variable that holds a setting of a CRM.
func settingOf(id, setting string) string {
	return "GALENA_CRM_" + providers.EnvName(id) + "_" + setting
}

// known refuses a setting that nobody reads.
func known(id string, settings map[string]configs.Secret, names []string) error {
	for name := range settings {
		if !slices.Contains(names, name) {
			return galena.Errorf(galena.Invalid, settingOf(id, name), "unknown setting (there are %s)", strings.Join(names, ", "))
		}
	}
	return nil
}
