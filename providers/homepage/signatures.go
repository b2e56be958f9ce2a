package homepage

import (
	"net/http"
	"net/url"
	"strings"
)

// signature is a mark that a product leaves on a page. The marks were collected
// from the snippets that each maker gives its customers.
type signature struct{ mark, product string }

// hosts are the ends of the hosts that pages load from.
var hosts = []signature{
	// Marketing and sales
	{"js.hs-scripts.com", "hubspot"}, {"js.hs-analytics.net", "hubspot"}, {"js.hsforms.net", "hubspot"},
	{"js-eu1.hs-scripts.com", "hubspot"}, {"hs-banner.com", "hubspot"}, {"hubspotusercontent-na1.net", "hubspot"},
	{"munchkin.marketo.net", "marketo"}, {"pardot.com", "pardot"}, {"pi.pardot.com", "pardot"},
	{"en25.com", "eloqua"}, {"trackcmp.net", "activecampaign"}, {"list-manage.com", "mailchimp"}, {"chimpstatic.com", "mailchimp"},
	{"klaviyo.com", "klaviyo"}, {"convertkit.com", "convertkit"}, {"sibautomation.com", "brevo"}, {"customer.io", "customer io"},
	{"salesloft.com", "salesloft"}, {"outreach.io", "outreach"}, {"apollo.io", "apollo"}, {"ws.zoominfo.com", "zoominfo"},
	{"tag.clearbitscripts.com", "clearbit"}, {"clearbitjs.com", "clearbit"}, {"6sc.co", "6sense"}, {"demdex.net", "adobe audience manager"},
	{"ml314.com", "bombora"}, {"demandbase.com", "demandbase"}, {"leadfeeder.com", "leadfeeder"}, {"lfeeder.com", "leadfeeder"},
	{"chilipiper.com", "chili piper"}, {"calendly.com", "calendly"}, {"force.com", "salesforce"}, {"salesforce.com", "salesforce"},
	{"salesforceliveagent.com", "salesforce"}, {"zoho.com", "zoho"}, {"pipedrive.com", "pipedrive"}, {"typeform.com", "typeform"},
	// Talking to visitors
	{"widget.intercom.io", "intercom"}, {"intercomcdn.com", "intercom"}, {"js.driftt.com", "drift"}, {"drift.com", "drift"},
	{"static.zdassets.com", "zendesk"}, {"zopim.com", "zendesk"}, {"client.crisp.chat", "crisp"}, {"tawk.to", "tawk to"},
	{"livechatinc.com", "livechat"}, {"code.tidio.co", "tidio"}, {"wchat.freshchat.com", "freshchat"}, {"freshworks.com", "freshworks"},
	{"qualified.com", "qualified"}, {"olark.com", "olark"}, {"beacon-v2.helpscout.net", "help scout"}, {"gorgias.chat", "gorgias"},
	// Measuring
	{"googletagmanager.com", "google tag manager"}, {"google-analytics.com", "google analytics"}, {"googleadservices.com", "google ads"},
	{"doubleclick.net", "google ads"}, {"connect.facebook.net", "facebook ads"}, {"snap.licdn.com", "linkedin ads"},
	{"px.ads.linkedin.com", "linkedin ads"}, {"bat.bing.com", "microsoft ads"}, {"clarity.ms", "microsoft clarity"},
	{"static.ads-twitter.com", "twitter ads"}, {"analytics.tiktok.com", "tiktok ads"}, {"redditstatic.com", "reddit ads"},
	{"cdn.segment.com", "segment"}, {"cdn.mxpnl.com", "mixpanel"}, {"cdn.amplitude.com", "amplitude"}, {"heapanalytics.com", "heap"},
	{"static.hotjar.com", "hotjar"}, {"script.hotjar.com", "hotjar"}, {"fullstory.com", "fullstory"}, {"cdn.mouseflow.com", "mouseflow"},
	{"posthog.com", "posthog"}, {"plausible.io", "plausible"}, {"cdn.matomo.cloud", "matomo"}, {"cdn.optimizely.com", "optimizely"},
	{"visualwebsiteoptimizer.com", "vwo"}, {"cdn.pendo.io", "pendo"}, {"omtrdc.net", "adobe analytics"}, {"assets.adobedtm.com", "adobe experience platform"},
	{"js-agent.newrelic.com", "new relic"}, {"browser.sentry-cdn.com", "sentry"}, {"datadoghq-browser-agent.com", "datadog"},
	{"cdn.rudderlabs.com", "rudderstack"}, {"mc.yandex.ru", "yandex metrica"}, {"bugsnag.com", "bugsnag"},
	// Selling, building, complying
	{"js.stripe.com", "stripe"}, {"paypal.com", "paypal"}, {"cdn.shopify.com", "shopify"}, {"js.braintreegateway.com", "braintree"},
	{"cdn.paddle.com", "paddle"}, {"js.chargebee.com", "chargebee"}, {"cdn.bigcommerce.com", "bigcommerce"}, {"x.klarnacdn.net", "klarna"},
	{"assets.website-files.com", "webflow"}, {"cdn.prod.website-files.com", "webflow"}, {"static.parastorage.com", "wix"},
	{"squarespace.com", "squarespace"}, {"framerusercontent.com", "framer"}, {"wp.com", "wordpress"}, {"ctfassets.net", "contentful"},
	{"cdn.sanity.io", "sanity"}, {"unbounce.com", "unbounce"}, {"instapage.com", "instapage"}, {"fast.wistia.com", "wistia"},
	{"player.vimeo.com", "vimeo"}, {"cdn.cookielaw.org", "onetrust"}, {"consent.cookiebot.com", "cookiebot"}, {"usercentrics.eu", "usercentrics"},
	{"cdn.iubenda.com", "iubenda"}, {"consent.trustarc.com", "trustarc"}, {"boards.greenhouse.io", "greenhouse"}, {"jobs.lever.co", "lever"},
	{"hcaptcha.com", "hcaptcha"}, {"recaptcha.net", "recaptcha"}, {"cdn.auth0.com", "auth0"}, {"launchdarkly.com", "launchdarkly"},
}

// generators are the beginnings of what a page says it was made with.
var generators = []signature{
	{"wordpress", "wordpress"}, {"woocommerce", "woocommerce"}, {"drupal", "drupal"}, {"joomla", "joomla"}, {"webflow", "webflow"},
	{"wix.com", "wix"}, {"squarespace", "squarespace"}, {"shopify", "shopify"}, {"hubspot", "hubspot"}, {"ghost", "ghost"},
	{"typo3", "typo3"}, {"gatsby", "gatsby"}, {"hugo", "hugo"}, {"framer", "framer"}, {"magento", "magento"}, {"prestashop", "prestashop"},
	{"contao", "contao"}, {"next.js", "next js"}, {"docusaurus", "docusaurus"}, {"astro", "astro"},
}

// headers are names of response headers, with ": " the beginning of a value too.
var headers = []signature{
	{"X-Hs-Hub-Id", "hubspot"}, {"X-Shopid", "shopify"}, {"X-Shopify-Stage", "shopify"}, {"X-Wix-Request-Id", "wix"},
	{"X-Vercel-Id", "vercel"}, {"X-Nf-Request-Id", "netlify"}, {"X-Drupal-Cache", "drupal"}, {"X-Pingback", "wordpress"},
	{"X-Magento-Tags", "magento"}, {"Cf-Ray", "cloudflare"}, {"X-Amz-Cf-Id", "aws"}, {"X-Azure-Ref", "azure"},
	{"X-Github-Request-Id", "github pages"}, {"X-Kinsta-Cache", "kinsta"}, {"X-Akamai-Transformed", "akamai"},
	{"Server: cloudflare", "cloudflare"}, {"Server: squarespace", "squarespace"}, {"X-Powered-By: next.js", "next js"},
	{"X-Powered-By: wp engine", "wp engine"}, {"X-Powered-By: express", "express"}, {"X-Powered-By: asp.net", "asp.net"},
}

// detect looks for the beginning of a text.
func (p *page) detect(table []signature, text string) {
	text = strings.ToLower(text)
	for _, s := range table {
		if strings.HasPrefix(text, s.mark) {
			p.products[s.product] = true
		}
	}
}

// detectHost looks at where a tag loads from.
func (p *page) detectHost(address string) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return
	}
	host := "." + strings.ToLower(u.Hostname())
	for _, s := range hosts {
		if strings.HasSuffix(host, "."+s.mark) {
			p.products[s.product] = true
			return
		}
	}
}

// detectInline looks for the hosts that an inline script would load from:
// most tools are loaded by a snippet and not by a tag.
func (p *page) detectInline(text string) {
	for _, s := range hosts {
		if !p.products[s.product] && strings.Contains(text, "/"+s.mark+"/") {
			p.products[s.product] = true
		}
	}
}

// detectHeaders looks at the answer itself.
func (p *page) detectHeaders(h http.Header) {
	for _, s := range headers {
		name, value, _ := strings.Cut(s.mark, ": ")
		if got := h.Get(name); got != "" && strings.HasPrefix(strings.ToLower(got), value) {
			p.products[s.product] = true
		}
	}
}
