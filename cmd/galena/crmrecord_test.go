package main

import (
	"bytes"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/galenahq/galena/crm"
	"github.com/galenahq/galena/crm/crmfake"
	"github.com/galenahq/galena/crm/crmtest"
)

// TestAnExchangeIsRecordedAndPlayed records with one command and plays it to the
// next, for Twenty and for a CRM that a file describes.
func TestAnExchangeIsRecordedAndPlayed(t *testing.T) {
	const key = "marker-key-9d1f"
	fake := crmfake.New(crmfake.Twenty, key, time.Now)
	id := fake.Add(crm.Company, map[crm.Field]string{crm.Domain: "https://northwind.example", "company.name": "Northwind Traders",
		crmfake.Note: "ask Ana Souza", "company.employee_count": "250"})
	server := httptest.NewServer(fake)
	t.Cleanup(server.Close)
	described, err := os.ReadFile("../../crm/rest/testdata/twenty.yaml")
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "crm.yaml"), described, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GALENA_ALLOW_PRIVATE_TARGETS", "loopback")
	for _, name := range []string{"twenty", "fake"} {
		t.Run(name, func(t *testing.T) {
			prefix := "GALENA_CRM_" + strings.ToUpper(name) + "_"
			t.Setenv(prefix+map[string]string{"twenty": "KEY", "fake": "TOKEN"}[name], key)
			if name == "fake" {
				t.Setenv("GALENA_CONFIG_DIR", folder)
			}
			record := func(url, args string) (int, string, string) {
				t.Setenv(prefix+"URL", url)
				var out, told bytes.Buffer
				exit := run(append([]string{"crm", "record", name}, strings.Fields(args)...), streams{nil, &out, &told})
				if both := out.String() + told.String(); strings.Contains(both, key) {
					t.Errorf("the key is printed:\n%s", both)
				}
				return exit, out.String(), told.String()
			}
			file := filepath.Join(t.TempDir(), "fixture.http")
			writes := fake.Version(crm.Company, id)
			if exit, _, told := record(server.URL, "--domain northwind.example --out "+file); exit != exitOK || !strings.Contains(told, "read them before") {
				t.Fatalf("exit %d %s", exit, told)
			}
			if fake.Version(crm.Company, id) != writes {
				t.Error("a look-up wrote")
			}
			fixture, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, word := range []string{key, "orthwind", "Ana", "Souza", "127.0.0.1"} {
				if bytes.Contains(fixture, []byte(word)) {
					t.Errorf("%q is in the fixture:\n%s", word, fixture)
				}
			}
			played := httptest.NewServer(crmtest.Play(t, file))
			t.Cleanup(played.Close)
			exit, again, told := record(played.URL, "--domain acme.example")
			if _, was, _ := strings.Cut(string(fixture), "\n"); exit != exitOK || !strings.Contains(again, strings.Split(was, "\n< ")[0]) {
				t.Errorf("played: exit %d %s\n%s\nwant as recorded\n%s", exit, told, again, was)
			}
			for args, want := range map[string]struct {
				exit int
				says string
			}{
				"--domain northwind.example --out " + file:                    {exitUsage, "file exists"},
				"--domain nobody.example":                                     {exitNo, "has no such record"},
				"--domain northwind.example --write company.employee_count=1": {exitNo, "a field that is ours alone"},
				"--domain northwind.example --write icp.score=87":             {exitOK, ""},
				"--domain northwind.example --email ana@northwind.example":    {exitUsage, ""},
				"--email nobody@northwind.example":                            {exitNo, "has no such record"},
			} {
				if exit, _, told := record(server.URL, args); exit != want.exit || !strings.Contains(told, want.says) {
					t.Errorf("%s: exit %d %s, want %d with %q", args, exit, told, want.exit, want.says)
				}
			}
			if got := fake.Get(crm.Company, id, crm.Score); got != "87" || fake.Get(crm.Company, id, "company.employee_count") != "250" {
				t.Errorf("the score is %q", got)
			}
			fake.Edit(crm.Company, id, crm.Score, "")
		})
	}
}
