package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/configs"
	"github.com/galenahq/galena/crm"
)

type crmRecordCmd struct {
	CRM    string `arg:"" help:"The CRM by its id: twenty, or that of your file."`
	Domain string `help:"Look this company up." placeholder:"DOMAIN" xor:"key" required:""`
	Email  string `help:"Look this person up." placeholder:"ADDRESS" xor:"key" required:""`
	Write  string `help:"Also write this into the record that is found; only a field that is ours alone." placeholder:"FIELD=VALUE"`
	Out    string `help:"Make this file; without it the fixture is printed." placeholder:"FILE" type:"path"`
}

// Help is shown by --help.
func (crmRecordCmd) Help() string {
	return `Example: galena crm record twenty --domain acme.com --out acme.http
Example: galena crm record mycrm --email ana@acme.com --write icp.score=87

What was sent and answered is saved so that a test can play it: the company
becomes acme.example and the person ana@acme.example, keys and headers are left
out, and of every answer stay its shape, ids, dates, numbers and constants; all
other texts are exchanged. Read it before you pass it on. Nothing is written to
the CRM without --write. Ends with 3 when the CRM refuses or has no such record.`
}

// Run makes the exchange and saves it, however it ends.
func (c crmRecordCmd) Run(ctx context.Context, std streams) error {
	key := crm.Key{Object: crm.Company, Domain: c.Domain}
	if c.Email != "" {
		key = crm.Key{Object: crm.Person, Email: c.Email}
	}
	var recorder *crm.Recorder
	return withCRMThrough(c.CRM, func(next http.RoundTripper, env configs.Env, id string) http.RoundTripper {
		recorder = crm.NewRecorder(next, key, secretsOf(env, id)...)
		return recorder
	}, func(target connector, _ configs.Env) error {
		if own, ok := target.(interface {
			Recorded(path string, answer any) (any, bool)
		}); ok {
			recorder.Own = own.Recorded
		}
		came := c.exchange(ctx, target, key)
		if err := c.save(std, recorder.Fixture("A look-up of a "+string(key.Object)+", recorded by galena crm record "+c.CRM)); err != nil {
			return err
		}
		if came != nil {
			fmt.Fprintln(std.Err, oneLine(came))
			return errNo
		}
		return nil
	})
}

// secretsOf are the settings of a CRM that nobody may read.
func secretsOf(env configs.Env, id string) (out []string) {
	for name, s := range env.CRM(id) {
		if !slices.Contains([]string{"URL", "APP_URL", "KEY_NAME"}, name) {
			out = append(out, s.Reveal())
		}
	}
	return out
}

// exchange looks the key up, and writes if that is asked for.
func (c crmRecordCmd) exchange(ctx context.Context, target connector, key crm.Key) error {
	const op = "crm.record"
	policies := target.Policies(key.Object)
	var want []crm.Field
	for f := range policies {
		want = append(want, f)
	}
	slices.Sort(want)
	found, err := target.Find(ctx, []crm.Key{key}, want)
	if err == nil && len(found) == 1 {
		err = found[0].Err
	}
	switch {
	case err != nil:
		return err
	case len(found[0].Records) == 0:
		return galena.Errorf(galena.NotFound, op, "the CRM has no such record; the exchange is saved all the same")
	case c.Write == "":
		return nil
	case len(found[0].Records) > 1 || found[0].Records[0].Closed != "":
		return galena.Errorf(galena.Conflict, op, "nothing was written: several records answer, or the one is closed")
	}
	name, v, ok := strings.Cut(c.Write, "=")
	if f := crm.Field(name); !ok || policies[f].Mode != crm.Own {
		return galena.Errorf(galena.Invalid, op, "nothing was written: --write takes FIELD=VALUE with a field that is ours alone, such as icp.score=87")
	}
	value := galena.TextValue(v)
	if n, err := strconv.ParseInt(v, 10, 64); err == nil {
		value = galena.Number(n)
	}
	e, err := target.Encode(key.Object, crm.Field(name), value)
	if err != nil {
		return err
	}
	results, err := target.Apply(ctx, []crm.Change{{Ref: "record", Object: key.Object, ID: found[0].Records[0].ID,
		Version: found[0].Records[0].Version, Set: map[crm.Field]crm.Encoded{crm.Field(name): e}}})
	if err == nil && len(results) == 1 {
		err = results[0].Err
	}
	return err
}

// save writes the fixture; a file that is there is never overwritten.
func (c crmRecordCmd) save(std streams, fixture []byte) error {
	if c.Out == "" {
		_, err := std.Out.Write(fixture)
		return err
	}
	f, err := os.OpenFile(c.Out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return usageError{err}
	}
	_, err = f.Write(fixture)
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	_, err = fmt.Fprintf(std.Err, "%d exchanges are in %s: read them before you pass them on\n", bytes.Count(fixture, []byte("\n### ")), c.Out)
	return err
}
