package drill

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// redisFleetFaults are those of several Redis that stand in for each other (F26, F27).
func redisFleetFaults() []fault {
	return []fault{
		{id: "F26", name: "redis fails over by sentinel", limit: 45 * time.Second, setup: sentinels, cause: failOver},
		{id: "F27", name: "a cluster of redis loses a master", limit: 45 * time.Second, setup: cluster, cause: loseMaster},
	}
}

// failQuickly is how long the others wait before they take one for dead.
const failQuickly = "3000"

// moreRedis starts a further server beside the bench's own.
func (b *bench) moreRedis(name string, args ...string) *redis {
	b.t.Helper()
	dir := filepath.Join(b.dir, name)
	b.must(os.Mkdir(dir, 0o700))
	addr, port := freePort()
	r := &redis{addr: addr, process: process{name: name, path: b.plan.programs.redis, dir: b.dir, env: []string{"LC_ALL=C.UTF-8"},
		args: slices.Concat(args, []string{"--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", dir})}}
	b.t.Cleanup(r.kill)
	b.must(r.up())
	b.fleet = append(b.fleet, r)
	return r
}

func host(addr string) string { return strings.ReplaceAll(addr, ":", " ") }

// sentinels gives the bench's Redis two replicas, and three who watch them.
func sentinels(b *bench) {
	for i := range 2 {
		b.moreRedis(fmt.Sprintf("replica%d", i+1), "--replicaof", host(b.redis.addr))
	}
	var watch []string
	for i := range 3 {
		name := fmt.Sprintf("sentinel%d", i+1)
		conf := filepath.Join(b.dir, name+".conf")
		b.must(os.WriteFile(conf, []byte("sentinel monitor main "+host(b.redis.addr)+" 2\nsentinel down-after-milliseconds main "+failQuickly+
			"\nsentinel failover-timeout main 10000\nsentinel parallel-syncs main 1\n"), 0o600))
		watch = append(watch, b.moreRedis(name, conf, "--sentinel").addr)
	}
	b.queue = "redis-sentinel://" + strings.Join(watch, ",") + "?master=main"
}

// leader is the server that the sentinels name.
func (b *bench) leader() *redis {
	b.t.Helper()
	told := b.fleet[len(b.fleet)-1].list("SENTINEL get-master-addr-by-name main")
	for _, r := range append([]*redis{b.redis}, b.fleet...) {
		if len(told) == 2 && r.addr == told[0]+":"+told[1] {
			return r
		}
	}
	b.t.Fatalf("%s: the sentinels name no leader: %v", b.id, told)
	return nil
}

// failOver takes the leader away in three ways, under load.
func failOver(b *bench) {
	l := b.gen.run("f26", b.plan.rate)
	for _, way := range []struct {
		name string
		do   func(*redis)
		undo func(*redis)
	}{
		{"killed", func(r *redis) { r.kill() }, func(r *redis) { b.must(r.up()) }},
		{"paused", func(r *redis) { _, _ = r.say("CLIENT PAUSE 20000 ALL") }, func(*redis) { b.rest(10 * time.Second) }},
		{"demoted", func(*redis) { _, _ = b.fleet[len(b.fleet)-1].say("SENTINEL FAILOVER main") }, func(*redis) {}},
	} {
		b.rest(b.span(20*time.Second, 5*time.Second))
		old := b.leader()
		way.do(old)
		began := time.Now()
		b.within(45*time.Second, way.name+": another leads", func() bool { return b.leader() != old })
		b.stalled(way.name, began)
		b.rest(b.span(time.Minute, 10*time.Second)) // whoever still speaks to the old one says so by now
		before := b.complaints("READONLY")
		b.rest(5 * time.Second)
		b.atMost(way.name+": READONLY answers later", float64(b.complaints("READONLY")-before), 0)
		way.undo(old)
	}
	l.end()
	b.gateKeepsAnswering(time.Second)
}

// stalled waits until a lead is routed that was posted after a moment.
func (b *bench) stalled(what string, since time.Time) {
	b.t.Helper()
	b.within(45*time.Second, what+": a lead is routed again", func() bool {
		all, acks := b.gen.books()
		return count(all, acks, b.sink.events(), since, time.Now(), 0).Waits != nil
	})
	b.figure("%s: stalled for %.1fs", what, time.Since(since).Seconds())
}

// complaints counts a text in the logs of all that speak to Redis.
func (b *bench) complaints(text string) (n int) {
	for _, p := range b.ours() {
		n += b.logged(p, text)
	}
	return n
}

// cluster makes one of three masters, each with a replica.
func cluster(b *bench) {
	var addrs []string
	for i := range 6 {
		_, bus := freePort()
		addrs = append(addrs, b.moreRedis(fmt.Sprintf("node%d", i+1), "--cluster-enabled", "yes", "--cluster-port", bus, "--cluster-node-timeout", failQuickly).addr)
	}
	create := exec.CommandContext(b.ctx, "redis-cli", append(append([]string{"--cluster", "create"}, addrs...), "--cluster-replicas", "1", "--cluster-yes")...)
	if out, err := create.CombinedOutput(); err != nil {
		b.t.Fatalf("%s: redis-cli --cluster create: %v\n%s", b.id, err, out)
	}
	b.within(20*time.Second, "the cluster stands", func() bool {
		masters := 0
		for _, n := range b.nodes() {
			if n.master {
				masters++
			}
		}
		down := slices.ContainsFunc(b.fleet, func(r *redis) bool { return !slices.Contains(r.lines("CLUSTER INFO"), "cluster_state:ok") })
		return masters == 3 && !down
	})
	b.queue = "redis-cluster://" + strings.Join(addrs, ",")
}

// node is a server of the cluster as it is known there.
type node struct {
	*redis
	id     string
	master bool
}

// nodes asks one that lives.
func (b *bench) nodes() (out []node) {
	b.t.Helper()
	i := slices.IndexFunc(b.fleet, func(r *redis) bool { return r.running() })
	for line := range strings.Lines(strings.Join(b.fleet[i].lines("CLUSTER NODES"), "\n")) {
		words := strings.Fields(line)
		if len(words) < 8 {
			continue
		}
		addr, _, _ := strings.Cut(words[1], "@")
		for _, r := range b.fleet {
			if r.addr == addr && !strings.Contains(words[2], "fail") {
				out = append(out, node{r, words[0], strings.Contains(words[2], "master")})
			}
		}
	}
	return out
}

// owner is who has the slot of the leads, and the slot.
func (b *bench) owner() (of node, slot string) {
	b.t.Helper()
	for _, n := range b.nodes() {
		said, err := n.say("CLUSTER KEYSLOT asynq:{leads}:pending")
		if err != nil {
			continue
		}
		slot = strings.TrimPrefix(said, ":")
		if answer, err := n.say("EXISTS asynq:{leads}:pending"); n.master && err == nil && strings.HasPrefix(answer, ":") {
			return n, slot
		}
	}
	return of, slot
}

// loseMaster moves the leads' slot to another master while leads come in, and
// then kills that one.
func loseMaster(b *bench) {
	l := b.gen.run("f27", b.plan.rate)
	b.rest(3 * time.Second)
	var from, owner node
	var slot string
	b.within(20*time.Second, "somebody has the leads' slot", func() bool {
		from, slot = b.owner()
		return from.redis != nil
	})
	if from.redis == nil {
		b.t.Fatalf("%s: nobody has slot %s: %+v", b.id, slot, b.nodes())
	}
	began := time.Now()
	for _, to := range b.nodes() {
		if to.master && to.redis != from.redis {
			b.moveSlot(slot, from, to)
			break
		}
	}
	b.within(20*time.Second, "another has the leads' slot", func() bool {
		owner, _ = b.owner()
		return owner.redis != nil && owner.redis != from.redis
	})
	b.stalled("slot moved", began)
	if owner.redis == nil {
		owner = from
	}
	began = time.Now()
	owner.kill()
	b.within(45*time.Second, "another has the leads", func() bool { next, _ := b.owner(); return next.redis != nil && next.redis != owner.redis })
	b.stalled("master killed", began)
	b.rest(b.span(time.Minute, 5*time.Second))
	b.must(owner.up())
	b.rest(5 * time.Second)
	l.end()
	b.atMost("CROSSSLOT answers", float64(b.complaints("CROSSSLOT")), 0)
	b.gateKeepsAnswering(time.Second)
}

// moveSlot does what redis-cli does when it moves one slot.
func (b *bench) moveSlot(slot string, from, to node) {
	b.t.Helper()
	tell := func(r *redis, command string) {
		if answer, err := r.say(command); err != nil || strings.HasPrefix(answer, "-") {
			b.fail("%s: %s, %v", command, answer, err)
		}
	}
	tell(to.redis, "CLUSTER SETSLOT "+slot+" IMPORTING "+from.id)
	tell(from.redis, "CLUSTER SETSLOT "+slot+" MIGRATING "+to.id)
	for {
		keys := from.list("CLUSTER GETKEYSINSLOT " + slot + " 100")
		if len(keys) == 0 {
			break
		}
		for _, key := range keys {
			tell(from.redis, "MIGRATE "+host(to.addr)+" "+key+" 0 5000")
		}
	}
	for _, n := range b.nodes() {
		if n.master {
			tell(n.redis, "CLUSTER SETSLOT "+slot+" NODE "+to.id)
		}
	}
}
