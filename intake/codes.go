package intake

import (
	"slices"
	"strings"

	"github.com/galenahq/galena"
)

// The codes of hygiene. Those that end with ":" carry a word.
const (
	codeSyntax         = "syntax"
	codeLocalTooLong   = "local_too_long"
	codeAddressTooLong = "address_too_long"
	codeSingleLabel    = "single_label"
	codePublicSuffix   = "public_suffix"
	codeBotSuspect     = "bot_suspect"
	codeMixedScript    = "mixed_script_domain"
	codeIDN            = "idn"
	codeReserved       = "reserved_domain"
	codeSuppressed     = "suppressed"
	codeDisposable     = "disposable"
	codeNullMX         = "null_mx"
	codeUndeliverable  = "undeliverable"
	codeTrimmed        = "trimmed"
	codeLowercased     = "lowercased"
	codeTrailingDot    = "trailing_dot"
	codePlusTag        = "plus_tag"
	codeSubdomainOf    = "subdomain_of:"
	codeOwnDomain      = "own_domain"
	codeCompetitor     = "competitor"
	codeFreemail       = "freemail"
	codeFromWebsite    = "company_from_website:"
	codeSharedDomain   = "shared_domain"
	codeRoleAddress    = "role_address"
	codeDidYouMean     = "did_you_mean:"
	codeDuplicateOf    = "duplicate_of:"
	codeReleased       = galena.CodeReleased
)

// rule is one code with what it does to the verdict; "" is a remark.
type rule struct {
	code    string
	verdict galena.Verdict
}

// rules is the table of all codes in the order in which they are told: first
// what holds a lead, then remarks in the order of the steps.
func rules() []rule {
	return []rule{
		{codeSyntax, galena.Reject},
		{codeLocalTooLong, galena.Reject},
		{codeAddressTooLong, galena.Reject},
		{codeSingleLabel, galena.Reject},
		{codePublicSuffix, galena.Reject},
		{codeBotSuspect, galena.Quarantine},
		{codeMixedScript, galena.Quarantine},
		{codeIDN, ""},
		{codeReserved, galena.Quarantine},
		{codeSuppressed, galena.Drop},
		{codeDisposable, galena.Quarantine},
		{codeNullMX, galena.Quarantine},
		{codeUndeliverable, galena.Quarantine},
		{codeTrimmed, ""},
		{codeLowercased, ""},
		{codeTrailingDot, ""},
		{codePlusTag, ""},
		{codeSubdomainOf, ""},
		{codeOwnDomain, galena.InternalOK},
		{codeCompetitor, ""},
		{codeFreemail, ""},
		{codeFromWebsite, ""},
		{codeSharedDomain, ""},
		{codeRoleAddress, ""},
		{codeDidYouMean, galena.Confirm},
		{codeDuplicateOf, ""},
		{codeReleased, ""}, // a person let the lead go on, whatever stands before it
	}
}

// ruleOf finds a code in the table by its word, without what it carries.
func ruleOf(code string) (int, rule) {
	word, _, carries := strings.Cut(code, ":")
	if carries {
		word += ":"
	}
	all := rules()
	i := slices.IndexFunc(all, func(r rule) bool { return r.code == word })
	if i < 0 {
		return len(all), rule{code: code}
	}
	return i, all[i]
}

func rank(code string) int { i, _ := ruleOf(code); return i }

// sorted puts codes in the order of the table, in place.
func sorted(codes []string) []string {
	slices.SortStableFunc(codes, func(a, b string) int { return rank(a) - rank(b) })
	return codes
}

// severity lists the verdicts, the one that wins first.
func severity() []galena.Verdict {
	return []galena.Verdict{galena.Drop, galena.Reject, galena.InternalOK, galena.Quarantine, galena.Confirm, galena.Accept}
}

// verdict is the most severe that any code asks for.
func verdict(codes []string) galena.Verdict {
	worst := len(severity()) - 1
	for _, c := range codes {
		if _, r := ruleOf(c); r.verdict != "" {
			worst = min(worst, slices.Index(severity(), r.verdict))
		}
	}
	return severity()[worst]
}
