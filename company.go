package galena

// CompanyNames are the domains that a company is known by.
type CompanyNames struct {
	Domain  string       // the one it is kept by
	Aliases []DomainLink // the others, in the order of the alphabet
}

// DomainLink makes a domain lead to a company, so that who writes from there
// belongs to it: its answers, its owner, its named account.
type DomainLink struct {
	Domain  string
	Company string // by any of its domains
	Kind    string // one of LinkKinds
	By      string // who says so; "" where it is read
}

// LinkKinds lists why a domain may lead to a company.
func LinkKinds() []string { return []string{"alias", "brand", "former", "redirect", "regional"} }
