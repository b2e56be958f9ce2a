package notify

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"hash"
	"sync"
)

// signer signs as Standard Webhooks has it: "v1," and the base64 of the HMAC-SHA256
// of id, time and body, joined by dots. The library of that standard copies the
// body twice and keys the hash anew for each; the tests let it verify.
type signer struct{ macs sync.Pool }

func newSigner(key []byte) *signer {
	s := &signer{}
	s.macs.New = func() any { return &mac{Hash: hmac.New(sha256.New, key)} }
	return s
}

// mac is a keyed hash and room for what goes in and comes out.
type mac struct {
	hash.Hash
	room []byte
}

func (s *signer) sign(id, stamp string, body []byte) string {
	m := s.macs.Get().(*mac) //nolint:forcetypeassert // nobody else puts something there
	defer s.macs.Put(m)
	m.Reset()
	m.room = append(m.room[:0], id...)
	m.room = append(m.room, '.')
	m.room = append(m.room, stamp...)
	m.room = append(m.room, '.')
	_, _ = m.Write(m.room) // a hash takes everything
	_, _ = m.Write(body)
	m.room = m.Sum(m.room[:0])
	m.room = base64.StdEncoding.AppendEncode(append(m.room, "v1,"...), m.room[:sha256.Size])
	return string(m.room[sha256.Size:])
}
