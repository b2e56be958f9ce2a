package providers

import (
	"maps"
	"sync"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"github.com/galenahq/galena"
)

// countrySynonyms are spellings that neither ISO 3166-1 nor the Unicode names
// know but vendors write.
var countrySynonyms = map[string]string{
	"AE": "uae;u.a.e.;emirates",
	"AT": "oesterreich",
	"BA": "bosnia;bosnia & herzegovina;bosnia and herzegovina",
	"BE": "belgique;belgie",
	"BN": "brunei darussalam",
	"BO": "bolivia, plurinational state of;plurinational state of bolivia",
	"BR": "brasil",
	"BY": "belarus;byelorussia",
	"CD": "democratic republic of the congo;congo, democratic republic of the;dr congo;drc;congo kinshasa",
	"CG": "republic of the congo;congo;congo brazzaville",
	"CH": "schweiz;suisse;svizzera",
	"CI": "ivory coast;cote d'ivoire",
	"CV": "cabo verde",
	"CZ": "czech republic;czechia",
	"DE": "deutschland;federal republic of germany",
	"DK": "danmark",
	"ES": "espana",
	"FI": "suomi",
	"FM": "micronesia, federated states of",
	"GB": "uk;u.k.;great britain;britain;england;scotland;wales;northern ireland;united kingdom of great britain and northern ireland",
	"HK": "hong kong;hong kong sar",
	"IR": "iran, islamic republic of;islamic republic of iran",
	"IT": "italia",
	"KP": "korea, democratic people's republic of;democratic people's republic of korea;dprk",
	"KR": "korea, republic of;republic of korea;korea;south korea",
	"LA": "lao people's democratic republic",
	"MD": "moldova, republic of;republic of moldova",
	"MK": "macedonia;macedonia, the former yugoslav republic of;republic of north macedonia",
	"MM": "burma",
	"MO": "macau;macao",
	"MX": "mejico",
	"NL": "holland;the netherlands;nederland",
	"NO": "norge",
	"PL": "polska",
	"PS": "palestine;palestine, state of;palestinian territory, occupied",
	"PT": "portugal",
	"RU": "russian federation",
	"SE": "sverige",
	"SY": "syrian arab republic",
	"SZ": "swaziland",
	"TL": "east timor",
	"TR": "turkey;turkiye",
	"TW": "taiwan, province of china;taiwan, republic of china",
	"TZ": "tanzania, united republic of;united republic of tanzania",
	"US": "usa;u.s.;u.s.a.;united states of america;the united states;america",
	"VA": "holy see;vatican",
	"VE": "venezuela, bolivarian republic of;bolivarian republic of venezuela",
	"VN": "viet nam",
}

// countries looks up alpha-2 codes by folded name. It is made once, from the
// Unicode names of all countries in English and in the languages vendors use.
var countries = sync.OnceValue(func() map[string]string {
	out := map[string]string{}
	for _, in := range []display.Namer{
		display.Regions(language.Portuguese), display.Regions(language.Spanish), display.Regions(language.French),
		display.Regions(language.German), display.English.Regions(),
	} {
		for a := 'A'; a <= 'Z'; a++ {
			for b := 'A'; b <= 'Z'; b++ {
				code := string([]rune{a, b})
				if r, err := language.ParseRegion(code); err == nil && r.IsCountry() && r.String() == code {
					out[fold(in.Name(r))] = code
				}
			}
		}
	}
	maps.Copy(out, inverted(countrySynonyms))
	delete(out, "")
	return out
})

// CountryOf resolves a code (alpha-2 or alpha-3) or a name to its alpha-2
// code, empty when it is neither. The first of the given that resolves counts:
// vendors leave the code out where they know the name.
func CountryOf(raws ...string) galena.Value {
	for _, raw := range raws {
		if code := countryCode(raw); code != "" {
			v := galena.CountryValue(code)
			if raw != code {
				v.Raw = raw
			}
			return v
		}
	}
	return galena.CountryValue("")
}

func countryCode(raw string) string {
	if code, ok := countries()[fold(raw)]; ok {
		return code
	}
	if len(raw) != 2 && len(raw) != 3 {
		return ""
	}
	r, err := language.ParseRegion(galena.Country(raw))
	if err != nil || !r.IsCountry() {
		return ""
	}
	return r.Canonicalize().String()
}
