package sql

import "context"

// Exec runs a text of a test's own.
func (s *Store) Exec(ctx context.Context, text string) error {
	_, err := s.write.ExecContext(ctx, text)
	return err
}

// Text reads one text with a query of a test's own.
func (s *Store) Text(ctx context.Context, query string) (out string, err error) {
	return out, s.write.GetContext(ctx, &out, query)
}

// Texts are the statements for Postgres, by name.
func Texts() (map[string]string, error) {
	all, err := load(queries)
	return all[dialectPostgres], err
}
