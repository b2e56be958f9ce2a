package providers

import (
	"context"
	"time"
)

// Account is what a vendor says of the account that a key belongs to.
type Account struct {
	CreditsLeft *int64    // nil = it does not say
	RenewsAt    time.Time // when new ones come, zero = it does not say
}

// Accountant is a Provider that tells of its account and does not charge for it.
type Accountant interface {
	Account(ctx context.Context) (Account, error)
}

// Checked is a vendor's word on its account, or why it gave none.
type Checked struct {
	Provider string
	Account  Account
	Err      error
}

// Accounts asks all vendors that are on and tell of their account for free. It
// passes no breaker and no pause and books nothing: it is for a person who wants
// to know whether a key is good.
func (w *Waterfall) Accounts(ctx context.Context) []Checked {
	var out []Checked
	for _, v := range w.vendors {
		a, ok := v.provider.(Accountant)
		if !ok {
			continue
		}
		within, cancel := context.WithTimeout(ctx, v.timeout)
		account, err := a.Account(within)
		cancel()
		out = append(out, Checked{v.id, account, err})
	}
	return out
}
