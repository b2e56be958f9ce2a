package sqltest

import (
	"reflect"
	"time"

	"github.com/galenahq/galena"
)

var accessRules = map[string]func(*bench){
	"ATokenIsFoundByItsHashOnly":      tokenFound,
	"ARevokedTokenKeepsItsFirstTime":  tokenRevoked,
	"AHashBelongsToOneToken":          tokenUnique,
	"UseOfATokenIsWrittenOnceAMinute": tokenTouched,
	"AUserCanBeChangedAndDeleted":     userChanged,
	"ALoginRunsOut":                   loginRunsOut,
	"ANewPasswordEndsTheLogins":       passwordEndsLogins,
	"TheTrailIsReadFromTheNewest":     trail,
}

func (s *bench) token() galena.Token {
	s.Helper()
	t := galena.Token{ID: "t1", Description: "form", Group: "forms", Scopes: []string{galena.ScopeLeadsWrite}, Hash: []byte("hash t1"),
		Prefix: "gl_live_", Last4: "wxyz", CreatedBy: "cli", CreatedAt: s.clock.now(), ExpiresAt: s.clock.now().Add(time.Hour)}
	s.ok(s.CreateToken(s.ctx, t))
	return t
}

func tokenFound(s *bench) {
	want := s.token()
	got, err := s.TokenByHash(s.ctx, want.Hash)
	s.ok(err)
	if !reflect.DeepEqual(got, want) {
		s.Errorf("token %+v, want %+v", got, want)
	}
	_, err = s.TokenByHash(s.ctx, []byte("other"))
	s.refused(err, galena.NotFound, "")
}

func tokenRevoked(s *bench) {
	t := s.token()
	first := s.clock.now()
	s.ok(s.RevokeToken(s.ctx, "t1"))
	s.clock.pass(time.Hour)
	s.ok(s.RevokeToken(s.ctx, "t1"))
	got, err := s.TokenByHash(s.ctx, t.Hash)
	s.ok(err)
	if !got.RevokedAt.Equal(first) {
		s.Errorf("revoked at %s, want %s", got.RevokedAt, first)
	}
	s.refused(s.RevokeToken(s.ctx, "t2"), galena.NotFound, "")
}

func tokenUnique(s *bench) {
	t := s.token()
	t.ID = "t2"
	s.refused(s.CreateToken(s.ctx, t), galena.Conflict, "")
	all, err := s.Tokens(s.ctx)
	s.ok(err)
	if len(all) != 1 || all[0].ID != "t1" {
		s.Errorf("tokens %+v", all)
	}
}

func tokenTouched(s *bench) {
	t := s.token()
	used := func() time.Time {
		s.Helper()
		s.ok(s.TouchToken(s.ctx, "t1"))
		got, err := s.TokenByHash(s.ctx, t.Hash)
		s.ok(err)
		return got.LastUsedAt
	}
	first := used()
	s.clock.pass(59 * time.Second)
	if again := used(); first.IsZero() || !again.Equal(first) {
		s.Errorf("last used %s, want still %s", again, first)
	}
	s.clock.pass(time.Second)
	if again := used(); !again.Equal(s.clock.now()) {
		s.Errorf("last used %s, want now", again)
	}
}

func userChanged(s *bench) {
	u := galena.User{Name: "max", Role: "ops", PasswordHash: []byte{0, 1, 255}, CreatedAt: s.clock.now()}
	s.ok(s.PutUser(s.ctx, u))
	u.Role = "admin"
	s.ok(s.PutUser(s.ctx, u))
	got, err := s.User(s.ctx, "max")
	s.ok(err)
	all, err := s.Users(s.ctx)
	s.ok(err)
	if !reflect.DeepEqual(got, u) || !reflect.DeepEqual(all, []galena.User{u}) {
		s.Errorf("user %+v of %+v, want %+v", got, all, u)
	}
	s.ok(s.DeleteUser(s.ctx, "max"))
	s.refused(s.DeleteUser(s.ctx, "max"), galena.NotFound, "")
	_, err = s.User(s.ctx, "max")
	s.refused(err, galena.NotFound, "")
}

func loginRunsOut(s *bench) {
	want := galena.Session{Hash: []byte("cookie"), User: "max", Role: "ops", ExpiresAt: s.clock.now().Add(time.Hour)}
	s.ok(s.PutSession(s.ctx, want))
	got, err := s.Session(s.ctx, want.Hash)
	s.ok(err)
	if !reflect.DeepEqual(got, want) {
		s.Errorf("session %+v, want %+v", got, want)
	}
	s.clock.pass(time.Hour)
	_, err = s.Session(s.ctx, want.Hash)
	s.refused(err, galena.NotFound, "")
	s.ok(s.Tidy(s.ctx))
	s.ok(s.DeleteSession(s.ctx, want.Hash))
}

func passwordEndsLogins(s *bench) {
	u := galena.User{Name: "max", Role: "ops", PasswordHash: []byte("a"), CreatedAt: s.clock.now()}
	s.ok(s.PutUser(s.ctx, u))
	l := galena.Session{Hash: []byte("cookie"), User: "max", Role: "ops", ExpiresAt: s.clock.now().Add(time.Hour)}
	s.ok(s.PutSession(s.ctx, l))
	s.ok(s.PutUser(s.ctx, u))
	_, err := s.Session(s.ctx, l.Hash)
	s.refused(err, galena.NotFound, "")
}

func trail(s *bench) {
	var want []galena.AuditEntry
	for _, action := range []string{"token.create", "login.failed", "token.revoke"} {
		e := galena.AuditEntry{At: s.clock.now(), Actor: "cli", Action: action, Target: "t1", Detail: "d"}
		s.ok(s.Audit(s.ctx, e))
		want = append([]galena.AuditEntry{e}, want...)
	}
	got, err := s.AuditTrail(s.ctx, 2)
	s.ok(err)
	if !reflect.DeepEqual(got, want[:2]) {
		s.Errorf("trail %+v, want %+v", got, want[:2])
	}
}
