package drill

import (
	"encoding/json"
	"os"
	"path/filepath"
	"sync"
)

// ledger is a file of one JSON object a line, written before anything is
// answered, so that what was asked is known whatever happened to the asker.
type ledger struct {
	mu   sync.Mutex
	file *os.File
}

func newLedger(dir, name string) (*ledger, error) {
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	return &ledger{file: f}, err
}

func (l *ledger) add(line any) error {
	b, err := json.Marshal(line)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	_, err = l.file.Write(append(b, '\n'))
	return err
}
