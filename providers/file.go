package providers

import (
	"context"
	"io"
	"net/http"

	"github.com/galenahq/galena"
)

// GetFile fetches a file of at most so many bytes from an address that an
// operator named. What it may reach is the client's to say.
func GetFile(ctx context.Context, client *http.Client, op, address string, most int) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, galena.Errorf(galena.Invalid, op, "the address is not valid")
	}
	req.Header.Set("User-Agent", Agent)
	resp, err := client.Do(req)
	if err != nil {
		return nil, transportError(op, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, galena.Errorf(galena.Unavailable, op, "the answer is status %d, and no file", resp.StatusCode)
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, int64(most)+1))
	if err != nil {
		return nil, transportError(op, err)
	}
	if len(b) > most {
		return nil, galena.Errorf(galena.Malformed, op, "the file is larger than %d bytes", most)
	}
	return b, nil
}
