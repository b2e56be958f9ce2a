package intake

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

func TestEachBaseListNamesItsOriginAndMatchesItsChecksum(t *testing.T) {
	t.Parallel()
	files, err := fs.Glob(lists, "lists/*.txt")
	if err != nil || len(files) != 3 {
		t.Fatalf("%v %v", files, err)
	}
	for name, least := range map[string]int{"freemail": 13000, "disposable": 8000, "companies": 500} {
		l, err := baseList(lists, name)
		if err != nil || len(l.Entries) < least || l.Licence == "" || l.Source == "" || !strings.Contains(l.File, l.Date.Format(time.DateOnly)) {
			t.Fatalf("%s: %d entries, %+v %v", name, len(l.Entries), l.Date, err)
		}
		seen := set{}
		for _, w := range l.Entries {
			if h := readHost(w); h.fault != "" || h.ascii != w {
				t.Errorf("%s: %q is not a domain", name, w)
			}
			if seen.has(w) {
				t.Errorf("%s: %q stands twice", name, w)
			}
			seen.add(w)
		}
	}
}

// sealed is a list file whose checksum is right unless the body is changed.
func sealed(header, body string) fs.FS {
	sum := sha256.Sum256([]byte(body))
	text := strings.ReplaceAll(header, "SUM", hex.EncodeToString(sum[:])) + "\n# a remark\n" + body
	return fstest.MapFS{"lists/x-2026-01-01.txt": {Data: []byte(text)}}
}

func TestAListThatDoesNotSayEnoughIsRefused(t *testing.T) {
	t.Parallel()
	good := "# source: us; licence: MIT; date: 2026-01-01; entries: 2; sha256: SUM"
	if l, err := baseList(sealed(good, "a.com\nb.com\n"), "x"); err != nil || len(l.Entries) != 2 {
		t.Fatalf("%v %v", l, err)
	}
	for name, header := range map[string]string{
		"another checksum": strings.Replace(good, "SUM", "00", 1),
		"another count":    strings.Replace(good, "entries: 2", "entries: 3", 1),
		"no source":        strings.Replace(good, "source: us; ", "", 1),
		"no licence":       strings.Replace(good, "licence: MIT; ", "", 1),
		"no date":          strings.Replace(good, "date: 2026-01-01; ", "", 1),
	} {
		if _, err := baseList(sealed(header, "a.com\nb.com\n"), "x"); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func TestAListOfMoreThan90DaysIsStale(t *testing.T) {
	t.Parallel()
	dated := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	for age, want := range map[time.Duration]int{staleAfter: 0, staleAfter + time.Second: 2} {
		all, err := BaseLists()
		if err != nil {
			t.Fatal(err)
		}
		stale := slices.DeleteFunc(all, func(l List) bool { return !l.Stale(dated.Add(age)) })
		if len(stale) != want {
			t.Errorf("after %s: %d lists, want %d", age, len(stale), want)
		}
	}
}
