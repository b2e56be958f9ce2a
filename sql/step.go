package sql

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/galenahq/galena"
)

const (
	lease      = 6 * time.Second  // a run that does not renew for so long is lost
	unbegun    = 10 * time.Second // a run that was not begun for so long is suspect
	apart      = 3 * time.Second  // a step under watch is not waited for any longer
	deathsKept = 5 * time.Minute  // what died earlier says nothing about what dies now
	outboxMark = 5 * time.Second  // a relay that does not drop for so long is dead
)

// The queues that steps are handed to.
const (
	QueueLeads      = "leads"
	QueueDeliveries = "deliveries"
	QueueBulk       = "bulk"
)

// uncounted says for every kind whether a wait for it leaves the attempts
// alone: waiting for a quota or a breaker is nobody's failure.
var uncounted = map[galena.Kind]bool{
	galena.Internal:     false,
	galena.Invalid:      false,
	galena.NotFound:     false,
	galena.Unauthorized: true,
	galena.Exhausted:    true,
	galena.RateLimited:  true,
	galena.Unavailable:  false,
	galena.Malformed:    false,
	galena.BreakerOpen:  true,
	galena.Conflict:     false,
	galena.Pending:      true,
	galena.WrongSubject: false,
}

// stepKey names a run in a list parameter, and in what comes back.
type stepKey struct {
	Kind   string `db:"kind" json:"kind"`
	ID     string `db:"id" json:"id"`
	Epoch  int    `db:"epoch" json:"epoch"`
	Run    int    `db:"run" json:"run"`
	LeadID string `db:"lead_id" json:"lead_id"` // of a ruling, else empty
}

// begunRow is a run that was begun: how often its step was.
type begunRow struct {
	stepKey
	Attempts int `db:"attempts"`
}

// stepRow is a step in a list parameter and in a result.
type stepRow struct {
	Kind     string    `json:"kind" db:"kind"`
	ID       string    `json:"id" db:"id"`
	LeadID   string    `json:"lead_id" db:"lead_id"`
	Epoch    int       `json:"epoch" db:"epoch"`
	Run      int       `json:"run" db:"run"`
	Queue    string    `json:"queue" db:"queue"`
	Attempts int       `json:"-" db:"attempts"`
	DueAt    int64     `json:"-" db:"due_at"`
	Outbox   int64     `json:"-" db:"outbox"`
	Lost     int       `json:"-" db:"lost"`
	Since    int64     `json:"-" db:"since"`
	Kills    int       `json:"-" db:"kills"`
	Others   int       `json:"-" db:"others"`
	Worker   string    `json:"-" db:"worker"`
	begun    time.Time // by the transaction that inserts it
}

func (r stepRow) step() galena.Step {
	return galena.Step{Kind: r.Kind, ID: r.ID, Epoch: r.Epoch, Run: r.Run, Queue: r.Queue,
		Attempts: r.Attempts, DueAt: at(r.DueAt), Outbox: r.Outbox, Since: at(r.Since), Lost: r.Lost == 1, Kills: r.Kills, Others: r.Others, Begun: r.begun}
}

func steps(found []stepRow) []galena.Step {
	out := make([]galena.Step, len(found))
	for i, r := range found {
		out[i] = r.step()
	}
	return out
}

// stepList is the list parameter that names runs, and until when each of them waited.
func stepList(of []galena.Step) (string, error) {
	type row struct {
		Kind  string `json:"kind"`
		ID    string `json:"id"`
		Epoch int    `json:"epoch"`
		Run   int    `json:"run"`
		DueAt int64  `json:"due_at"`
	}
	list := make([]row, len(of))
	for i, st := range of {
		list[i] = row{Kind: st.Kind, ID: st.ID, Epoch: st.Epoch, Run: st.Run, DueAt: micros(st.DueAt)}
	}
	return rows(list)
}

func runArgs(kind, id string, epoch, run int) args {
	return args{"kind": kind, "id": id, "epoch": epoch, "run": run}
}

// newStepRow is a step that is inserted.
type newStepRow struct {
	Kind   string `json:"kind" db:"kind"`
	ID     string `json:"id" db:"id"`
	LeadID string `json:"lead_id" db:"lead_id"`
	Epoch  int    `json:"epoch" db:"epoch"`
	Run    int    `json:"run" db:"run"`
	Queue  string `json:"queue" db:"queue"`
	Begun  int    `json:"begun" db:"begun"`
}

// insertSteps stores new steps and hands them out. Deliveries for which the
// courier has a place are begun with it.
func (s *Store) insertSteps(ctx context.Context, tx conn, todo []stepRow) error {
	if len(todo) == 0 {
		return nil
	}
	list := make([]newStepRow, len(todo))
	for i := range todo {
		r := &todo[i]
		list[i] = newStepRow{Kind: r.Kind, ID: r.ID, LeadID: r.LeadID, Epoch: r.Epoch, Run: r.Run, Queue: r.Queue}
		if r.Kind == galena.StepDeliver && tx.handed != nil && s.courier.Keep() {
			tx.handed.kept++
			r.begun, list[i].Begun = time.Now(), 1
		}
	}
	a, err := table(tx, list)
	if err != nil {
		return err
	}
	now := s.now()
	a["now"], a["lease"], a["worker"] = micros(now), micros(now.Add(lease)), s.worker
	if err := tx.later(ctx, "insert-steps", a, nil); err != nil {
		return err
	}
	return s.handOver(ctx, tx, todo)
}

// handOver hands out steps that stand as queued or begun: to the courier with the commit,
// else by the outbox.
func (s *Store) handOver(ctx context.Context, tx conn, runs []stepRow) error {
	if tx.handed == nil {
		return s.toOutbox(ctx, tx, runs)
	}
	tx.handed.runs = append(tx.handed.runs, runs...)
	return nil
}

// toOutbox leaves runs to the relay.
func (s *Store) toOutbox(ctx context.Context, tx conn, runs []stepRow) error {
	a, err := table(tx, runs)
	if err != nil {
		return err
	}
	a["now"] = micros(s.now())
	return tx.later(ctx, "insert-outbox", a, nil)
}

// Begin gives the step to this run for 6 seconds. False: the run was handed
// out again meanwhile, is being worked on, or is finished: there is nothing to do.
func (s *Store) Begin(ctx context.Context, kind, id string, epoch, run int) (bool, error) {
	began, err := s.begins.do(ctx, stepKey{Kind: kind, ID: id, Epoch: epoch, Run: run})
	return began, fault("sql.begin", err)
}

// begin gives the steps of a group to their runs. Of a run that comes twice the
// first gets it.
func (s *Store) begin(ctx context.Context, all []stepKey) ([]outcome[bool], error) {
	var begun []begunRow
	ask, err := s.beginning(all, &begun)
	if err == nil {
		err = ask(ctx, s.writer())
	}
	if err != nil {
		return nil, fault("sql.begin", err)
	}
	out := make([]outcome[bool], len(all))
	for _, k := range begun {
		out[slices.Index(all, k.stepKey)].value = true
		if k.Run > 1 {
			s.bag.take(k.ID) // somebody else may have tried it
		}
	}
	return out, nil
}

// beginning gives the steps to their runs; those that got theirs are begun.
func (s *Store) beginning(all []stepKey, begun *[]begunRow) (inquiry, error) {
	a, err := table(s.writer(), sortedKeys(all))
	if err != nil {
		return nil, err
	}
	a["lease"], a["worker"] = s.leaseOfItsOwn(), s.worker
	return func(ctx context.Context, c conn) error {
		if c.pipe == nil {
			c = s.writer() // on SQLite questions go to those who only read
		}
		return soon(ctx, c, "begin-steps", a, begun)
	}, nil
}

// leaseOfItsOwn is when a lease ends that begins now, to a millisecond: the rest of it
// is no other call's of this process. Where the line broke before the answer came
// begin-steps is run again, and knows by it which runs it has begun itself.
func (s *Store) leaseOfItsOwn() int64 {
	const ms = 1000
	return (micros(s.now().Add(lease))/ms-1)*ms + s.leases.Add(1)%ms
}

// sortedKeys is the order in which transactions lock steps, each once.
func sortedKeys(keys []stepKey) []stepKey {
	return slices.Compact(slices.SortedFunc(slices.Values(keys), func(a, b stepKey) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Epoch, b.Epoch), cmp.Compare(a.Run, b.Run))
	}))
}

// Renew holds the steps for another 6 seconds. Those that are no longer ours
// are left alone; their writes will be refused.
func (s *Store) Renew(ctx context.Context, held []galena.Step) error {
	return s.mark(ctx, "sql.renew", "renew-steps", held)
}

// Vouch says that the steps were seen on the queue: they are no suspects for
// the next 10 seconds.
func (s *Store) Vouch(ctx context.Context, seen []galena.Step) error {
	return s.mark(ctx, "sql.vouch", "vouch-steps", seen)
}

func (s *Store) mark(ctx context.Context, op, name string, of []galena.Step) error {
	if len(of) == 0 {
		return nil
	}
	keys := make([]stepKey, len(of))
	for i, st := range of {
		keys[i] = stepKey{Kind: st.Kind, ID: st.ID, Epoch: st.Epoch, Run: st.Run}
	}
	a, err := table(s.writer(), sortedKeys(keys))
	if err != nil {
		return fault(op, err)
	}
	now := s.now()
	a["now"], a["lease"] = micros(now), micros(now.Add(lease))
	_, err = s.do(ctx, op, name, a)
	return err
}

// Park lets the step wait until due. Waiting for a quota, a limit or a breaker
// gives the attempt back; to a delivery only what kept it from its target does.
func (s *Store) Park(ctx context.Context, st galena.Step, due time.Time, kind galena.Kind, note string) error {
	refund := 0
	if refunds(st, kind) {
		refund = 1
	}
	return s.end(ctx, "sql.park", st, ending{state: "waiting", delivery: "pending", due: due, kind: kind, note: note, refund: refund})
}

// refunds says whether a wait gives the attempt back. A target that refuses was
// asked all the same: it is asked so many times and later each time, whatever it
// answers. A full lane and a turn that has not come are no tries.
func refunds(st galena.Step, kind galena.Kind) bool {
	if st.Kind == galena.StepDeliver {
		return kind == galena.BreakerOpen || kind == galena.Pending
	}
	return uncounted[kind]
}

// Fail puts the step aside for a person to look at. Replay brings it back.
func (s *Store) Fail(ctx context.Context, st galena.Step, kind galena.Kind, note string) error {
	return s.end(ctx, "sql.fail", st, ending{state: "failed", delivery: "failed", kind: kind, note: note, aside: s.now()})
}

// Finish marks the step done.
func (s *Store) Finish(ctx context.Context, st galena.Step) error {
	_, err := s.finishes.do(ctx, st)
	return fault("sql.finish", err)
}

// finish ends the steps of a group. A delivery is sent once, so nothing needs its
// step any more; other steps may be handed out again, and keep their run.
func (s *Store) finish(ctx context.Context, all []galena.Step) (out []outcome[struct{}], err error) {
	place := map[stepKey]int{}
	var sent, others []stepKey
	for i, st := range all {
		k := stepKey{Kind: st.Kind, ID: st.ID, Epoch: st.Epoch, Run: st.Run}
		place[k] = i
		if st.Kind == galena.StepDeliver {
			sent = append(sent, k)
		} else {
			others = append(others, k)
		}
	}
	err = s.inTx(ctx, "sql.finish", func(tx conn) error {
		out = make([]outcome[struct{}], len(all))
		for i := range out {
			out[i].err = lostFence()
		}
		delivered, err := endRuns(ctx, tx, "drop-steps", sent)
		if err != nil {
			return err
		}
		ended, err := endRuns(ctx, tx, "finish-steps", others)
		if err != nil {
			return err
		}
		for _, r := range slices.Concat(delivered, ended) {
			out[place[stepKey{Kind: r.Kind, ID: r.ID, Epoch: r.Epoch, Run: r.Run}]].err = nil
		}
		return s.noteDelivered(ctx, tx, delivered)
	})
	return out, err
}

// endRuns runs a statement that ends runs, and returns those that it ended.
func endRuns(ctx context.Context, tx conn, name string, keys []stepKey) ([]stepRow, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	a, err := table(tx, sortedKeys(keys))
	if err != nil {
		return nil, err
	}
	return list[stepRow](ctx, tx, name, a)
}

func (s *Store) noteDelivered(ctx context.Context, tx conn, delivered []stepRow) error {
	if len(delivered) == 0 {
		return nil
	}
	type row struct {
		ID       string `db:"id" json:"id"`
		Attempts int    `db:"attempts" json:"attempts"`
	}
	list := make([]row, len(delivered))
	for i, d := range delivered {
		list[i] = row{d.ID, d.Attempts}
	}
	a, err := table(tx, list)
	if err != nil {
		return err
	}
	a["now"] = micros(s.now())
	return tx.later(ctx, "note-delivered", a, nil)
}

// ending is how a run ends: for the step, and for the delivery it may be.
type ending struct {
	state, delivery string
	due             time.Time
	kind            galena.Kind
	note            string
	refund          int
	aside           time.Time // when it was put aside, zero for every other end
}

// end closes a run. A run that lost its step gets Conflict with Op "fence".
func (s *Store) end(ctx context.Context, op string, st galena.Step, e ending) error {
	s.bag.take(st.ID)
	return s.inTx(ctx, op, func(tx conn) error {
		attempts, err := endStep(ctx, tx, st, e)
		if missing(err) {
			return lostFence()
		}
		if err != nil || st.Kind != galena.StepDeliver {
			return err
		}
		return tx.later(ctx, "note-delivery", args{"id": st.ID, "state": e.delivery, "attempts": attempts,
			"note": e.note, "now": micros(s.now())}, nil)
	})
}

func endStep(ctx context.Context, tx conn, st galena.Step, e ending) (attempts int, err error) {
	a := runArgs(st.Kind, st.ID, st.Epoch, st.Run)
	a["failed_at"] = micros(e.aside)
	a["state"], a["due"], a["error_kind"], a["note"], a["refund"] = e.state, micros(e.due), string(e.kind), e.note, e.refund
	return one[int](ctx, tx, "end-step", a)
}

func lostFence() error {
	return galena.Errorf(galena.Conflict, "fence", "the step was handed out again or is finished")
}
