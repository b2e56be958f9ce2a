package sql

import (
	"context"

	"github.com/galenahq/galena"
)

// SaveConfig keeps the bytes of a configuration at first use, so that every
// decision can be explained with the very file it was made with.
func (s *Store) SaveConfig(ctx context.Context, c galena.ConfigRef, bytes []byte) error {
	_, err := s.do(ctx, "sql.save_config", "save-config", args{"hash": c.Hash, "kind": c.Kind, "name": c.Name,
		"version": c.Version, "bytes": bytes, "now": micros(s.now())})
	return err
}
