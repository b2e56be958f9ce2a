package providers

import (
	"net/url"
	"testing"

	"github.com/galenahq/galena"
)

func TestARedirectIsFollowedWithinTheDomainAndEncrypted(t *testing.T) {
	t.Parallel()
	first := &url.URL{Scheme: "https", Host: "acme.example", Path: "/"}
	for to, want := range map[string]string{
		"/en/":                                "https://acme.example/en/",
		"https://www.acme.example/":           "https://www.acme.example/",
		"http://www.acme.example/":            "https://www.acme.example/",
		"http://www.acme.example:80/home":     "https://www.acme.example/home",
		"//shop.acme.example/?a=b":            "https://shop.acme.example/?a=b",
		"https://www.acme.example:8443/":      "",
		"https://other.example/":              "",
		"https://notacme.example/":            "",
		"https://acme.example.evil.example/":  "",
		"http://127.0.0.1/":                   "",
		"ftp://acme.example/":                 "",
		"https://user:secret@acme.example/":   "",
		"javascript:alert(1)":                 "",
		"https://www.acme.example:not-a-port": "",
	} {
		got, err := move("x", "acme.example", first, first, to)
		switch {
		case want == "" && err == nil:
			t.Errorf("%s is followed to %v", to, got)
		case want != "" && (err != nil || got.String() != want):
			t.Errorf("%s leads to %v (%v), want %s", to, got, err, want)
		case err != nil && galena.KindOf(err) != galena.WrongSubject && galena.KindOf(err) != galena.Malformed:
			t.Errorf("%s: %v", to, err)
		}
	}
}
