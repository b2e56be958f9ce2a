package providers

import (
	"strings"
	"sync"

	"github.com/galenahq/galena"
)

// technologies maps products to the spellings that vendors use. What is not
// listed keeps its own slug: a rule that names it still finds it.
var technologies = map[string]string{
	"activecampaign":     "active campaign",
	"adobe-analytics":    "omniture;adobe omniture;site catalyst",
	"airtable":           "",
	"amplitude":          "amplitude analytics",
	"asana":              "",
	"aws":                "amazon web services;amazon aws;aws hosted;amazon hosting",
	"azure":              "microsoft azure;azure cloud;ms azure;microsoft azure hosting",
	"bigquery":           "google bigquery;google cloud bigquery",
	"cloudflare":         "cloudflare cdn;cloudflare hosting;cloudflare dns",
	"databricks":         "",
	"drift":              "drift chat",
	"eloqua":             "oracle eloqua",
	"facebook-ads":       "facebook advertiser;facebook custom audiences;meta ads;facebook pixel;meta pixel",
	"freshdesk":          "",
	"gitlab":             "",
	"google-ads":         "google adwords;adwords;google adsense conversion",
	"google-analytics":   "ga4;universal analytics;google analytics 4",
	"google-cloud":       "gcp;google cloud platform;google cloud hosting",
	"google-tag-manager": "gtm",
	"google-workspace":   "gmail;google apps;google apps for work;g suite;gsuite;gmail for business",
	"greenhouse":         "greenhouse.io",
	"hubspot":            "hubspot crm;hubspot cms;hubspot analytics;hubspot marketing hub;hub spot",
	"intercom":           "intercom.io",
	"jira":               "atlassian jira",
	"kubernetes":         "k8s",
	"linkedin-ads":       "linkedin insight tag;linkedin marketing solutions;linkedin advertising",
	"mailchimp":          "mail chimp",
	"marketo":            "adobe marketo;marketo engage",
	"matomo":             "piwik",
	"microsoft-365":      "office 365;microsoft office 365;o365;outlook exchange online;exchange online",
	"microsoft-dynamics": "dynamics 365;ms dynamics;microsoft dynamics crm;dynamics crm",
	"mixpanel":           "",
	"netsuite":           "oracle netsuite",
	"optimizely":         "",
	"outreach":           "outreach.io",
	"pardot":             "salesforce pardot;account engagement",
	"pipedrive":          "",
	"postgresql":         "postgres",
	"react":              "reactjs;react js",
	"redshift":           "amazon redshift;aws redshift",
	"ruby-on-rails":      "rails;ror",
	"salesforce":         "salesforce crm;salesforce.com;sfdc;salesforce sales cloud;sales cloud",
	"salesloft":          "",
	"sap":                "sap erp;sap s4hana",
	"segment":            "segment.io;segment.com;twilio segment",
	"sendgrid":           "twilio sendgrid",
	"servicenow":         "service now",
	"shopify":            "shopify plus",
	"slack":              "",
	"snowflake":          "snowflake computing",
	"stripe":             "stripe payments",
	"tableau":            "tableau software",
	"twilio":             "",
	"typeform":           "",
	"vue":                "vuejs;vue js",
	"webflow":            "",
	"woocommerce":        "woo commerce",
	"wordpress":          "wordpress.org;word press",
	"workday":            "",
	"zendesk":            "zendesk chat;zopim;zendesk embeddables",
	"zoho-crm":           "zoho",
	"zoominfo":           "",
}

// noProducts are things that detectors list and that say nothing of a company.
var noProducts = inverted(map[string]string{
	"ai":              "artificial intelligence;machine learning",
	"mobile-friendly": "responsive;viewport meta;mobile optimized;iphone mobile compatible",
	"html":            "html5;css;css3;javascript;js;ajax;json ld;open graph;rss;xhtml",
	"protocol":        "hsts;http 2;http 3;http2;http3;https;ipv6;ssl;tls;utf 8;ssl by default;dnssec;spf;dmarc;dkim",
	"other":           "n a;none;unknown;other;remote;reviews",
})

// technologyNames looks a product up by any of its spellings.
var technologyNames = sync.OnceValue(func() map[string]string { return inverted(technologies) })

// Technologies makes canonical slugs of product names and drops what is no
// product. The set is open; the waterfall closes it where the vendor's is whole.
func Technologies(raw []string) galena.Value {
	names := technologyNames()
	var slugs []string
	for _, r := range raw {
		f := fold(r)
		if _, ignored := noProducts[f]; ignored || f == "" {
			continue
		}
		slug, known := names[f]
		if !known {
			slug = strings.ReplaceAll(f, " ", "-")
		}
		if len(slug) <= maxSlug {
			slugs = append(slugs, slug)
		}
	}
	return galena.SetValue(slugs, false)
}
