package configs

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// secretKeyFile is where a generated key is kept inside the data directory.
const secretKeyFile = "secret.key"

// SecretKey returns the key material that encrypts stored credentials and signs
// sessions. With a database it must be given: two processes that made up one
// each could not read what the other stored. Without, it is generated once into
// the data directory, and generated says that this happened just now.
func (e Env) SecretKey(dataDir string) (key []byte, generated bool, err error) {
	if e.secretKey.Set() {
		return []byte(e.secretKey.Reveal()), false, nil
	}
	if e.DatabaseURL.Set() {
		return nil, false, &EnvFault{Variable: "GALENA_SECRET_KEY",
			Message: "is required with " + e.databaseFrom + " (any text of at least 16 characters)"}
	}
	path := filepath.Join(dataDir, secretKeyFile)
	key, err = storedKey(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, false, err
	}
	made, err := writeKey(dataDir, path)
	if err != nil {
		return nil, false, fmt.Errorf("%s: the generated key cannot be kept: %w", path, err)
	}
	key, err = storedKey(path)
	return key, made, err
}

func storedKey(path string) ([]byte, error) {
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, err
	case err != nil:
		return nil, fmt.Errorf("%s: the generated key cannot be read", path)
	case len(text) < 16:
		return nil, fmt.Errorf("%s: the generated key is damaged (restore it, or set GALENA_SECRET_KEY)", path)
	default:
		return text, nil
	}
}

// writeKey writes aside and links into place: of several processes that start
// together one wins, and none ever reads half a key.
func writeKey(dir, path string) (made bool, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return false, err
	}
	random := make([]byte, 32)
	if _, err := rand.Read(random); err != nil {
		return false, err
	}
	f, err := os.CreateTemp(dir, ".secret-*") // mode 0600
	if err != nil {
		return false, err
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(hex.EncodeToString(random))
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return false, err
	}
	if err := os.Link(f.Name(), path); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return false, nil
		}
		return false, err
	}
	return true, nil
}
