package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/configs"
	"github.com/galenahq/galena/intake"
)

func TestAListIsFetchedFromWhereWeMayGoAndNowhereElse(t *testing.T) {
	t.Parallel()
	source := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/list.txt":
			_, _ = w.Write([]byte("trashbox.net\n"))
		case "/huge.txt":
			_, _ = w.Write(make([]byte, intake.MaxListBytes+1))
		case "/moved.txt":
			http.Redirect(w, r, "/list.txt", http.StatusFound)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(source.Close)
	loopback := []string{"loopback"}
	for _, tc := range []struct {
		name, from string
		allow      []string
		want       string // of the error, "" = it is read
	}{
		{"allowed", source.URL + "/list.txt?key=hush", loopback, ""},
		{"not allowed", source.URL + "/list.txt?key=hush", nil, "the address is not one we may call"},
		{"too large", source.URL + "/huge.txt", loopback, "larger than 4194304 bytes"},
		{"a redirect", source.URL + "/moved.txt", loopback, "status 302"},
		{"not there", source.URL + "/none?key=hush", loopback, "status 404"},
		{"another scheme", "file:///etc/passwd", loopback, "must be a file or https://host/path"},
		{"no such file", "missing.txt", loopback, "no such file"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			raw, called, err := listsUpdateCmd{From: tc.from}.read(t.Context(), configs.Env{AllowPrivateTargets: tc.allow})
			if tc.want == "" {
				if err != nil || string(raw) != "trashbox.net\n" || called != source.URL+"/list.txt" {
					t.Errorf("%q called %q: %v", raw, called, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "hush") {
				t.Errorf("error %v, want %q and no key", err, tc.want)
			}
		})
	}
}

func TestTheDoctorWarnsOfOldLists(t *testing.T) {
	t.Parallel()
	lists, err := intake.BaseLists()
	if err != nil {
		t.Fatal(err)
	}
	for days, want := range map[int]string{90: "none is older", 91: "disposable-2026-11-21.txt is older than 90 days"} {
		found := listFindings(intake.Config{}, lists[0].Date.AddDate(0, 0, days))
		if !strings.Contains(found[0].Says, want) || (len(found) == 2) != (days > 90) {
			t.Errorf("after %d days: %+v, want %q", days, found, want)
		}
	}
}

func TestAListThatIsWrittenIsInForceWithoutARestart(t *testing.T) {
	t.Parallel()
	l := newLibrary(t)
	verdict := func() galena.Verdict {
		return l.current().judge.Judge(galena.Submission{Email: "ana@brand-new-trash.net"}, intake.Known{}).Verdict
	}
	if got := verdict(); got != galena.Accept {
		t.Fatalf("before: %s", got)
	}
	list := intake.List{Name: "disposable", File: "disposable-2027-02-01.txt", Source: "us", Licence: "MIT",
		Date: time.Date(2027, 2, 1, 0, 0, 0, 0, time.UTC), Entries: []string{"brand-new-trash.net"}}
	if _, err := writeList(l.dir, list); err != nil {
		t.Fatal(err)
	}
	l.looks(2)
	if got := verdict(); got != galena.Quarantine {
		t.Errorf("after two looks: %s", got)
	}
	if !strings.Contains(l.log.String(), "disposable-2027-02-01.txt") {
		t.Error("the log does not name the list")
	}
	l.write(list.File, string(list.Bytes())+"acme.com\n")
	l.looks(2)
	if s := l.status(); s.Errors() != 1 || !strings.Contains(s.Findings[0].String(), "does not match the checksum") || verdict() != galena.Quarantine {
		t.Errorf("a list that was edited by hand: %+v", s.Findings)
	}
}
