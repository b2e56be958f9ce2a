package sql

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgtype"
)

// ours is a type map as a connection of the store has it.
func ours() *pgtype.Map {
	m, shared := pgtype.NewMap(), &scratch{}
	for _, oid := range arrayTypes {
		if err := register(m, oid, shared); err != nil {
			panic(err)
		}
	}
	return m
}

// Several parameters of one statement, and then those of the next, are the bytes
// that pgx itself would send, whether they fit into its buffer, into the scratch
// or into none.
func TestArraysAreWrittenAsPgxWritesThem(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 3000)
	huge := strings.Repeat("y", scratchMost)
	statements := [][]struct {
		oid   uint32
		value any
	}{
		{{pgtype.TextArrayOID, []string{"a", "", "ü"}}, {pgtype.Int4ArrayOID, []int64{0, -1, math.MaxInt32, math.MinInt32}}},
		{{pgtype.TextArrayOID, []string{long, "b", long}}, {pgtype.TextOID, "between"}, {pgtype.Int8ArrayOID, []int64{math.MinInt64, 7}}, {pgtype.TextArrayOID, []string{long, long}}},
		{{pgtype.TextArrayOID, []string{"short"}}, {pgtype.TextArrayOID, []string{huge}}, {pgtype.TextArrayOID, []string{long}}},
		{{pgtype.TextArrayOID, []string{}}, {pgtype.Int4ArrayOID, []int64{}}, {pgtype.TextArrayOID, []string(nil)}, {pgtype.Int8ArrayOID, []int64(nil)}},
		{{pgtype.TextArrayOID, []string{"after", long}}, {pgtype.Float8ArrayOID, []float64{1.5}}, {pgtype.BoolArrayOID, []bool{true}}},
	}
	m := ours()
	for i, params := range statements {
		buf := make([]byte, 0, 256)
		var got [][]byte
		for _, p := range params {
			pos := len(buf)
			next, err := m.Encode(p.oid, pgtype.BinaryFormatCode, p.value, buf)
			if err != nil {
				t.Fatal(err)
			}
			if next == nil {
				got = append(got, nil)
				continue
			}
			buf = next
			got = append(got, buf[pos:])
		}
		for k, p := range params {
			want, err := pgtype.NewMap().Encode(p.oid, pgtype.BinaryFormatCode, p.value, nil)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got[k], want) || (got[k] == nil) != (want == nil) {
				t.Errorf("statement %d, parameter %d is %.40q, want %.40q", i, k, got[k], want)
			}
		}
	}
}

func TestANumberThatIsNoIntegerIsRefused(t *testing.T) {
	t.Parallel()
	if _, err := ours().Encode(pgtype.Int4ArrayOID, pgtype.BinaryFormatCode, []int64{math.MaxInt32 + 1}, nil); err == nil {
		t.Error("a number too large for an integer was written")
	}
}

// What a statement of 64 rows of 2 kB costs to encode, with pgx's own codec and with ours.
func BenchmarkArrays(b *testing.B) {
	bodies, ids, epochs := make([]string, 64), make([]string, 64), make([]int64, 64)
	for i := range bodies {
		bodies[i], ids[i], epochs[i] = strings.Repeat("b", 2000), strings.Repeat("i", 36), 1
	}
	for name, m := range map[string]*pgtype.Map{"pgx": pgtype.NewMap(), "ours": ours()} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				buf := make([]byte, 0, 256)
				for _, texts := range [][]string{ids, ids, bodies, ids} {
					buf, _ = m.Encode(pgtype.TextArrayOID, pgtype.BinaryFormatCode, texts, buf)
				}
				if _, err := m.Encode(pgtype.Int4ArrayOID, pgtype.BinaryFormatCode, epochs, buf); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
