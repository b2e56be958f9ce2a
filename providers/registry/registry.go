// Package registry lists the vendors that are built in. Adding one is a folder
// beside this one and a line in All.
package registry

import (
	"github.com/galenahq/galena/providers"
	"github.com/galenahq/galena/providers/abstract"
	"github.com/galenahq/galena/providers/apollo"
	"github.com/galenahq/galena/providers/clearbit"
	"github.com/galenahq/galena/providers/cufinder"
	"github.com/galenahq/galena/providers/custom"
	"github.com/galenahq/galena/providers/dns"
	"github.com/galenahq/galena/providers/fixture"
	"github.com/galenahq/galena/providers/gleif"
	"github.com/galenahq/galena/providers/homepage"
	"github.com/galenahq/galena/providers/hunter"
	"github.com/galenahq/galena/providers/peopledatalabs"
	"github.com/galenahq/galena/providers/rdap"
	"github.com/galenahq/galena/providers/thecompaniesapi"
	"github.com/galenahq/galena/providers/wikidata"
)

// All lists the built-in vendors in the order in which a catalogue that names
// none offers them.
func All() []providers.Spec {
	return []providers.Spec{
		cufinder.Spec,
		cufinder.Revenue,
		cufinder.Tech,
		hunter.Spec,
		peopledatalabs.Spec,
		apollo.Spec,
		thecompaniesapi.Spec,
		clearbit.Spec,
		abstract.Spec,
		rdap.Spec,
		wikidata.Spec,
		gleif.Spec,
		dns.Spec,
		homepage.Spec,
		fixture.Spec,
		custom.Spec,
	}
}
