package twenty

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/crm"
)

// window is how old, or how far ahead, a delivery may be.
const window = 300 * time.Second

// Event is what happened to a record.
type Event struct {
	Object crm.Object
	ID     string
	Domain string // of a company
	Email  string // of a person
	Action string // "created", "updated", "deleted", "restored"
	By     crm.Actor
	Member string // of the workspace, by whom
	At     time.Time
	Edits  []Edit
}

// Edit is a field that was changed, and what stands there now.
type Edit struct {
	Field crm.Field
	Value galena.Value
	Blank bool
}

// Verify checks that Twenty sent a body, and not long ago. The nonce is not
// signed and says nothing.
func Verify(secret string, h http.Header, body []byte, now time.Time) error {
	const op = "twenty.hook"
	stamp := h.Get("X-Twenty-Webhook-Timestamp")
	given, err := hex.DecodeString(h.Get("X-Twenty-Webhook-Signature"))
	if secret == "" || err != nil || len(given) != sha256.Size {
		return galena.Errorf(galena.Unauthorized, op, "the delivery is not signed")
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(stamp + ":"))
	mac.Write(body)
	if !hmac.Equal(mac.Sum(nil), given) {
		return galena.Errorf(galena.Unauthorized, op, "the signature does not fit")
	}
	ms, err := strconv.ParseInt(stamp, 10, 64)
	if age := now.Sub(time.UnixMilli(ms)); err != nil || age > window || age < -window {
		return galena.Errorf(galena.Unauthorized, op, "the delivery is not of now")
	}
	return nil
}

// ParseEvent reads a verified body. It asks nobody: a delivery comes once, whether
// or not the server can be asked for its layout. Records of other kinds, and
// fields that are none of ours, are left out; NotFound says that nothing is left.
func ParseEvent(c Config, body []byte) (Event, error) {
	const op = "twenty.hook"
	v, err := decode(body)
	if err != nil {
		return Event{}, galena.Errorf(galena.Malformed, op, "the delivery is not JSON")
	}
	sent := recordOf(v)
	name, action, _ := strings.Cut(textOf(sent["eventName"]), ".")
	o, ok := objectOf(name)
	if !ok {
		return Event{}, galena.Errorf(galena.NotFound, op, "the delivery is about no company and no person")
	}
	r := recordOf(sent["record"])
	e := Event{Object: o, ID: textOf(r["id"]), Action: action, By: (&CRM{keyName: c.KeyName}).actor(recordOf(r["updatedBy"])),
		Member: textOf(recordOf(r["updatedBy"])["workspaceMemberId"])}
	if e.ID == "" {
		return Event{}, galena.Errorf(galena.Malformed, op, "the delivery has no record")
	}
	if e.At, err = time.Parse(time.RFC3339, textOf(sent["eventDate"])); err != nil {
		return Event{}, galena.Errorf(galena.Malformed, op, "the delivery has no date")
	}
	e.Domain = hostOf(textOf(recordOf(r["domainName"])["primaryLinkUrl"]))
	e.Email = normEmail(slot{}, r["emails"])
	changed, _ := sent["updatedFields"].([]any)
	for _, f := range c.fields(o) {
		for _, place := range c.places(o, f) {
			top, part, _ := strings.Cut(place, ".")
			raw, there := r[top]
			if !there || action != "created" && !slices.Contains(changed, any(top)) {
				continue
			}
			if part != "" {
				raw = recordOf(raw)[part]
			}
			e.Edits = append(e.Edits, edit(f, raw))
			break
		}
	}
	return e, nil
}

// edit reads a value by what our field is; the type of theirs is not known here.
func edit(f crm.Field, raw any) Edit {
	out := Edit{Field: f, Blank: true}
	known, ok := galena.LookupField(string(f))
	if !ok {
		return out
	}
	text := plain(raw)
	switch m := recordOf(raw); {
	case m["amountMicros"] != nil:
		text = dollars(m)
	case m != nil:
		for _, name := range mainPart {
			text += textOf(m[name])
		}
	}
	switch known.Type {
	case galena.TypeNumber:
		if n, err := strconv.ParseInt(numberOf(text), 10, 64); err == nil && n > 0 {
			out.Value = galena.Number(n)
		}
	case galena.TypeCountry:
		out.Value = galena.CountryValue(normCountry(slot{}, text))
	case galena.TypeEnum:
		out.Value = galena.EnumValue(text)
	case galena.TypeSet:
		out.Value = galena.SetValue(listOf(raw), false) // Word says what was taken out
	case galena.TypeText:
		out.Value = galena.TextValue(text)
	}
	out.Blank = out.Value.Empty()
	return out
}

// Shown is what somebody who edits a list could see in it.
type Shown struct {
	Wrote string // by us last, the norm of the ledger
	Left  string // by a person last
}

// Word is what the edit says beside what we hold. Nobody can take out of a list what
// they never saw in it, and we do not show all: some has no option there, some was
// learnt later. So only what we wrote and is gone is denied. A list that denies is
// closed, and what was not shown stays in it; Raw is then what the person left. Where
// what is gone is no word of ours, as NODE_JS for node.js, it may be any of those that
// would stay: then nothing is denied, and nothing affirmed that they took out.
func (e Edit) Word(held galena.Value, s Shown) galena.Value {
	wrote, left := galena.SetValue(listOf(s.Wrote), false).Set, galena.SetValue(listOf(s.Left), false).Set
	stays := func(it string) bool { return slices.Contains(e.Value.Set, it) }
	if e.Value.Type != galena.TypeSet || !slices.ContainsFunc(wrote, func(it string) bool { return !stays(it) }) {
		return e.Value
	}
	unseen := slices.DeleteFunc(slices.Clone(held.Set), func(it string) bool {
		return slices.Contains(wrote, it) || slices.Contains(left, it)
	})
	foreign := func(it string) bool { // gone now, and not before
		return !stays(it) && !slices.Contains(held.Set, it) && (s.Left == "" || slices.Contains(left, it))
	}
	if len(unseen) > 0 && slices.ContainsFunc(wrote, foreign) {
		return e.Value
	}
	out := galena.SetValue(slices.Concat(e.Value.Set, unseen), true)
	out.Raw = e.Value.String()
	return out
}

// dollars is an amount in whole dollars; one in another currency is no value of
// ours.
func dollars(m record) string {
	micros, err := strconv.ParseInt(numberOf(m["amountMicros"]), 10, 64)
	if code := textOf(m["currencyCode"]); err != nil || code != "" && !strings.EqualFold(code, "USD") {
		return ""
	}
	return strconv.FormatInt(micros/1_000_000, 10)
}

func listOf(raw any) (out []string) {
	many, ok := raw.([]any)
	if !ok {
		return strings.FieldsFunc(plain(raw), func(r rune) bool { return r == ',' || r == ';' })
	}
	for _, it := range many {
		out = append(out, plain(it))
	}
	return out
}
