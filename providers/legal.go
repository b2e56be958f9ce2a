package providers

import "strings"

// legalSpellings are legal forms written out and their usual letters, folded.
// Different forms are different companies: Acme GmbH is not Acme AG.
var legalSpellings = [][2]string{
	{"limited liability company", "llc"}, {"limited liability partnership", "llp"}, {"limited partnership", "lp"},
	{"public limited company", "plc"}, {"incorporated", "inc"}, {"corporation", "corp"}, {"company", "co"},
	{"limited", "ltd"}, {"gesellschaft mit beschrankter haftung", "gmbh"}, {"aktiengesellschaft", "ag"},
	{"kommanditgesellschaft", "kg"}, {"societas europaea", "se"}, {"societe a responsabilite limitee", "sarl"},
	{"societe par actions simplifiee", "sas"}, {"societe anonyme", "sa"}, {"sociedad anonima", "sa"},
	{"sociedad limitada", "sl"}, {"societa per azioni", "spa"}, {"societa a responsabilita limitata", "srl"},
	{"besloten vennootschap", "bv"}, {"naamloze vennootschap", "nv"}, {"aktiebolag", "ab"}, {"ab publ", "ab"},
	{"aktieselskab", "as"}, {"aksjeselskap", "as"}, {"osakeyhtio", "oy"}, {"und", "and"}, {"et", "and"},
}

// LegalKey makes the spellings of one legal name equal: case, accents, dots and
// "&", and legal forms written out. Two names with one key are the same name,
// though not always the same company.
func LegalKey(name string) string {
	key := " " + fold(name) + " "
	for _, s := range legalSpellings {
		key = strings.ReplaceAll(key, " "+s[0]+" ", " "+s[1]+" ")
	}
	return strings.TrimPrefix(strings.TrimSpace(key), "the ")
}
