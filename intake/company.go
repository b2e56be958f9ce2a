package intake

import (
	"context"
	"slices"
	"time"

	"github.com/galenahq/galena"
)

// Recaller is the part of the store that knows who asked to be left alone.
type Recaller interface {
	Recall(ctx context.Context, hashes [][]byte, domain string) (suppressed, known bool, err error)
}

// Companies judges companies that no lead came from, by the lists in force.
type Companies struct {
	Judge  func() *Judge
	Store  Recaller
	Pepper []byte
	Now    func() time.Time
}

// Vet says what our own lists know of a company, by all its domains, the one that
// it is kept by first. A company that asked to be left alone is an Invalid error with Op "suppressed".
func (c Companies) Vet(ctx context.Context, domains []string) ([]galena.Observation, error) {
	j := c.Judge()
	hashes := make([][]byte, len(domains))
	for i, d := range domains {
		hashes[i] = Hash(c.Pepper, d)
	}
	suppressed, _, err := c.Store.Recall(ctx, hashes, domains[0])
	if err != nil {
		return nil, err
	}
	if suppressed || slices.ContainsFunc(domains, func(d string) bool { return j.suppressed.has(digest(d)) }) {
		return nil, galena.Errorf(galena.Invalid, "suppressed", "is suppressed: nobody is asked about it")
	}
	if !j.competitor.hasAny(domains) {
		return nil, nil
	}
	o, err := competitor(domains[0], "", c.Now())
	return []galena.Observation{o}, err
}
