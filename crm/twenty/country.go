package twenty

import (
	"strings"
	"sync"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"github.com/galenahq/galena"
)

// countries are the codes by the English names that Twenty's address form offers.
var countries = sync.OnceValue(func() map[string]string {
	out := map[string]string{}
	for a := 'A'; a <= 'Z'; a++ {
		for b := 'A'; b <= 'Z'; b++ {
			code := string([]rune{a, b})
			if r, err := language.ParseRegion(code); err == nil && r.IsCountry() && r.Canonicalize().String() == code {
				out[fold(display.English.Regions().Name(r))] = code
			}
		}
	}
	delete(out, "") // some have no name any more
	return out
})

// encodeCountry writes a code as the name that people choose in a list.
func encodeCountry(_ slot, v galena.Value) (any, bool) {
	r, err := language.ParseRegion(galena.Country(v.Text))
	if err != nil || !r.IsCountry() {
		return nil, false
	}
	return display.English.Regions().Name(r), true
}

// normCountry is the code, whichever way the country is written; what is no known
// name stays as it is.
func normCountry(_ slot, raw any) string {
	s := strings.TrimSpace(plain(raw))
	if code, ok := countries()[fold(s)]; ok {
		return code
	}
	if r, err := language.ParseRegion(galena.Country(s)); err == nil && r.IsCountry() {
		return r.Canonicalize().String()
	}
	return fold(s)
}
