package rest_test

import (
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/configs"
	"github.com/galenahq/galena/crm"
	"github.com/galenahq/galena/crm/crmfake"
	"github.com/galenahq/galena/crm/crmtest"
	"github.com/galenahq/galena/crm/rest"
	"github.com/galenahq/galena/providers"
)

// filled are the blanks of the files that are shipped, as an admin of the fakes
// would fill them in.
var (
	hash = "d4de1c1518b4531717c676029a45911c3403901"

	pipedriveBlanks = []string{"FILL-IN-DOMAIN", hash + "0", "FILL-IN-EMPLOYEES", hash + "1", "FILL-IN-REVENUE", hash + "2",
		"FILL-IN-INDUSTRY", hash + "3", "FILL-IN-SCORE", hash + "4", "FILL-IN-TIER", hash + "5", "FILL-IN-REASONS", hash + "6",
		"FILL-IN-DESCRIPTION", hash + "9", "FILL-IN-", ""}
	apresentaBlanks = []string{"FILL-IN-COMPANIES", "api/empresas", "FILL-IN-PEOPLE", "api/pessoas", "FILL-IN-DOMAIN", "dominio",
		"FILL-IN-NAME", "razao_social", "FILL-IN-DESCRIPTION", "descricao", "FILL-IN-EMPLOYEES", "funcionarios", "FILL-IN-REVENUE", "faturamento",
		"FILL-IN-CURRENCY", "moeda", "FILL-IN-INDUSTRY", "setor", "FILL-IN-SCORE", "icp_pontos", "FILL-IN-TIER", "icp_classe",
		"FILL-IN-REASONS", "icp_motivos", "FILL-IN-OWNER", "vendedor_id", "FILL-IN-FIRST-NAME", "nome", "FILL-IN-LAST-NAME", "sobrenome",
		"FILL-IN-COMPANY", "empresa_id", "FILL-IN-JOB-TITLE", "cargo"}
)

// load reads a file as `galena check` does.
func load(t *testing.T, file string, replace ...string) configs.CRM {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer(replace...).Replace(string(b))
	r, err := configs.LoadFiles([]configs.Source{{Path: file, Bytes: []byte(text)}}, configs.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return r.CRM
}

// connect opens the CRM of a file at the address of a fake.
func connect(file string, replace ...string) crmtest.Open {
	return func(t *testing.T, s crmtest.Setup) crm.CRM {
		t.Helper()
		// A slice of its own: tests that run side by side share replace.
		var blanks []string
		for _, host := range []string{"https://crm.example", "https://api.apresenta.me", "https://api.pipedrive.com"} {
			blanks = append(blanks, host, s.URL)
		}
		c := load(t, file, append(blanks, replace...)...)
		out, err := rest.New(c.ID, *c.REST, rest.Deps{Client: s.Client, Secret: s.Secret, Now: s.Now})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}

// TestAPrivateAddressIsNotCalled shows the guard of the client that is handed in.
func TestAPrivateAddressIsNotCalled(t *testing.T) {
	t.Parallel()
	client, err := providers.NewClient(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := load(t, "testdata/jsonapi.yaml", "https://crm.example", "http://127.0.0.1:9",
		"style: oauth2_client_credentials, token_url: https://crm.example/oauth/token, client_auth: basic", "style: bearer")
	out, err := rest.New(c.ID, *c.REST, rest.Deps{Client: client, Secret: func(string) (string, error) { return "t", nil }, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	found, err := out.Find(t.Context(), []crm.Key{{Object: crm.Company, Domain: "acme.example"}}, nil)
	if err != nil || galena.CauseOf(found[0].Err) != galena.CauseForbiddenTarget {
		t.Errorf("%+v %v", found, err)
	}
}

func TestTwentyLike(t *testing.T) {
	t.Parallel()
	crmtest.Run(t, crmfake.Twenty, connect("testdata/twenty.yaml"))
}

func TestHubSpotLike(t *testing.T) {
	t.Parallel()
	crmtest.Run(t, crmfake.HubSpot, connect("testdata/hubspot.yaml"))
}

func TestApresenta(t *testing.T) {
	t.Parallel()
	crmtest.Run(t, crmfake.Laravel, connect("../../configs/crm/apresenta.yaml", append([]string{"{calls: 60, per: 1m}", "{calls: 5000, per: 1m}"}, apresentaBlanks...)...))
}

func TestPipedrive(t *testing.T) {
	t.Parallel()
	crmtest.Run(t, crmfake.Pipedrive, connect("../../configs/crm/pipedrive.yaml", append([]string{"{calls: 20, per: 2s}", "{calls: 5000, per: 1m}"}, pipedriveBlanks...)...))
}

func TestJSONAPI(t *testing.T) {
	t.Parallel()
	crmtest.Run(t, crmfake.JSONAPI, connect("testdata/jsonapi.yaml"))
	b, err := os.ReadFile("testdata/jsonapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("a CRM of an unplanned shape took %d lines of YAML and no code", strings.Count(string(b), "\n"))
}

// TestTheFilesThatAreShippedSayWhatToFillIn holds each of them to a top that tells
// an admin what to do, and to be refused, blank by blank, until it is done.
func TestTheFilesThatAreShippedSayWhatToFillIn(t *testing.T) {
	t.Parallel()
	eleve := append([]string{"FILL-IN-HOST", "crm", "FILL-IN-EMAIL", "email", "FILL-IN-1", "17"}, apresentaBlanks...)
	for name, blanks := range map[string][]string{"pipedrive": pipedriveBlanks, "apresenta": apresentaBlanks, "elevecrm": eleve} {
		file := "../../configs/crm/" + name + ".yaml"
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		top, rest, _ := strings.Cut(string(b), "apiVersion:")
		for _, says := range []string{"Nothing of this is obeyed until", "FILL-IN", "\n#   1. ", "GALENA_CRM_" + strings.ToUpper(name) + "_TOKEN", "galena check", "galena crm record " + name} {
			if !strings.Contains(top, says) {
				t.Errorf("the top of %s does not say %q", name, says)
			}
		}
		_, err = configs.LoadFiles([]configs.Source{{Path: file, Bytes: b}}, configs.Options{})
		if err == nil {
			t.Fatalf("%s is taken as it is", name)
		}
		told := map[string]bool{}
		for line := range strings.SplitSeq(err.Error(), "\n") {
			if parts := strings.Split(line, ":"); len(parts) > 2 {
				told[parts[1]] = true
			}
		}
		for i, line := range strings.Split(rest, "\n") {
			if n := strconv.Itoa(strings.Count(top, "\n") + i + 1); strings.Contains(line, "FILL-IN") && !told[n] {
				t.Errorf("%s:%s is not told: %s", name, n, line)
			}
		}
		if c := load(t, file, blanks...); !c.Chosen() {
			t.Errorf("%s is not taken once it is filled in", name)
		}
	}
}
