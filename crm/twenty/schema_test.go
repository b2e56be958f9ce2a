package twenty

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/crm"
)

func TestMissingFieldsAreMadeOnlyWhenAsked(t *testing.T) {
	t.Parallel()
	objects := strings.Replace(slurp(t, "objects.json"), `{"name":"employees","type":"NUMBER","isActive":true}`, `{"name":"employees","type":"RAW_JSON","isActive":true}`, 1)
	var made []map[string]any
	c := against(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			_, _ = io.WriteString(w, objects)
			return
		}
		var body map[string]any
		if err := json.NewDecoder(r.Body).Decode(&body); err != nil || r.URL.Path != "/rest/metadata/fields" {
			t.Errorf("%s %v", r.URL.Path, err)
		}
		made = append(made, body)
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, `{"id":"0d6a6e0e-13f5-4a4c-8e0e-1f3f8a4f7b10"}`)
	}))
	show := func(apply bool) string {
		columns, err := c.Schema(t.Context(), Wanted([]string{"A", "B", "C", "Disqualified"}), apply)
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, col := range columns {
			out = append(out, fmt.Sprintf("%s %s %s", col.Place, col.Type, col.State))
		}
		return strings.Join(out, "\n")
	}
	const dry = `icpScore NUMBER there
icpTier SELECT no_options
icpReasons TEXT missing
enrichedAt DATE_TIME there
employees RAW_JSON unfit
industry TEXT there
techStack MULTI_SELECT there`
	if got := show(false); got != dry || len(made) > 0 {
		t.Errorf("%d fields made by a dry run\n%s", len(made), got)
	}
	if got := show(true); got != strings.Replace(dry, "missing", "created", 1) || len(made) != 1 ||
		made[0]["name"] != "icpReasons" || made[0]["type"] != "TEXT" || made[0]["objectMetadataId"] != "50e3785c-dde3-4cdb-8145-ecb7ec714e0e" {
		t.Errorf("made %v\n%s", made, got)
	}
}

func TestATierFieldIsMadeWithItsOptions(t *testing.T) {
	t.Parallel()
	c := play(t)
	l, err := c.metadata(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	body := c.newField(l, Spec{crm.Company, crm.Tier, []string{"A", "not-now"}}, Column{Place: "icpTier"})
	b, err := json.Marshal(body["options"])
	if want := `[{"color":"green","label":"A","position":0,"value":"TIER_A"},{"color":"yellow","label":"not-now","position":1,"value":"TIER_NOT_NOW"}]`; err != nil || string(b) != want {
		t.Errorf("got %s", b)
	}
	s := slot{kind: "SELECT", options: []option{{"TIER_NOT_NOW", "not-now"}}}
	if raw, ok := encodeOption(s, galena.EnumValue("not now")); !ok || raw != "TIER_NOT_NOW" {
		t.Errorf("the tier is written as %v", raw)
	}
}

func TestCheckAsksWithoutWriting(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		status int
		body   string
		want   galena.Kind
	}{
		"may write":     {404, `{"statusCode":404,"error":"NotFoundException","messages":["Record not found"]}`, ""},
		"may only read": {400, `{"statusCode":400,"error":"Error","messages":["Entity performing the request does not have permission"],"code":"PERMISSION_DENIED"}`, galena.Unauthorized},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			objects := slurp(t, "objects.json")
			c := against(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch {
				case strings.Contains(r.URL.Path, "metadata"):
					_, _ = io.WriteString(w, objects)
				case r.Method == http.MethodPatch && strings.HasSuffix(r.URL.Path, nobody):
					w.WriteHeader(tc.status)
					_, _ = io.WriteString(w, tc.body)
				case r.Method == http.MethodGet:
					_, _ = io.WriteString(w, `{"data":{}}`)
				default:
					t.Errorf("%s %s", r.Method, r.URL)
				}
			}))
			if err := c.Check(t.Context()); galena.KindOf(err) != tc.want {
				t.Error(err)
			}
		})
	}
}
