package galena

// Truth is three-valued: unknown is never treated as true, and never silently
// as false (Kleene's strong logic).
type Truth int8

// The three values. The zero value is UnknownTruth on purpose.
const (
	UnknownTruth Truth = iota
	False
	True
)

// TruthOf lifts a boolean.
func TruthOf(b bool) Truth {
	if b {
		return True
	}
	return False
}

// Not swaps true and false and leaves unknown.
func (t Truth) Not() Truth {
	switch t {
	case True:
		return False
	case False:
		return True
	default:
		return UnknownTruth
	}
}

// And is false when either is false, true when both are true, else unknown.
func (t Truth) And(u Truth) Truth {
	switch {
	case t == False || u == False:
		return False
	case t == True && u == True:
		return True
	default:
		return UnknownTruth
	}
}

// Or is true when either is true, false when both are false, else unknown.
func (t Truth) Or(u Truth) Truth { return t.Not().And(u.Not()).Not() }

// String prints TRUE, FALSE or UNKNOWN.
func (t Truth) String() string {
	switch t {
	case True:
		return "TRUE"
	case False:
		return "FALSE"
	default:
		return "UNKNOWN"
	}
}

// MarshalText writes the printed form.
func (t Truth) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads the printed form; anything else is unknown.
func (t *Truth) UnmarshalText(b []byte) error {
	switch string(b) {
	case "TRUE":
		*t = True
	case "FALSE":
		*t = False
	default:
		*t = UnknownTruth
	}
	return nil
}
