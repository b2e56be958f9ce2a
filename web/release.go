package web

import (
	"context"
	"net/http"

	"github.com/galenahq/galena"
)

// Releaser lets a held lead go on by a person's word. A lead that is not held
// is a Conflict error.
type Releaser interface {
	Release(ctx context.Context, id, actor, note string) (galena.Lead, error)
}

const (
	longestNote = 200
	largestForm = 8 << 10
)

// release lets a held lead go on and shows what became of it. That somebody else
// was faster is no failure: the page says so.
func (s *server) release(w http.ResponseWriter, r *http.Request) {
	if s.Releaser == nil {
		s.notFound(w, r)
		return
	}
	session, _ := sessionOf(r)
	r.Body = http.MaxBytesReader(w, r.Body, largestForm)
	if err := r.ParseForm(); err != nil {
		s.problem(w, r, http.StatusBadRequest, "The form could not be read", "Go back and try again, with a shorter note.")
		return
	}
	id := r.PathValue("id")
	_, err := s.Releaser.Release(r.Context(), id, session.User, clip(r.PostForm.Get("note"), longestNote))
	if err != nil && galena.KindOf(err) != galena.Conflict {
		s.fail(w, r, err)
		return
	}
	http.Redirect(w, r, "/leads/"+id, http.StatusSeeOther)
}
