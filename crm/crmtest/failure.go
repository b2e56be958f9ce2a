package crmtest

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/crm"
)

func partOfBatch(k *desk) {
	var changes []crm.Change
	e, err := k.crm.Encode(crm.Company, crm.Score, galena.Number(87))
	if err != nil {
		k.t.Fatal(err)
	}
	for n := range 4 {
		id := k.fake.Add(crm.Company, map[crm.Field]string{crm.Domain: fmt.Sprintf("c%d.example", n)})
		changes = append(changes, crm.Change{Ref: id, Object: crm.Company, ID: id, Set: map[crm.Field]crm.Encoded{crm.Score: e}})
	}
	k.fake.Delete(crm.Company, changes[2].ID)
	results, err := k.crm.Apply(context.Background(), changes)
	if err != nil || len(results) != 4 {
		k.t.Fatalf("%d results, %v", len(results), err)
	}
	for n, r := range results {
		if n == 2 {
			k.kind(r.Err, galena.NotFound)
			continue
		}
		if r.Err != nil || r.Ref != changes[n].Ref {
			k.t.Errorf("%+v", r)
		}
		k.stands(crm.Company, changes[n].ID, crm.Score, "87")
	}
}

func tooFast(k *desk) {
	k.fake.Add(crm.Company, map[crm.Field]string{crm.Domain: "acme.example"})
	k.find(company("acme.example")) // the token is there
	k.fake.Throttle(1, false)
	err := k.find(company("acme.example")).Err
	k.kind(err, galena.RateLimited)
	if wait := galena.RetryAfterOf(err); wait >= time.Second {
		k.t.Errorf("a wait of %s was made up", wait) // less is what the CRM is known to need for one more call
	}
	k.fake.Throttle(1, true)
	err = k.find(company("acme.example")).Err
	k.kind(err, galena.RateLimited)
	if wait := galena.RetryAfterOf(err); wait < time.Second || wait > time.Minute {
		k.t.Errorf("the hint reads %s", wait)
	}
	if found := k.find(company("acme.example")); found.Err != nil || len(found.Records) != 1 {
		k.t.Errorf("%+v", found)
	}
}

func quotaIsGone(k *desk) {
	k.fake.Spend(true)
	k.kind(k.find(company("acme.example")).Err, galena.Exhausted)
	k.fake.Spend(false)
	if err := k.find(company("acme.example")).Err; err != nil {
		k.t.Error(err)
	}
}

func tokenExpires(k *desk) {
	k.find(company("acme.example"))
	k.fake.Expire()
	if err := k.find(company("acme.example")).Err; err != nil {
		k.t.Error(err)
	}
	if n := k.fake.Minted(); n > 2 {
		k.t.Errorf("%d tokens were fetched", n)
	}
}

func tokenIsRegenerated(k *desk) {
	k.find(company("acme.example"))
	k.fake.Regenerate("another")
	err := k.find(company("acme.example")).Err
	if k.fake.Minted() == 0 {
		k.kind(err, galena.Unauthorized)
		k.setToken("another")
		err = k.find(company("acme.example")).Err
	}
	if err != nil {
		k.t.Error(err)
	}
}

func away(k *desk) {
	k.find(company("acme.example"))
	k.fake.Down(true)
	k.kind(k.find(company("acme.example")).Err, galena.Unavailable)
	k.fake.Down(false)
	if err := k.find(company("acme.example")).Err; err != nil {
		k.t.Error(err)
	}
}

func late(k *desk) {
	k.fake.Latency(time.Second)
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	found, err := k.crm.Find(ctx, []crm.Key{company("acme.example")}, nil)
	if err == nil {
		err = found[0].Err
	}
	k.kind(err, galena.Unavailable)
}

// lateWrite hangs until we have given up, and is done all the same.
func lateWrite(k *desk) {
	key, known := company("acme.example"), values{crm.Domain: words("acme.example"), Name: words("Acme")}
	p := k.plan(key, k.find(key), known)
	change, _ := p.Change("1")
	k.fake.Hang(1)
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	results, err := k.crm.Apply(ctx, []crm.Change{change})
	if err == nil {
		err = results[0].Err
	}
	k.kind(err, galena.Unavailable)
	for range 500 {
		if len(k.fake.IDs(crm.Company)) > 0 {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	p, r := k.deliver(key, known)
	if n := len(k.fake.IDs(crm.Company)); r.Err != nil || n != 1 || outcome(p, crm.Domain) != crm.Same {
		k.t.Errorf("%d records, %+v of %+v", n, r, p.Decisions)
	}
}

func droppedCreates(k *desk) {
	const n = 200
	k.find(company("acme.example"))
	k.fake.Drop(n)
	for i := range n {
		domain := fmt.Sprintf("c%d.example", i)
		known := values{crm.Domain: words(domain), Name: words("Company " + strconv.Itoa(i))}
		_, r := k.deliver(company(domain), known)
		k.kind(r.Err, galena.Unavailable)
		if p, again := k.deliver(company(domain), known); again.Err != nil || outcome(p, crm.Domain) != crm.Same {
			k.t.Fatalf("%+v of %+v", again, p.Decisions)
		}
	}
	if got := len(k.fake.IDs(crm.Company)); got != n {
		k.t.Errorf("%d records, want %d", got, n)
	}
}
