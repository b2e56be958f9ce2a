package sql

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// sources is this package's folder.
var sources = os.DirFS(".")

// openFile opens a new SQLite store, to be closed when the test and those it
// started have ended.
func openFile(t *testing.T) *Store {
	t.Helper()
	address := "sqlite:" + filepath.Join(t.TempDir(), "galena.db")
	if err := Migrate(t.Context(), address, nil); err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), address, nil, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestTheFileIsOursAlone(t *testing.T) {
	t.Parallel()
	s := openFile(t)
	info, err := os.Stat(s.path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %s, want 0600", info.Mode())
	}
}

func TestListParametersCarryNoNUL(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"a\x00b": `["ab"]`, `a\u0000b`: `["a\\u0000b"]`, "\\\x00": `["\\"]`, "plain": `["plain"]`} {
		if got, err := rows([]string{in}); err != nil || got != want {
			t.Errorf("%q: %s, %v, want %s", in, got, err, want)
		}
	}
}
