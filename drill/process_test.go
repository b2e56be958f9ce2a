package drill

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// process is a program that the bench starts, kills and starts again. It leads
// a process group of its own, so that nothing it starts outlives it.
type process struct {
	name string
	path string
	args []string
	env  []string
	dir  string              // its log is here
	user *syscall.Credential // nil = ours

	cmd *exec.Cmd
	end chan struct{} // closed when it has ended
	err error         // how, once end is closed

	asked  atomic.Bool  // the drill ends this life itself
	deaths atomic.Int32 // lives that ended though nobody had asked
}

// start begins a new life of the process; its log goes on.
func (p *process) start() error {
	log, err := os.OpenFile(filepath.Join(p.dir, p.name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	p.cmd = exec.Command(p.path, p.args...)
	p.cmd.Env, p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = p.env, p.dir, log, log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: p.user}
	if err := p.cmd.Start(); err != nil {
		return fmt.Errorf("%s: %w", p.name, err)
	}
	p.asked.Store(false)
	cmd, end := p.cmd, make(chan struct{})
	p.end = end
	go func() {
		p.err = cmd.Wait()
		if !p.asked.Load() {
			p.deaths.Add(1)
		}
		close(end)
	}()
	return nil
}

func (p *process) running() bool {
	if p.cmd == nil {
		return false
	}
	select {
	case <-p.end:
		return false
	default:
		return true
	}
}

// forgive takes back a death of which the fault itself judges whether it may be.
func (p *process) forgive() { p.deaths.Add(-1) }

// signal tells the process itself, not its children.
func (p *process) signal(s syscall.Signal) {
	if p.running() {
		p.asked.Store(s != syscall.SIGSTOP && s != syscall.SIGCONT) // it lives on after these two
		_ = p.cmd.Process.Signal(s)
	}
}

// kill ends the process and whatever it started, at once.
func (p *process) kill() {
	if !p.running() {
		return
	}
	p.asked.Store(true)
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	<-p.end
}

// stop asks the process to end and says how long it took. One that does not end
// in time is killed.
func (p *process) stop(s syscall.Signal, within time.Duration) (time.Duration, error) {
	began := time.Now()
	p.signal(s)
	select {
	case <-p.end:
		return time.Since(began), p.err
	case <-time.After(within):
		p.kill()
		return time.Since(began), fmt.Errorf("%s did not end within %v of %v", p.name, within, s)
	}
}

// peakMB is the most memory that a process ever held.
func (b *bench) peakMB(p *process) float64 { return b.statusMB(p, "VmHWM") }

// statusMB reads a figure of the kernel's on a process. One that is not there has
// none, which no limit may take for little.
func (b *bench) statusMB(p *process, name string) float64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	mb := kilobytesOf(string(status), name) / 1024
	if err != nil || mb == 0 {
		b.fail("%s is not there to be measured", p.name)
	}
	return mb
}

// cpu is how long the process has computed so far.
func (p *process) cpu() time.Duration {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	words := strings.Fields(rest) // the third of the file is the first here
	if len(words) < 13 {
		return 0
	}
	user, _ := strconv.ParseInt(words[11], 10, 64)
	system, _ := strconv.ParseInt(words[12], 10, 64)
	return time.Duration(user+system) * (time.Second / 100) // the kernel's ticks
}

func TestADeathThatNobodyAskedForIsTold(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		script string
		end    func(*process)
		deaths int32
	}{
		{"killed", "sleep 60", func(p *process) { p.kill() }, 0},
		{"asked to stop", "sleep 60", func(p *process) { _, _ = p.stop(syscall.SIGTERM, time.Minute) }, 0},
		{"killed once it had ended", "exit 0", func(p *process) { <-p.end; p.kill() }, 1},
		{"ended well", "exit 0", func(*process) {}, 1},
		{"frozen, woken, then ended", "sleep 0.2", func(p *process) { p.signal(syscall.SIGSTOP); p.signal(syscall.SIGCONT) }, 1},
		{"judged by the fault", "exit 1", func(p *process) { <-p.end; p.forgive() }, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			p := &process{name: "x", path: "/bin/sh", args: []string{"-c", tc.script}, dir: t.TempDir()}
			b := &bench{}
			if err := p.start(); err != nil {
				t.Fatal(err)
			}
			tc.end(p)
			<-p.end
			if got := p.deaths.Load(); got != tc.deaths {
				t.Errorf("%d deaths, want %d", got, tc.deaths)
			}
			if mb := b.peakMB(p); len(b.faults) != 1 {
				t.Errorf("a process that is not there holds %v MB, and nobody is told: %v", mb, b.faults)
			}
		})
	}
}
