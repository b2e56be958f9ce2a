package custom

import (
	"os"
	"testing"

	"github.com/galenahq/galena/configs"
	"github.com/galenahq/galena/providers"
	"github.com/galenahq/galena/providers/providertest"
)

// described is a vendor of a file, as a waterfall would make it.
func described(t *testing.T, file, id string) providers.Spec {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	specs := []providers.Spec{Spec}
	rules, err := configs.LoadFiles([]configs.Source{{Path: file, Bytes: b}}, configs.Options{Specs: specs})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range rules.Providers.Providers {
		if e.ID == id {
			s := e.Spec(specs)
			s.Name = id
			return s
		}
	}
	t.Fatalf("%s has no %s", file, id)
	return providers.Spec{}
}

func TestGetConformance(t *testing.T) {
	providertest.Run(t, described(t, "testdata/providers.yaml", "custom-get"))
}

func TestFormConformance(t *testing.T) {
	providertest.Run(t, described(t, "testdata/providers.yaml", "custom-form"))
}

func TestSOAPConformance(t *testing.T) {
	providertest.RunXML(t, described(t, "testdata/providers.yaml", "custom-soap"))
}
