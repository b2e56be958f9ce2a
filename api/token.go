package api

import (
	"crypto/rand"
	"crypto/sha256"
	"hash/crc32"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/galenahq/galena"
)

// The prefixes of tokens: what leaks into a log or a repository can be found.
const (
	PrefixLive = "gl_live_"
	PrefixPub  = "gl_pub_"
	PrefixTest = "gl_test_"
)

// A token is its prefix, secretLen random characters (160 bits and more) and
// sumLen characters of CRC32 over what stands before: a mistyped or guessed one
// is refused without asking the database.
const (
	alphabet  = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	secretLen = 27
	sumLen    = 6
)

// NewToken makes a token. Its value is shown once and kept nowhere; the caller
// adds the description, group and scopes. A zero expires means never.
func NewToken(prefix string, now, expires time.Time) (string, galena.Token) {
	body := prefix + randomText(secretLen)
	value := body + checksum(body)
	return value, galena.Token{ID: uuid.Must(uuid.NewV7()).String(), Hash: HashToken(value), Prefix: prefix,
		Last4: value[len(value)-4:], CreatedAt: now, ExpiresAt: expires}
}

// HashToken is how a token is kept. A value of 160 random bits needs no slow hash.
func HashToken(value string) []byte {
	sum := sha256.Sum256([]byte(value))
	return sum[:]
}

// wellFormed checks prefix, alphabet, length and checksum.
func wellFormed(value string) bool {
	i := slices.IndexFunc([]string{PrefixLive, PrefixPub, PrefixTest}, func(p string) bool { return strings.HasPrefix(value, p) })
	if i < 0 {
		return false
	}
	rest := value[strings.LastIndexByte(value, '_')+1:]
	if len(rest) != secretLen+sumLen || strings.Trim(rest, alphabet) != "" {
		return false
	}
	cut := len(value) - sumLen
	return checksum(value[:cut]) == value[cut:]
}

// randomText draws evenly: a byte beyond the last whole round of the alphabet
// is thrown away.
func randomText(n int) string {
	out := make([]byte, 0, n)
	buf := make([]byte, 2*n)
	for {
		_, _ = rand.Read(buf) // it never fails: the process ends when there is no randomness
		for _, b := range buf {
			if int(b) >= 256-256%len(alphabet) {
				continue
			}
			if out = append(out, alphabet[int(b)%len(alphabet)]); len(out) == n {
				return string(out)
			}
		}
	}
}

func checksum(s string) string {
	n := crc32.ChecksumIEEE([]byte(s))
	out := make([]byte, sumLen)
	for i := range out {
		out[sumLen-1-i] = alphabet[n%uint32(len(alphabet))]
		n /= uint32(len(alphabet))
	}
	return string(out)
}
