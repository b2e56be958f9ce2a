package twenty_test

import (
	"context"
	"testing"

	"github.com/galenahq/galena/crm"
	"github.com/galenahq/galena/crm/crmfake"
	"github.com/galenahq/galena/crm/crmtest"
	"github.com/galenahq/galena/crm/twenty"
)

// hurried is the pace of a test: the fake of the suite has no limit of its own.
type hurried struct{}

func (hurried) Wait(ctx context.Context) error { return ctx.Err() }
func (hurried) Refused()                       {}

func connect(t *testing.T, s crmtest.Setup) crm.CRM {
	t.Helper()
	key, err := s.Secret("KEY")
	if err != nil {
		t.Fatal(err)
	}
	c, err := twenty.New(twenty.Config{URL: s.URL, Key: key, Mapping: crm.Mapping{Owners: map[string]string{"sam.lee": crmtest.RepEmail}}},
		twenty.Deps{Client: s.Client, Pace: hurried{}, Secret: s.Secret, Now: s.Now})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestSuite(t *testing.T) {
	t.Parallel()
	crmtest.Run(t, crmfake.Twenty, connect)
}
