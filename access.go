package galena

import "time"

// The scopes a token may carry; a token has none by default.
const (
	ScopeLeadsWrite  = "leads:write"
	ScopeLeadsRead   = "leads:read"
	ScopeLeadsExport = "leads:export"
	ScopeLeadsErase  = "leads:erase"
	ScopeConfigWrite = "config:write"
	ScopeTokensAdmin = "tokens:admin"
	ScopeOpsRead     = "ops:read"
)

// Scopes lists every scope.
func Scopes() []string {
	return []string{ScopeLeadsWrite, ScopeLeadsRead, ScopeLeadsExport, ScopeLeadsErase,
		ScopeConfigWrite, ScopeTokensAdmin, ScopeOpsRead}
}

// GroupScopes are the named bundles of scopes.
func GroupScopes() map[string][]string {
	return map[string][]string{
		"forms":       {ScopeLeadsWrite},
		"integration": {ScopeLeadsWrite, ScopeLeadsRead},
		"ops":         {ScopeLeadsRead, ScopeOpsRead},
		"admin":       Scopes(),
	}
}

// Token is a bearer token as it is kept: never its value, only its SHA-256.
type Token struct {
	ID          string
	Description string
	Group       string // "" when scopes were named one by one
	Scopes      []string
	Hash        []byte // SHA-256 of the value
	Prefix      string // "gl_live_"
	Last4       string
	CreatedBy   string
	CreatedAt   time.Time
	ExpiresAt   time.Time // zero = never
	RevokedAt   time.Time // zero = valid
	LastUsedAt  time.Time
}

// User is a person who may open the pages.
type User struct {
	Name         string
	Role         string // "admin", "ops" or "rep"
	PasswordHash []byte
	CreatedAt    time.Time
}

// Session is one login, kept by the SHA-256 of its cookie.
type Session struct {
	Hash      []byte
	User      string
	Role      string
	ExpiresAt time.Time
}

// AuditEntry is who did what to what; never personal data, never a secret.
type AuditEntry struct {
	At     time.Time
	Actor  string // token id, user name or "cli"
	Action string // "token.create", "login.failed"
	Target string
	Detail string
}
