package sql

import (
	"context"
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	stdsql "database/sql"

	"github.com/galenahq/galena"
)

const (
	groupMost  = 128                   // members of one transaction: more gain nothing and hold locks for longer
	groupLanes = 1                     // transactions of one kind at once: two would mostly wait for each other
	groupBusy  = 8                     // members of a transaction of which there will soon be more
	groupShort = time.Millisecond      // whoever waits so long for the processor has too little of it
	groupWork  = 25 * time.Millisecond // how long work may be gathered
	groupPosts = 10 * time.Millisecond // the same of posts, whose senders wait
)

// group lets callers who come at the same time share one transaction. A lead
// needs a dozen small transactions, and each costs the database far more than
// its rows do; with the rows of many leads in one statement that price is paid
// once. A caller who is alone runs at once and by itself, and whoever comes while a
// transaction is under way waits for it and goes with the next one, so groups grow
// with the load and idle callers lose nothing. Before a transaction begins all that
// is runnable runs: on a busy processor most of it is leads on their way to the same
// transaction.
//
// Where the processor is short, and only there, a group that many shared then gathers
// for a while: twice as long as its transaction took, at most as long as its kind may
// wait. What a statement costs beside its rows is paid less often, the stores and we
// take the processor from each other less often, and what is done for many leads in
// a row is done from warm caches.
//
// A group whose transaction fails is run again one by one: a member's fault is
// its own. When the database is away everybody is told so.
type group[I, O any] struct {
	run    func(ctx context.Context, in []I) ([]outcome[O], error) // one outcome a member, in order
	gather time.Duration                                           // at most; 0 = not at all
	yield  func()                                                  // to whoever else can run; nil = runtime.Gosched

	mu      sync.Mutex
	waiting []*member[I, O]
	lanes   int
	serving sync.WaitGroup // what runs in goroutines of its own
}

// outcome is what one member is told.
type outcome[O any] struct {
	value O
	err   error
}

type member[I, O any] struct {
	in   I
	ctx  context.Context //nolint:containedctx // of the caller, who waits
	done chan outcome[O]
}

// do runs one member, with whoever else is there.
func (g *group[I, O]) do(ctx context.Context, in I) (O, error) {
	me := &member[I, O]{in: in, ctx: ctx, done: make(chan outcome[O], 1)}
	g.mu.Lock()
	g.waiting = append(g.waiting, me)
	lead := g.lanes < groupLanes
	if lead {
		g.lanes++
	}
	g.mu.Unlock()
	if lead {
		g.lead()
	}
	select {
	case out := <-me.done:
		return out.value, out.err
	case <-ctx.Done():
		var none O
		return none, ctx.Err()
	}
}

// lead serves the first in a lane: a caller who is alone by himself, and many beside
// him, for each of them waits no longer than he may.
func (g *group[I, O]) lead() {
	g.giveWay() // whoever is about to come goes with us
	batch := g.next()
	if len(batch) > 1 {
		g.serving.Go(func() { g.drain(batch) })
		return
	}
	g.serve(batch)
	if !g.rest() {
		g.serving.Go(func() { g.drain(nil) }) // ours is done: the others are not ours to wait for
	}
}

// drain serves a batch, and then until nobody waits.
func (g *group[I, O]) drain(batch []*member[I, O]) {
	for {
		began := time.Now()
		g.serve(batch)
		took := time.Since(began)
		if len(batch) == 0 && g.rest() {
			return
		}
		if g.giveWay() >= groupShort && len(batch) >= groupBusy && !g.full() {
			time.Sleep(min(2*took, g.gather))
			g.giveWay()
		}
		batch = g.next()
	}
}

// giveWay lets run whatever can, and says how long that took.
func (g *group[I, O]) giveWay() time.Duration {
	began := time.Now()
	if g.yield != nil {
		g.yield()
	} else {
		runtime.Gosched()
	}
	return time.Since(began)
}

// full says that the next transaction can carry no more.
func (g *group[I, O]) full() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.waiting) >= groupMost
}

// rest gives the lane back unless somebody waits.
func (g *group[I, O]) rest() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.waiting) > 0 {
		return false
	}
	g.lanes--
	return true
}

// next takes those who wait, as many as one transaction may carry. Who has given
// up meanwhile is left out.
func (g *group[I, O]) next() []*member[I, O] {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := min(len(g.waiting), groupMost)
	batch := make([]*member[I, O], 0, n)
	for _, m := range g.waiting[:n] {
		if m.ctx.Err() == nil {
			batch = append(batch, m)
		}
	}
	g.waiting = append(g.waiting[:0:0], g.waiting[n:]...)
	return batch
}

// serve runs a batch and tells each member. A batch of one keeps its caller's
// context; the transaction of many ends for nobody's sake alone.
func (g *group[I, O]) serve(batch []*member[I, O]) {
	if len(batch) == 0 {
		return
	}
	ctx := batch[0].ctx
	if len(batch) > 1 {
		ctx = context.WithoutCancel(ctx)
	}
	in := make([]I, len(batch))
	for i, m := range batch {
		in[i] = m.in
	}
	out, err := g.try(ctx, in)
	switch {
	case err == nil:
		for i, m := range batch {
			m.done <- out[i]
		}
	case len(batch) == 1 || galena.KindOf(err) == galena.Unavailable:
		for _, m := range batch {
			m.done <- outcome[O]{err: err}
		}
	default:
		for _, m := range batch {
			g.serve([]*member[I, O]{m})
		}
	}
}

// try runs a batch. A panic is of this batch and of no other.
func (g *group[I, O]) try(ctx context.Context, in []I) (out []outcome[O], err error) {
	defer func() {
		if r := recover(); r != nil {
			err = galena.Errorf(galena.Internal, "sql.group", "panic: %.100s", fmt.Sprint(r))
		}
	}()
	return g.run(ctx, in)
}

// table gives a statement its rows: an array for each column on Postgres, which
// reads them without parsing a text, one JSON list on SQLite, which has no
// arrays. The columns are the fields of a flat struct, by their db tags.
func table[T any](c conn, list []T) (args, error) {
	if !c.arrays {
		param, err := rows(list)
		return args{"rows": param}, err
	}
	a := args{}
	of := reflect.TypeFor[T]()
	values := reflect.ValueOf(list)
	for f := range of.NumField() {
		name := of.Field(f).Tag.Get("db")
		if name == "" {
			continue
		}
		a[name] = column(values, f, of.Field(f).Type.Kind())
	}
	return a, nil
}

// lists gives a statement lists of texts: an array each on Postgres, a JSON list
// on SQLite.
func (s *Store) lists(of map[string][]string) (args, error) {
	a := args{}
	for name, texts := range of {
		for i := range texts {
			texts[i] = storable(texts[i])
		}
		if a[name] = texts; s.arrays() {
			continue
		}
		param, err := rows(texts)
		if err != nil {
			return nil, err
		}
		a[name] = param
	}
	return a, nil
}

// within reads all rows of a statement whose parameters are lists of texts.
func within[T any](ctx context.Context, s *Store, name string, lists map[string][]string) ([]T, error) {
	a, err := s.lists(lists)
	if err != nil {
		return nil, err
	}
	return list[T](ctx, s.keyed(), name, a)
}

// finding is an inquiry whose rows are in found when it has been read.
func finding[T any](s *Store, found *[]T, name string, lists map[string][]string) inquiry {
	return func(ctx context.Context, c conn) error {
		a, err := s.lists(lists)
		if err != nil {
			return err
		}
		return soon(ctx, c, name, a, found)
	}
}

// each answers every member by its key; who is not there is not found.
func each[K comparable, O any](keys []K, found map[K]O) []outcome[O] {
	out := make([]outcome[O], len(keys))
	for i, k := range keys {
		var ok bool
		if out[i].value, ok = found[k]; !ok {
			out[i].err = stdsql.ErrNoRows
		}
	}
	return out
}

// column is one field of all rows.
func column(rows reflect.Value, field int, kind reflect.Kind) any {
	n := rows.Len()
	switch kind {
	case reflect.String:
		out := make([]string, n)
		for i := range n {
			out[i] = storable(rows.Index(i).Field(field).String())
		}
		return out
	case reflect.Bool:
		out := make([]bool, n)
		for i := range n {
			out[i] = rows.Index(i).Field(field).Bool()
		}
		return out
	case reflect.Float64:
		out := make([]float64, n)
		for i := range n {
			out[i] = rows.Index(i).Field(field).Float()
		}
		return out
	default:
		out := make([]int64, n)
		for i := range n {
			out[i] = rows.Index(i).Field(field).Int()
		}
		return out
	}
}

// storable is a text without what Postgres cannot store: NUL and broken UTF-8.
func storable(text string) string {
	if utf8.ValidString(text) && strings.IndexByte(text, 0) < 0 {
		return text
	}
	return strings.ToValidUTF8(strings.ReplaceAll(text, "\x00", ""), "\ufffd")
}
