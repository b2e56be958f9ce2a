package configs

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// folder is a directory that a test writes to, and its watcher.
type folder struct {
	*testing.T
	dir string
	*Watcher
}

func newFolder(t *testing.T) folder {
	t.Helper()
	dir := t.TempDir()
	return folder{t, dir, Watch(os.DirFS(dir), "conf")}
}

func (f folder) write(name, text string) {
	f.Helper()
	if err := os.WriteFile(filepath.Join(f.dir, name), []byte(text), 0o600); err != nil {
		f.Fatal(err)
	}
}

// looks says what several looks in a row hand out: the text of the files, "error",
// or "-" for no news.
func (f folder) looks(n int) string {
	f.Helper()
	var out []string
	for range n {
		sources, news, err := f.Look()
		said := "-"
		switch {
		case news && err != nil:
			said = "error"
		case news:
			said = "news:"
			for _, s := range sources {
				said += string(s.Bytes) + s.Fault
			}
		}
		out = append(out, said)
	}
	return strings.Join(out, " ")
}

func (f folder) want(got, want string) {
	f.Helper()
	if got != want {
		f.Errorf("got %q, want %q", got, want)
	}
}

func TestAChangeIsNewsOnceTheSecondLookFindsItTheSame(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	f.write("a.yaml", "one")
	f.want(f.looks(4), "- news:one - -")
	f.write("a.yaml", "two")
	f.want(f.looks(1), "-")
	f.write("a.yaml", "two and more") // still being written
	f.want(f.looks(3), "- news:two and more -")
	f.write("b.txt", "not ours")
	f.want(f.looks(3), "- - -")
}

func TestAChangeThatGoesBackIsNoNews(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	f.write("a.yaml", "one")
	f.looks(2)
	f.write("a.yaml", "two")
	f.looks(1)
	f.write("a.yaml", "one")
	f.want(f.looks(3), "- - -")
	f.Again()
	f.want(f.looks(2), "news:one -")
}

func TestADirectoryThatIsGoneIsNewsAndSoIsItsReturn(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	f.write("a.yaml", "one")
	f.looks(2)
	away := f.dir + "-away"
	if err := os.Rename(f.dir, away); err != nil {
		t.Fatal(err)
	}
	f.want(f.looks(3), "- error -")
	if err := os.Rename(away, f.dir); err != nil {
		t.Fatal(err)
	}
	f.want(f.looks(3), "- news:one -")
}

func TestACopyWithTheSameSizeAndTimeIsSeen(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	f.write("a.yaml", "one")
	when := time.Now().Add(-time.Hour)
	stamp := func() {
		if err := os.Chtimes(filepath.Join(f.dir, "a.yaml"), when, when); err != nil {
			t.Fatal(err)
		}
	}
	stamp()
	f.looks(2)
	f.write("a.yaml", "two")
	stamp()
	if got := f.looks(2 * rereadEvery); !strings.Contains(got, "news:two") {
		t.Errorf("never seen: %s", got)
	}
}

func TestWhatIsNoFileIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	if err := syscall.Mkfifo(filepath.Join(f.dir, "a.yaml"), 0o600); err != nil {
		t.Fatal(err)
	}
	f.want(f.looks(2), "- news:cannot be read: it is no regular file")
}

func TestAHundredMegabytesAreNotRead(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	f.write("a.yaml", "")
	if err := os.Truncate(filepath.Join(f.dir, "a.yaml"), 100<<20); err != nil {
		t.Fatal(err)
	}
	f.want(f.looks(2), "- news:is larger than 1 MiB")
}
