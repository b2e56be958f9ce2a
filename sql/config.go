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

type configRow struct {
	Hash    string `db:"hash"`
	Kind    string `db:"kind"`
	Name    string `db:"name"`
	Version int    `db:"version"`
}

// Configs lists every edition that was ever in force, the newest last: a version
// that comes again with other content can be told from them.
func (s *Store) Configs(ctx context.Context) ([]galena.ConfigRef, error) {
	found, err := list[configRow](ctx, s.reader(), "configs", args{})
	out := make([]galena.ConfigRef, len(found))
	for i, r := range found {
		out[i] = galena.ConfigRef{Kind: r.Kind, Name: r.Name, Version: r.Version, Hash: r.Hash}
	}
	return out, fault("sql.configs", err)
}
