package configs

import (
	"fmt"
	"log/slog"
)

// redacted is all that a Secret ever prints.
const redacted = "***"

// Secret is text that must not reach a log, an error, a page or a task. Every
// way of printing it gives ***; only Reveal gives the text. The text sits
// behind a pointer because fmt cannot call methods on unexported fields of
// other structs and would print a plain string there.
type Secret struct{ text *string }

// NewSecret wraps a text. An empty one is the zero Secret.
func NewSecret(s string) Secret {
	if s == "" {
		return Secret{}
	}
	return Secret{text: &s}
}

// Reveal returns the text itself, "" when there is none.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// Set says that there is a text.
func (s Secret) Set() bool { return s.text != nil }

// String prints ***.
func (s Secret) String() string { return redacted }

// GoString prints ***.
func (s Secret) GoString() string { return redacted }

// Format prints *** for every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// MarshalJSON writes "***".
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// MarshalText writes ***.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue logs ***.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }
