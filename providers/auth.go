package providers

import "encoding/base64"

// The ways to show a key in the Authorization header.
const (
	authBearer = "bearer"
	authBasic  = "basic" // as the user, without a password
	authRaw    = "raw"   // nothing but the key
)

// Auths are all ways to show a key, for a Spec of services that differ in it.
func Auths() []string { return []string{authBearer, authBasic, authRaw} }

// Authorization is the header that shows the key as the catalogue says.
func (s Settings) Authorization() string {
	switch s.Auth {
	case authBasic:
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(s.Key+":"))
	case authRaw:
		return s.Key
	default:
		return "Bearer " + s.Key
	}
}
