package api

import (
	"io"
	"testing"
)

// sips gives one octet at a time, and remembers how much room it was offered.
type sips struct{ left, room int }

func (s *sips) Read(b []byte) (int, error) {
	s.room = max(s.room, len(b))
	if s.left == 0 {
		return 0, io.EOF
	}
	s.left--
	b[0] = 'x'
	return 1, nil
}

// A hook takes a megabyte of anybody: a crowd that announces it and sends nothing
// would take the memory of all.
func TestWhoAnnouncesMuchAndSendsLittleGetsLittleRoom(t *testing.T) {
	t.Parallel()
	s := &sips{left: 10}
	if b, err := readAll(s, maxEdit); err != nil || len(b) != 10 || s.room > maxLead {
		t.Errorf("read %d octets, %v, and was given room for %d", len(b), err, s.room)
	}
}
