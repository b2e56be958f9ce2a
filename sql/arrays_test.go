package sql

import (
	"bytes"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgtype"
)

// wire is what a connection has: its types, and what it will send.
type wire struct {
	types    *pgtype.Map
	frontend *pgproto3.Frontend
	lend     func(func() error) error
}

func pgxWire(to io.Writer) wire {
	return wire{pgtype.NewMap(), pgproto3.NewFrontend(nil, to), func(do func() error) error { return do() }}
}

func ourWire(t testing.TB, to io.Writer) wire {
	w := pgxWire(to)
	shared := &scratch{send: w.frontend.Send}
	for _, oid := range arrayTypes {
		if err := register(w.types, oid, shared); err != nil {
			t.Fatal(err)
		}
	}
	w.lend = shared.lend
	return w
}

type param struct {
	oid   uint32
	value any
}

// run sends the statements of a batch.
func (w wire) run(t testing.TB, batch ...[]param) {
	err := w.lend(func() error {
		for _, params := range batch {
			w.put(t, params)
		}
		w.frontend.SendSync(&pgproto3.Sync{})
		return w.frontend.Flush()
	})
	if err != nil {
		t.Fatal(err)
	}
}

// put encodes the parameters as pgx does, all into one buffer.
func (w wire) put(t testing.TB, params []param) {
	buf := make([]byte, 0, 256)
	var values [][]byte
	for _, p := range params {
		pos := len(buf)
		next, err := w.types.Encode(p.oid, pgtype.BinaryFormatCode, p.value, buf)
		if err != nil {
			t.Fatal(err)
		}
		if next == nil {
			values = append(values, nil)
			continue
		}
		buf = next
		values = append(values, buf[pos:])
	}
	w.frontend.SendBind(&pgproto3.Bind{PreparedStatement: "s", Parameters: values})
	w.frontend.SendExecute(&pgproto3.Execute{})
}

// A batch of statements is sent as pgx itself would send it, whether their
// parameters fit into pgx's buffer, into what is lent or into what is kept, and
// whatever another connection sends in between.
func TestArraysAreSentAsPgxSendsThem(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 3000)
	most := strings.Repeat("z", 3<<(keptMost-2)-5000)
	huge := strings.Repeat("y", 2<<keptMost)
	statements := map[string][]param{
		"in pgx's buffer":      {{pgtype.TextArrayOID, []string{"a", "", "ü"}}, {pgtype.Int4ArrayOID, []int64{0, -1, math.MaxInt32, math.MinInt32}}},
		"moved to the scratch": {{pgtype.TextArrayOID, []string{"short"}}, {pgtype.TextArrayOID, []string{long, "b", long}}, {pgtype.TextOID, "between"}, {pgtype.Int8ArrayOID, []int64{math.MinInt64, 7}}, {pgtype.TextArrayOID, []string{long, long}}},
		"the scratch grows":    {{pgtype.TextArrayOID, []string{long}}, {pgtype.TextArrayOID, []string{most}}, {pgtype.TextArrayOID, []string{"after"}}},
		"out of the scratch":   {{pgtype.TextArrayOID, []string{long}}, {pgtype.TextOID, huge}, {pgtype.TextArrayOID, []string{long}}},
		"too large for it":     {{pgtype.TextArrayOID, []string{"short"}}, {pgtype.TextArrayOID, []string{huge}}, {pgtype.TextArrayOID, []string{long}}},
		"empty and NULL":       {{pgtype.TextArrayOID, []string{}}, {pgtype.Int4ArrayOID, []int64{}}, {pgtype.TextArrayOID, []string(nil)}, {pgtype.Int8ArrayOID, []int64(nil)}},
		"left to pgx":          {{pgtype.TextArrayOID, []string{long}}, {pgtype.Float8ArrayOID, []float64{1.5}}, {pgtype.BoolArrayOID, []bool{true}}},
	}
	var got, want bytes.Buffer
	ours, theirs, other := ourWire(t, &got), pgxWire(&want), ourWire(t, io.Discard)
	same := func(name string, batch ...[]param) {
		got.Reset()
		want.Reset()
		ours.run(t, batch...)
		theirs.run(t, batch...)
		other.run(t, []param{{pgtype.TextArrayOID, []string{strings.Repeat("o", 9000)}}})
		if !bytes.Equal(got.Bytes(), want.Bytes()) {
			t.Errorf("%s: sent %d bytes %.60q, want %d %.60q", name, got.Len(), got.Bytes(), want.Len(), want.Bytes())
		}
	}
	for range 3 {
		var all [][]param
		for name, params := range statements { // in any order
			all = append(all, params)
			same(name, params)
		}
		same("all in one batch", all...)
	}
}

// What waits in a connection that could not send it is nobody else's.
func TestBuffersOfAConnectionThatFailedAreGivenUp(t *testing.T) {
	t.Parallel()
	const size = keptMost - 1 // no other test needs so much
	lend := func(fails error) (lent *byte) {
		s := &scratch{}
		_ = s.lend(func() error {
			b := s.grow(1 << size * 3 / 4)
			lent = &b[:1][0]
			return fails
		})
		if s.buffers != nil {
			t.Fatal("the connection keeps buffers that were lent")
		}
		return lent
	}
	for range 100 { // of the pool under the race detector one in four is lost on purpose
		if failed := lend(io.ErrClosedPipe); lend(nil) == failed {
			t.Fatal("buffers that a failed connection may write to were lent again")
		}
	}
}

func TestANumberThatIsNoIntegerIsRefused(t *testing.T) {
	t.Parallel()
	w := ourWire(t, io.Discard)
	if _, err := w.types.Encode(pgtype.Int4ArrayOID, pgtype.BinaryFormatCode, []int64{math.MaxInt32 + 1}, nil); err == nil {
		t.Error("a number too large for an integer was written")
	}
}

// What a statement of 64 rows of 2 kB costs to encode and to put into a message,
// with pgx's own codec and with ours.
func BenchmarkArrays(b *testing.B) {
	bodies, ids, epochs := make([]string, 64), make([]string, 64), make([]int64, 64)
	for i := range bodies {
		bodies[i], ids[i], epochs[i] = strings.Repeat("b", 2000), strings.Repeat("i", 36), 1
	}
	statement := []param{{pgtype.TextArrayOID, ids}, {pgtype.TextArrayOID, ids}, {pgtype.TextArrayOID, bodies}, {pgtype.TextArrayOID, ids}, {pgtype.Int4ArrayOID, epochs}}
	for name, w := range map[string]wire{"pgx": pgxWire(io.Discard), "ours": ourWire(b, io.Discard)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				w.run(b, statement)
			}
		})
	}
}
