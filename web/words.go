package web

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/galenahq/galena"
)

// codeWords says each hygiene code to a person; "…" stands for what follows
// the colon of a code.
var codeWords = map[string]string{
	"syntax":               "The address is not written as an address is.",
	"local_too_long":       "The part before the @ is longer than 64 characters.",
	"address_too_long":     "The address is longer than 254 characters.",
	"single_label":         "The domain has no dot in it.",
	"public_suffix":        "The domain is one under which others register, not a company's.",
	"bot_suspect":          "A robot seems to have filled in the form: the hidden field was used, or it took less than 1.5 seconds.",
	"mixed_script_domain":  "The domain mixes alphabets, so it may imitate another one.",
	"idn":                  "The domain uses letters beyond a to z.",
	"reserved_domain":      "The domain is reserved for tests and examples: nobody can be reached there.",
	"suppressed":           "This person asked not to be contacted.",
	"trimmed":              "Blanks or invisible characters around the address were taken away.",
	"lowercased":           "The domain was put in lower case.",
	"trailing_dot":         "A dot at the end of the domain was taken away.",
	"plus_tag":             "The address carries a +tag. Mail goes to it as written; without the tag it is the same person.",
	"subdomain_of":         "The address is under a subdomain of …, which is the company.",
	"own_domain":           "The address is one of our own.",
	"competitor":           "The domain belongs to a competitor.",
	"disposable":           "The address is a throw-away mailbox.",
	"freemail":             "The address is a personal mailbox, so it names no company.",
	"company_from_website": "The company was taken from the website: ….",
	"shared_domain":        "Many organisations share this domain, so it names no company.",
	"role_address":         "The address is a function such as info or sales, not a person.",
	"did_you_mean":         "The domain is one slip away from …; probably a typing error.",
	galena.CodeKilled:      "Workers died while they worked on this lead, so it was put aside. A release tries it again.",
	"null_mx":              "The domain says that it takes no mail.",
	"undeliverable":        "The domain has no mail server.",
	galena.CodeReleased:    "A person let the lead go on.",
	"duplicate_of":         "The same person sent the same form before, as lead ….",
}

// codeView is a hygiene code with its words.
type codeView struct{ Code, Words string }

func codesOf(codes []string) []codeView {
	var out []codeView
	for _, c := range codes {
		name, rest, _ := strings.Cut(c, ":")
		out = append(out, codeView{c, strings.Replace(codeWords[name], "…", rest, 1)})
	}
	return out
}

// holding are the codes that keep a lead back, the gravest first.
var holding = []string{galena.CodeKilled, "bot_suspect", "mixed_script_domain", "reserved_domain", "disposable", "null_mx", "undeliverable", "did_you_mean"}

// heldWords says why a lead is held: every code that alone would hold it.
func heldWords(codes []string) string {
	var out []string
	for _, c := range codesOf(codes) {
		if name, _, _ := strings.Cut(c.Code, ":"); slices.Contains(holding, name) {
			out = append(out, c.Words)
		}
	}
	if len(out) == 0 {
		return spaced(codes[0])
	}
	return strings.Join(out, " ")
}

// verdictWords heads the page of a lead that was not accepted.
var verdictWords = map[galena.Verdict][2]string{
	galena.Quarantine: {"Held back", "A person has to look at this lead first. Nothing was bought for it and nobody was told."},
	galena.Confirm:    {"Held back: probably a typing error", "The address should be confirmed first. Nothing was bought for it and nobody was told."},
	galena.InternalOK: {"One of our own", "Stored, and left alone: not enriched, not scored, not routed."},
	galena.Reject:     {"Refused", "This is not an address that can be written to."},
	galena.Drop:       {"Not kept", "This person asked not to be contacted."},
}

// statusWords are short enough for a list.
var statusWords = map[galena.LeadStatus]string{
	galena.StatusAccepted:    "in flight",
	galena.StatusDecided:     "decided",
	galena.StatusQuarantined: "held back",
	galena.StatusInternal:    "internal",
}

// stopWords says why no more data was bought; "…" stands for the tier.
var stopWords = map[galena.Stop]string{
	galena.StopDisqualified:    "Stopped buying data: the lead is disqualified.",
	galena.StopSettled:         "Stopped buying data: no answer can change tier … any more.",
	galena.StopExhausted:       "Stopped buying data: nobody is left to ask.",
	galena.StopDegraded:        "Stopped buying data: some providers failed. The lead is completed when they answer again.",
	galena.StopBudget:          "Stopped buying data: the budget is spent.",
	galena.StopDeadline:        "Stopped buying data: the time was up.",
	galena.StopNoCompanyDomain: "Bought no data: the address names no company.",
}

// outcomeWords says what a provider answered; error:<cause> keeps its cause.
var outcomeWords = map[string]string{
	"hit":    "answered",
	"miss":   "does not know it",
	"cached": "known already",
}

func outcomeOf(o string) (words, class string) {
	if w, ok := outcomeWords[o]; ok {
		return w, o
	}
	if cause, ok := strings.CutPrefix(o, "error:"); ok {
		return "failed: " + cause, "error"
	}
	return o, "error"
}

// fieldWords are the names of fields as people say them.
var fieldWords = map[string]string{
	"company.annual_revenue_usd": "Annual revenue",
	"company.employee_count":     "Employees",
	"company.funding_total_usd":  "Funding",
	"company.founded_year":       "Founded",
	"company.hq_country":         "Country",
	"company.hq_city":            "City",
	"company.linkedin_url":       "LinkedIn",
	"company.registry_id":        "Registry number",
	"company.is_email_provider":  "E-mail provider",
	"lead.utm_source":            "UTM source",
	"lead.utm_medium":            "UTM medium",
	"lead.utm_campaign":          "UTM campaign",
	"lead.email_class":           "Kind of mailbox",
	"lead.consent_marketing":     "Agreed to marketing",
}

// fieldLabel names a field: its own words, else its last part.
func fieldLabel(field string) string {
	if w, ok := fieldWords[field]; ok {
		return w
	}
	_, last, ok := strings.Cut(field, ".")
	if !ok {
		last = field
	}
	return title(strings.TrimPrefix(last, "fields."))
}

// title turns an id into words that begin with a capital.
func title(id string) string {
	s := strings.NewReplacer("_", " ", "-", " ").Replace(id)
	if s == "" {
		return id
	}
	r, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[size:]
}

// spaced lets a code break between its words: "did you mean: freemail.example".
func spaced(code string) string {
	name, rest, ok := strings.Cut(code, ":")
	name = strings.ReplaceAll(name, "_", " ")
	if !ok {
		return name
	}
	return name + ": " + rest
}

// tierClasses are the tiers that have a colour of their own; others are plain.
var tierClasses = map[string]string{"A": "tier-a", "B": "tier-b", "C": "tier-c", "D": "tier-d", "X": "tier-x"}

// ownerView is who got the lead: a rep, or a sink or queue.
type ownerView struct{ Kind, Name, Note string }

// ownerOf reads "erin.walsh", "sink:reject (competitor)", "queue:unrouted".
func ownerOf(to string) ownerView {
	kind, rest, ok := strings.Cut(to, ":")
	if !ok {
		return ownerView{"rep", to, ""}
	}
	name, note, _ := strings.Cut(rest, " (")
	return ownerView{kind, strings.ReplaceAll(name, "_", " "), strings.TrimSuffix(note, ")")}
}
