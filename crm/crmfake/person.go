package crmfake

import (
	"github.com/galenahq/galena/crm"
)

// What a person does in the CRM, and what a test looks at. Values are written as
// people write them: "300", whatever the CRM makes of it.

// Add makes a record by hand and returns its id. A field that the CRM does not
// have is left out; of an object that it does not have, nothing is made.
func (s *Server) Add(o crm.Object, values map[crm.Field]string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, now := s.tables[o], s.tick()
	if t == nil {
		return ""
	}
	w := &row{id: s.lang.habits().newID(len(t.order)), rec: t.empty(), version: 1, made: now, touched: now}
	t.order, t.rows[w.id] = append(t.order, w.id), w
	for f, v := range values {
		t.edit(w, f, v)
	}
	return w.id
}

// User is the object of the people who work in the CRM: Add(User, {crm.Email: …})
// hires one, and the id that it returns is what an owner's field takes. Only some
// dialects let programs look them up.
const User crm.Object = "user"

// Edit changes one field by hand.
func (s *Server) Edit(o crm.Object, id string, f crm.Field, v string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if w := s.tables[o].rows[id]; w != nil {
		next := w.copy()
		next.version++
		next.touched, next.lastAPI = s.tick(), false
		s.tables[o].rows[id] = next
		s.tables[o].edit(next, f, v)
	}
}

func (t *table) edit(w *row, f crm.Field, v string) {
	for _, c := range t.columns {
		if c.field != f {
			continue
		}
		value := c.form.wire(v)
		if value == nil {
			value = c.blank()
		}
		for _, word := range c.words {
			if plain(word) == v {
				value = word
			}
		}
		put(w.rec, c.path, value)
	}
}

// Delete deletes a record by hand; it can be brought back.
func (s *Server) Delete(o crm.Object, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if w := s.tables[o].rows[id]; w != nil {
		w.deleted, w.gone, w.lastAPI = true, s.tick(), false
		w.touched = w.gone
	}
}

// Deleted says that a record still is deleted.
func (s *Server) Deleted(o crm.Object, id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.tables[o].rows[id]
	return w != nil && w.deleted
}

// Get reads one field; "" when it is blank.
func (s *Server) Get(o crm.Object, id string, f crm.Field) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.tables[o].rows[id]
	if w == nil {
		return ""
	}
	for _, c := range s.tables[o].columns {
		if c.field == f {
			return c.form.plain(get(w.rec, c.path))
		}
	}
	return ""
}

// Note is what a person wrote into the field that only people have.
const Note crm.Field = "note"

// IDs lists the records that are not deleted, oldest first.
func (s *Server) IDs(o crm.Object) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	if s.tables[o] == nil {
		return nil
	}
	for _, id := range s.tables[o].order {
		if !s.tables[o].rows[id].deleted {
			out = append(out, id)
		}
	}
	return out
}

// Version counts how often a record was changed.
func (s *Server) Version(o crm.Object, id string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if w := s.tables[o].rows[id]; w != nil {
		return w.version
	}
	return 0
}
