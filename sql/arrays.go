package sql

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgtype"
)

// plainMost is what pgx writes into its own buffers: it keeps them if they are no
// larger than this when they have been sent.
const plainMost = 1024

// keptLeast and keptMost are how large the buffers are that are kept, as powers of
// two: most batches of 64 leads fit into the largest.
const keptLeast, keptMost = 12, 20

// spare are where the parameters of a statement are written, and the message that
// takes the statements of a batch to the server. pgx begins the first in 256 bytes
// and the second in 1024, and appends value by value: by the end the rows of a group
// have been copied five times and once more, and that was a quarter of what the
// process allocated. They are lent to a connection while it sends, each statement as
// large a one as it needs: a process that sends few large batches has few large ones.
var spare [keptMost + 1]sync.Pool

// buffer is an empty one with room for n bytes and some more.
func buffer(n int) []byte {
	size := max(bits.Len(uint(n)), keptLeast)
	if size > keptMost {
		return make([]byte, 0, n+n/4)
	}
	if b, ok := spare[size].Get().(*[]byte); ok {
		return *b
	}
	return make([]byte, 0, 1<<size)
}

// buffers are what is lent: the two in use, and all that were, for a statement that
// outgrew one may have values in it until it has been sent.
type buffers struct {
	params, message []byte
	all             [][]byte
}

func (l *buffers) grow(n int) []byte {
	b := buffer(n)
	l.all = append(l.all, b)
	return b
}

func (l *buffers) giveBack() {
	for _, b := range l.all {
		if size := bits.Len(uint(cap(b))) - 1; size <= keptMost && cap(b) == 1<<size {
			spare[size].Put(&b)
		}
	}
}

// scratch is what a connection has of them.
type scratch struct {
	*buffers // nil while they are nobody's business
	need     int
	send     func(pgproto3.FrontendMessage) // appends to what will be sent
}

// scratchKey is where a connection keeps its scratch.
const scratchKey = "galena.scratch"

// sending lends the connection buffers until what do sends has been answered.
func sending(c *pgx.Conn, do func() error) error {
	if s, ok := c.PgConn().CustomData()[scratchKey].(*scratch); ok {
		return s.lend(do)
	}
	return do()
}

// lend has buffers until do is done. A connection on which it failed may hold on to
// them: they are given up.
func (s *scratch) lend(do func() error) error {
	lent := new(buffers)
	s.buffers = lent
	err := do()
	s.buffers = nil
	if err == nil {
		lent.giveBack()
	}
	return err
}

// room is buf, the parameters of a statement so far, with room for n more bytes:
// itself, or its copy in what is lent; and as much room in the message.
func (s *scratch) room(buf []byte, n int) []byte {
	need := len(buf) + n
	if s.buffers == nil || need <= plainMost {
		return slices.Grow(buf, n)
	}
	s.need = need + messageHead
	s.send(s)
	if need <= cap(buf) {
		return buf
	}
	if need > cap(s.params) {
		s.params = s.grow(need)
	}
	return append(s.params[:0], buf...)
}

// messageHead is more than a message has beside its parameters.
const messageHead = 2048

// Frontend, Decode and Encode make scratch a message of no bytes at all: it moves
// what will be sent to a larger buffer.
func (*scratch) Frontend() {}

// Decode refuses: nobody sends us this.
func (*scratch) Decode([]byte) error { return errors.New("not a message") }

// Encode moves what waits to be sent to where there is room.
func (s *scratch) Encode(waiting []byte) ([]byte, error) {
	all := len(waiting) + s.need
	if all <= cap(waiting) {
		return waiting, nil
	}
	if all > cap(s.message) {
		s.message = s.grow(all)
	}
	return append(s.message[:0], waiting...), nil
}

// arrayCodec is pgx's codec of an array, which writes the plain slices that
// parameters are by itself: they are as large as they are, and no value of them
// becomes an interface.
type arrayCodec struct {
	*pgtype.ArrayCodec
	scratch *scratch
}

// PlanEncode leaves what is not a plain slice in binary to pgx.
func (c arrayCodec) PlanEncode(m *pgtype.Map, oid uint32, format int16, value any) pgtype.EncodePlan {
	element := c.ElementType.OID
	if format == pgtype.BinaryFormatCode {
		switch value.(type) {
		case []string:
			if element == pgtype.TextOID {
				return textArray{c.scratch}
			}
		case []int64:
			if element == pgtype.Int8OID || element == pgtype.Int4OID {
				return intArray{c.scratch, element}
			}
		}
	}
	return c.ArrayCodec.PlanEncode(m, oid, format, value)
}

// arrayTypes are those that we write: the others are rare.
var arrayTypes = []uint32{pgtype.TextArrayOID, pgtype.Int8ArrayOID, pgtype.Int4ArrayOID}

// writeArrays teaches a new connection to write arrays.
func writeArrays(_ context.Context, c *pgx.Conn) error {
	shared := &scratch{send: c.PgConn().Frontend().Send}
	c.PgConn().CustomData()[scratchKey] = shared
	for _, oid := range arrayTypes {
		if err := register(c.TypeMap(), oid, shared); err != nil {
			return err
		}
	}
	return nil
}

func register(m *pgtype.Map, oid uint32, shared *scratch) error {
	t, ok := m.TypeForOID(oid)
	if !ok {
		return fmt.Errorf("pgx does not know the type %d", oid)
	}
	codec, ok := t.Codec.(*pgtype.ArrayCodec)
	if !ok {
		return fmt.Errorf("pgx has another codec for %s", t.Name)
	}
	m.RegisterType(&pgtype.Type{Name: t.Name, OID: oid, Codec: arrayCodec{codec, shared}})
	return nil
}

// headerSize is what stands before the values of an array of one dimension.
const headerSize = 20

// header appends the head of an array without NULLs whose first index is 1.
func header(buf []byte, element uint32, n int) []byte {
	buf = binary.BigEndian.AppendUint32(buf, 1)
	buf = binary.BigEndian.AppendUint32(buf, 0)
	buf = binary.BigEndian.AppendUint32(buf, element)
	buf = binary.BigEndian.AppendUint32(buf, uint32(n)) //nolint:gosec // rows of one statement
	return binary.BigEndian.AppendUint32(buf, 1)
}

type textArray struct{ scratch *scratch }

// Encode appends a text[]; nil is NULL.
func (a textArray) Encode(value any, buf []byte) ([]byte, error) {
	texts, ok := value.([]string)
	if !ok || texts == nil {
		return nil, nil
	}
	size := headerSize + 4*len(texts)
	for _, s := range texts {
		size += len(s)
	}
	if size > math.MaxInt32 {
		return nil, fmt.Errorf("an array of %d bytes is too large", size)
	}
	buf = header(a.scratch.room(buf, size), pgtype.TextOID, len(texts))
	for _, s := range texts {
		buf = binary.BigEndian.AppendUint32(buf, uint32(len(s))) //nolint:gosec // checked above
		buf = append(buf, s...)
	}
	return buf, nil
}

type intArray struct {
	scratch *scratch
	element uint32
}

// Encode appends a bigint[] or an integer[]; nil is NULL.
func (a intArray) Encode(value any, buf []byte) ([]byte, error) {
	numbers, ok := value.([]int64)
	if !ok || numbers == nil {
		return nil, nil
	}
	buf = header(a.scratch.room(buf, headerSize+12*len(numbers)), a.element, len(numbers))
	for _, n := range numbers {
		if a.element == pgtype.Int8OID {
			buf = binary.BigEndian.AppendUint32(buf, 8)
			buf = binary.BigEndian.AppendUint64(buf, uint64(n)) //nolint:gosec // the same bits
			continue
		}
		if n < math.MinInt32 || n > math.MaxInt32 {
			return nil, fmt.Errorf("%d is too large for an integer", n)
		}
		buf = binary.BigEndian.AppendUint32(buf, 4)
		buf = binary.BigEndian.AppendUint32(buf, uint32(n)) //nolint:gosec // checked above
	}
	return buf, nil
}
