package providers

import (
	"slices"

	"github.com/galenahq/galena"
)

// ceilings are what no company has more of. A number above is a mistake or a
// lie, and a criterion without an upper end would reward it.
var ceilings = map[string]int64{
	"company.employee_count":     10_000_000,         // the largest employers have some 3 million
	"company.annual_revenue_usd": 10_000_000_000_000, // ten times the largest there is
	"company.funding_total_usd":  1_000_000_000_000,
	"company.founded_year":       2100,
}

const (
	// maxSlug is longer than any word for an industry, a product or a kind of company,
	// and than any band as it is printed, in octets. What is longer is prose, and may be
	// meant for somebody who obeys prose.
	maxSlug = 60
	// maxSet is more products than any company is known to use. What is kept of a
	// company is weighed with every lead of it.
	maxSet = 1000
	// maxText is longer than any description that says something, in octets.
	maxText = 4096
)

// plausible says that a value can be true of a company. The upper end of a band
// may be open.
func plausible(field string, v galena.Value) bool {
	if len(v.Raw) > maxText { // kept beside the value
		return false
	}
	switch v.Type {
	case galena.TypeNumber:
		ceiling, ok := ceilings[field]
		return v.Lo >= 0 && (!ok || v.Lo <= ceiling) && len(v.Raw) <= maxSlug // what a band is printed as
	case galena.TypeEnum:
		return len(v.Text) <= maxSlug
	case galena.TypeSet:
		return len(v.Set) <= maxSet && !slices.ContainsFunc(v.Set, func(s string) bool { return len(s) > maxSlug })
	default:
		return len(v.Text) <= maxText
	}
}
