package sql

import "context"

// Exec runs a text of a test's own.
func (s *Store) Exec(ctx context.Context, text string) error {
	_, err := s.write.ExecContext(ctx, text)
	return err
}
