package twenty

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/crm"
)

func TestARepIsTheMemberWhomTheFileNames(t *testing.T) {
	t.Parallel()
	const sam, joe = "20202020-0687-4c41-b707-ed1bfca972a7", "20202020-1553-45c6-a028-5a9064cce07f"
	objects := slurp(t, "objects.json")
	c := against(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/rest/metadata/objects" {
			_, _ = w.Write([]byte(objects))
			return
		}
		members := []any{}
		if r.URL.Query().Get("filter") == `userEmail[ilike]:"sam@acme.example"` {
			members = append(members, map[string]any{"id": sam, "userEmail": "Sam@acme.example"})
		}
		if err := json.NewEncoder(w).Encode(map[string]any{"data": map[string]any{"workspaceMembers": members}}); err != nil {
			t.Error(err)
		}
	}))
	c.config.Mapping.Owners = map[string]string{"sam.lee": "sam@acme.example", "joe": joe, "gone": "gone@acme.example"}
	for rep, want := range map[string]string{"sam.lee": sam, "joe": joe, joe: joe, "gone": "", "nobody": ""} {
		e, err := c.Encode(crm.Company, crm.Owner, galena.TextValue(rep))
		if e.Norm != want || want == "" && galena.KindOf(err) != galena.Invalid || want != "" && err != nil {
			t.Errorf("%s is %q, %v; want %q", rep, e.Norm, err, want)
		}
	}
}
