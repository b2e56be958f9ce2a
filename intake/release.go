package intake

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/galenahq/galena"
)

// longestNote is how much of a person's note is kept.
const longestNote = 200

// Release lets a held lead go on by a person's word. Its old codes stay beside
// the new one, so that everybody sees why it was held and that somebody looked.
// A lead that is not held is a Conflict error with Op "held".
func (g *Gate) Release(ctx context.Context, id, actor, note string) (galena.Lead, error) {
	r, err := g.deps.Store.Record(ctx, id)
	if err != nil {
		return galena.Lead{}, err
	}
	before := r.Lead
	if before.Status != galena.StatusQuarantined {
		return before, galena.Errorf(galena.Conflict, "held", "the lead is not held, it is %s", before.Status)
	}
	now := g.deps.Now()
	after := released(before)
	stated, err := observations(after, now)
	if err != nil {
		return after, err
	}
	err = g.deps.Store.Release(ctx, galena.Release{Lead: after, Before: before.Codes, Observations: stated,
		Audit: galena.AuditEntry{At: now, Actor: actor, Action: "lead.release", Target: id, Detail: noteOf(before.Codes, note)}})
	if err != nil {
		return after, err
	}
	g.deps.Queue.Nudge()
	return after, nil
}

// released is the lead as accepted: the address was right after all, so it names
// the company that it would have named.
func released(l galena.Lead) galena.Lead {
	l.Verdict, l.Status = galena.Accept, galena.StatusAccepted
	if !slices.Contains(l.Codes, codeReleased) {
		l.Codes = sorted(append(slices.Clone(l.Codes), codeReleased))
	}
	switch l.Class {
	case galena.Corporate, galena.Role:
		if l.Domain == "" { // verdict confirm leaves the question open
			l.Domain = registrable(l.Host)
		}
	case galena.Freemail, galena.Shared:
		l.Domain = resolved(l.Codes)
	default: // a throw-away mailbox is nobody's company, whoever sits behind it
		l.Domain = ""
	}
	l.Spendable = l.Domain != ""
	return l
}

// resolved is the company that a website named.
func resolved(codes []string) string {
	for _, c := range codes {
		if d, ok := strings.CutPrefix(c, codeFromWebsite); ok {
			return d
		}
	}
	return ""
}

// mailbox is what looks like an address. The trail is kept for good, and so may
// not hold one.
var mailbox = regexp.MustCompile(`\S+@\S+`)

// noteOf is what the trail keeps: the codes that held the lead, and the note
// without what people should not have written into it.
func noteOf(codes []string, note string) string {
	note = maskCards(mailbox.ReplaceAllString(strings.Join(strings.Fields(note), " "), "(address)"))
	if len(note) > longestNote {
		note = note[:longestNote]
		for !utf8.ValidString(note) {
			note = note[:len(note)-1]
		}
	}
	held := slices.DeleteFunc(slices.Clone(codes), func(c string) bool {
		_, r := ruleOf(c)
		return r.verdict != galena.Quarantine && r.verdict != galena.Confirm
	})
	return strings.TrimSuffix(strings.Join(held, ", ")+": "+note, ": ")
}

// Check judges an address for a form that wants to ask its visitor. It says
// nothing of people: who is suppressed, or has written before, is accepted like
// everybody, without a look at either.
func (g *Gate) Check(ctx context.Context, email string) (galena.Judgement, error) {
	var k Known
	if domain := mailDomain(readAddress(email)); domain != "" {
		var err error
		if _, k.DomainKnown, err = g.deps.Store.Recall(ctx, nil, domain); err != nil {
			return galena.Judgement{}, err
		}
		k.near = g.knownDomains(ctx)
	}
	return g.judge.Load().Check(email, k), nil
}

// Suggestion is the domain that somebody may have meant, "" when there is none.
func Suggestion(codes []string) string {
	for _, c := range codes {
		if d, ok := strings.CutPrefix(c, codeDidYouMean); ok {
			return d
		}
	}
	return ""
}
