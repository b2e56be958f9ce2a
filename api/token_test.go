package api

import (
	"regexp"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestTokensCanBeFoundAndChecked(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^gl_live_[0-9A-Za-z]{33}$`)
	seen, count := map[string]bool{}, map[rune]int{}
	now := time.Now()
	for range 10_000 {
		v, tok := NewToken(PrefixLive, now, now.Add(time.Hour))
		if !form.MatchString(v) || !wellFormed(v) || seen[v] {
			t.Fatalf("token %d is not right", len(seen))
		}
		if !slices.Equal(tok.Hash, HashToken(v)) || tok.Last4 != v[len(v)-4:] || tok.Prefix != PrefixLive || tok.ID == "" {
			t.Fatalf("%+v", tok)
		}
		seen[v] = true
		for _, r := range v[len(PrefixLive) : len(v)-sumLen] {
			count[r]++
		}
	}
	expected, chi := 10_000*float64(secretLen)/float64(len(alphabet)), 0.0
	for _, r := range alphabet {
		diff := float64(count[r]) - expected
		chi += diff * diff / expected
	}
	if chi > 130 { // 61 degrees of freedom: one in a million
		t.Errorf("characters are not even: chi-square %.0f", chi)
	}
}

func TestAnyChangedCharacterIsNoticed(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		v, _ := NewToken(PrefixTest, time.Time{}, time.Time{})
		at := rapid.IntRange(len(PrefixTest), len(v)-1).Draw(t, "at")
		c := alphabet[rapid.IntRange(0, len(alphabet)-1).Draw(t, "c")]
		if changed := v[:at] + string(c) + v[at+1:]; wellFormed(changed) != (changed == v) {
			t.Errorf("place %d", at)
		}
	})
}
