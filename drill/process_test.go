package drill

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
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
	cmd, end := p.cmd, make(chan struct{})
	p.end = end
	go func() {
		p.err = cmd.Wait()
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

// signal tells the process itself, not its children.
func (p *process) signal(s syscall.Signal) {
	if p.running() {
		_ = p.cmd.Process.Signal(s)
	}
}

// kill ends the process and whatever it started, at once.
func (p *process) kill() {
	if !p.running() {
		return
	}
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

// peakMB is the most memory that the process ever held.
func (p *process) peakMB() float64 { return p.statusMB("VmHWM") }

// statusMB reads a figure of the kernel's, 0 when there is none.
func (p *process) statusMB(name string) float64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	return kilobytesOf(string(b), name) / 1024
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
