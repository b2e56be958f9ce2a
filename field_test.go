package galena

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Plain ASCII is folded in one walk, to what folding letter by letter makes of it.
func TestSlugOfPlainTextIsThatOfAnyText(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "-", " - ", "a", "A b", "_Demo_Request_", "x--y", "Computer / Software", "Ünit\u00a0Two", strings.Repeat("Long Word ", 20), "a\x00B", "tab\there"} {
		if got, want := Slug(s), slugOf(s); got != want {
			t.Errorf("%q is %q, want %q", s, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(rapid.String(), rapid.StringOf(rapid.RuneFrom([]rune("aBz09.-_ /\té")))).Draw(t, "text")
		if got, want := Slug(s), slugOf(s); got != want {
			t.Fatalf("%q is %q, want %q", s, got, want)
		}
	})
}

// BenchmarkSlug folds what a form says.
func BenchmarkSlug(b *testing.B) {
	for name, fold := range map[string]func(string) string{"plain": Slug, "any": slugOf} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_ = fold("demo_request")
			}
		})
	}
}
