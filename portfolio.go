package galena

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"
)

// Past is what was known of a lead when it was decided.
type Past struct {
	Facts Facts
	At    time.Time // the clock of the decision
}

// KindMeans is what a decision calls the means it was made with among its files.
const KindMeans = "Means"

// Means are the portfolio means of one edition of a profile: what each criterion
// earned on decided leads. They are counted once and never change, so that every
// process and every replay of a decision uses the same numbers.
type Means struct {
	Profile  string           // hash of the ICP's file
	Leads    int              // that were counted
	Values   map[string]int64 // by criterion, in 1/10,000 of its weight
	FrozenAt time.Time
}

// Ref names the means in a decision: the profile they belong to, and the SHA-256
// of their numbers as JSON.
func (m Means) Ref(icp ConfigRef) ConfigRef {
	text, _ := json.Marshal(m.Values) //nolint:errchkjson // numbers by name cannot fail
	sum := sha256.Sum256(text)
	return ConfigRef{Kind: KindMeans, Name: icp.Name, Version: icp.Version, Hash: hex.EncodeToString(sum[:])}
}
