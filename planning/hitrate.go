package planning

import (
	"math"
	"slices"
	"strings"

	"github.com/galenahq/galena"
)

const (
	// priorCalls is how many calls the catalogue's hit rate, or the one of the
	// broader segment, is worth.
	priorCalls = 20
	// leastCalls is from how many calls on a narrower segment is worth keeping.
	leastCalls = 20
)

// sizes are the bands of employees by which vendors differ, each up to its number.
var sizes = []band{{10, "1-10"}, {50, "11-50"}, {200, "51-200"}, {1000, "201-1000"}, {math.MaxInt64, "1001+"}}

type band struct {
	most int64
	name string
}

// generic are country domains that companies of any country take.
var generic = []string{"ai", "cc", "co", "io", "me", "tv", "ws"}

// Segment is the kind of company, from what is known before anybody is asked.
func Segment(known galena.Facts) galena.Segment {
	domain := known.Get("company.domain").Value.Text
	tld := domain[strings.LastIndexByte(domain, '.')+1:]
	s := galena.Segment{TLD: "generic", Country: countryOf(known, "company.hq_country", "lead.country")}
	switch {
	case domain == "":
		return galena.Segment{}
	case tld == "com":
		s.TLD = tld
	case len(tld) == 2 && !slices.Contains(generic, tld):
		s.TLD = "national"
		if s.Country == "" {
			s.Country = galena.Country(tld)
		}
	}
	if staff := known.Get("company.employee_count"); staff.State == galena.Known || staff.State == galena.Partial {
		s.Size = sizeOf(staff.Value.Lo, staff.Value.Hi)
	}
	return s
}

// countryOf is the first that is a code: a form says what it likes.
func countryOf(known galena.Facts, fields ...string) string {
	for _, f := range fields {
		if c := known.Get(f).Value.Text; len(c) == 2 && strings.Trim(c, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == "" {
			return c
		}
	}
	return ""
}

// sizeOf is the one band that the number, or all of the interval, is in.
func sizeOf(lo, hi int64) string {
	i := slices.IndexFunc(sizes, func(b band) bool { return lo <= b.most })
	if hi > sizes[i].most {
		return ""
	}
	return sizes[i].name
}

// Count adds what became of one company to the tallies.
func Count(h *galena.HitRates, o galena.Outcome, vendors []string) {
	if h.Tallies == nil {
		h.Tallies = map[string]map[string]galena.Tally{}
	}
	h.Companies++
	for _, level := range o.Segment.Levels() {
		if h.Tallies[level] == nil {
			h.Tallies[level] = map[string]galena.Tally{}
		}
		for _, v := range vendors {
			if t := count(h.Tallies[level][v], o, v); t.Asked+t.Unasked > 0 {
				h.Tallies[level][v] = t
			}
		}
	}
}

func count(t galena.Tally, o galena.Outcome, vendor string) galena.Tally {
	call, asked := stepOf(o.Steps, vendor)
	switch {
	case asked && failed(call): // it said nothing of the company
	case asked:
		t.Asked++
		t.Found = found(t.Found, call.Added)
	case o.Settled:
		t.Unasked++
		if !o.Audited {
			break
		}
		t.Audited++
		if call, asked = stepOf(o.Sampled, vendor); asked && !failed(call) {
			t.Sampled++
			t.SampledFound = found(t.SampledFound, call.Added)
		}
	}
	return t
}

// stepOf is the vendor's last word in the steps.
func stepOf(steps []galena.Call, vendor string) (galena.Call, bool) {
	for _, c := range slices.Backward(steps) {
		if c.Provider == vendor {
			return c, true
		}
	}
	return galena.Call{}, false
}

func failed(c galena.Call) bool { return strings.HasPrefix(c.Outcome, "error:") }

func found(in map[string]int, fields []string) map[string]int {
	if in == nil && len(fields) > 0 {
		in = map[string]int{}
	}
	for _, f := range fields {
		in[f]++
	}
	return in
}

// Thin drops what is too little to tell a segment from the one that it is a part of.
func Thin(h *galena.HitRates) {
	for level, vendors := range h.Tallies {
		for v, t := range vendors {
			if level != "" && t.Asked+t.Sampled < leastCalls {
				delete(vendors, v)
			}
		}
		if len(vendors) == 0 {
			delete(h.Tallies, level)
		}
	}
}

// Learned is what the vendors offer, with the hit rates that they have shown in
// the segment. A field that the catalogue does not promise is not bought for
// having come along.
func Learned(offers []galena.Offer, h *galena.HitRates, s galena.Segment) []galena.Offer {
	out := slices.Clone(offers)
	levels := s.Levels()
	for i, o := range out {
		var tallies []galena.Tally
		for _, level := range levels {
			if t, ok := h.Tallies[level][o.Provider]; ok {
				tallies = append(tallies, t)
			}
		}
		hits := make(map[string]float64, len(o.Hits))
		for field, prior := range o.Hits {
			hits[field] = HitRate(prior, field, tallies)
		}
		out[i].Hits = hits
	}
	return out
}

// HitRate is the share of companies for which the vendor knows the field, by what
// the catalogue promises and the tallies of the segments, the broadest first. See
// the second figure of the package.
func HitRate(prior float64, field string, tallies []galena.Tally) float64 {
	if prior <= 0 {
		return 0
	}
	asked, unasked, reach := prior, prior, 0.0
	rate := prior
	for i, t := range tallies {
		asked = posterior(asked, t.Found[field], t.Asked)
		if i == 0 {
			unasked = asked
		}
		unasked = posterior(unasked, t.SampledFound[field], t.Sampled)
		if t.Audited > 0 {
			reach = float64(t.Sampled) / float64(t.Audited)
		}
		known, supposed := float64(t.Asked), float64(t.Unasked)*reach
		if known+supposed > 0 {
			rate = (known*asked + supposed*unasked) / (known + supposed)
		}
	}
	return rate
}

// posterior is the mean of the Beta distribution that the prior becomes when it
// meets so many hits in so many calls.
func posterior(prior float64, hits, calls int) float64 {
	return (priorCalls*prior + float64(hits)) / float64(priorCalls+calls)
}
