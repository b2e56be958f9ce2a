package drill

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
)

// programs are what the bench needs beside galena.
type programs struct{ initdb, postgres, redis string }

// findPrograms looks for the newest Postgres and for Redis.
func findPrograms() (programs, error) {
	var p programs
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	slices.SortFunc(found, func(a, b string) int { return len(a) - len(b) + strings.Compare(a, b) })
	if len(found) > 0 {
		p.initdb = found[len(found)-1]
	} else if path, err := exec.LookPath("initdb"); err == nil {
		p.initdb = path
	}
	p.redis, _ = exec.LookPath("redis-server")
	if p.initdb == "" || p.redis == "" {
		return p, errors.New("initdb and redis-server must be installed: run make test or make drill")
	}
	p.postgres = filepath.Join(filepath.Dir(p.initdb), "postgres")
	return p, nil
}

// unprivileged is who runs Postgres, which refuses to be run by root: nil where
// we are not root ourselves.
func unprivileged() *syscall.Credential {
	if os.Geteuid() != 0 {
		return nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		if u, err := user.Lookup(name); err == nil {
			uid, e1 := strconv.ParseUint(u.Uid, 10, 32)
			gid, e2 := strconv.ParseUint(u.Gid, 10, 32)
			if e1 == nil && e2 == nil {
				return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
			}
		}
	}
	return nil
}

// postgres is a server of the bench's own. It waits for the disk as a real one
// does: what a client was told is there after a kill.
type postgres struct {
	process
	addr string
	db   *sql.DB // past every proxy
}

func newPostgres(p programs, dir string, initArgs ...string) (*postgres, error) {
	data := filepath.Join(dir, "pg")
	who := unprivileged()
	if err := os.MkdirAll(data, 0o700); err != nil {
		return nil, err
	}
	if who != nil {
		if err := os.Chown(data, int(who.Uid), int(who.Gid)); err != nil {
			return nil, err
		}
	}
	initdb := exec.Command(p.initdb, append(initArgs, "-D", data, "-U", "postgres", "--auth=trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")...)
	initdb.Dir, initdb.SysProcAttr = data, &syscall.SysProcAttr{Credential: who}
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	addr, port := freePort()
	pg := &postgres{addr: addr, process: process{name: "postgres", path: p.postgres, dir: dir, user: who, env: []string{"LC_ALL=C.UTF-8"},
		args: []string{"-D", data, "-p", port, "-h", "127.0.0.1", "-k", "", "-c", "max_connections=200", "-c", "fsync=on"}}}
	var err error
	if pg.db, err = sql.Open("pgx", "postgres://postgres@"+addr+"/postgres?sslmode=disable&connect_timeout=2"); err != nil {
		return nil, err
	}
	return pg, pg.up()
}

// up starts the server, again and again while the dead one's children still
// hold its memory, and waits until it answers.
func (p *postgres) up() error {
	tries := 0
	for deadline := time.Now().Add(60 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if !p.running() {
			if tries++; tries > 1 {
				p.forgive()
			}
			if err := p.start(); err != nil {
				return err
			}
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		err := p.db.PingContext(ctx)
		cancel()
		if err == nil {
			return nil
		}
	}
	return errors.New("postgres does not come up")
}

func (p *postgres) url(addr string) string {
	return "postgres://postgres@" + addr + "/postgres?sslmode=disable"
}

// redis is a server that keeps nothing: what dies with it was a hint.
type redis struct {
	process
	addr string
}

func newRedis(p programs, dir string) (*redis, error) {
	addr, port := freePort()
	r := &redis{addr: addr, process: process{name: "redis", path: p.redis, dir: dir, env: []string{"LC_ALL=C.UTF-8"},
		args: []string{"--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", dir}}}
	return r, r.up()
}

func (r *redis) up() error {
	if !r.running() {
		if err := r.start(); err != nil {
			return err
		}
	}
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if answer, err := r.say("PING"); err == nil && answer == "+PONG" {
			return nil
		}
	}
	return errors.New("redis does not come up")
}

// say sends one command without arguments that hold blanks and returns the first line of the answer.
func (r *redis) say(command string) (string, error) {
	c, err := net.DialTimeout("tcp", r.addr, time.Second)
	if err != nil {
		return "", err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err := fmt.Fprintf(c, "%s\r\n", command); err != nil {
		return "", err
	}
	b := make([]byte, 256)
	n, err := c.Read(b)
	line, _, _ := strings.Cut(string(b[:n]), "\r\n")
	return line, err
}

// freePort finds a port that nobody listens on, below those that outgoing
// connections take: it must be free again after a restart.
func freePort() (addr, port string) {
	for {
		n := 20000 + time.Now().Nanosecond()/1000%12000
		addr = fmt.Sprintf("127.0.0.1:%d", n)
		if l, err := net.Listen("tcp", addr); err == nil {
			_ = l.Close()
			return addr, strconv.Itoa(n)
		}
	}
}
