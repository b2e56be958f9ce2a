package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/configs"
	"github.com/galenahq/galena/merging"
	"github.com/galenahq/galena/providers/registry"
	"github.com/galenahq/galena/scoring"
)

type scoreCmd struct {
	Facts   string `required:"" help:"Facts as JSON; a .jsonl file is one case a line." placeholder:"FILE"`
	ICP     string `name:"icp" help:"Profile to score with." placeholder:"FILE"`
	Configs string `help:"Folder of configuration files; without it, the one of GALENA_CONFIG_DIR." placeholder:"DIR"`
	Now     string `help:"Score as of this time." placeholder:"2026-11-23T14:30:00Z"`
}

// Help is shown by --help.
func (scoreCmd) Help() string {
	return `Example: galena score --facts acme.json --icp icp.yaml

acme.json: {"facts": {"company.employee_count": "51-200", "company.industry": "fintech",
"lead.job_title": {"value": "CEO", "source": "form", "confidence": 0.9, "observed_at": "2026-11-01T00:00:00Z"}}}
A fact that is null or missing is unknown.`
}

// scoreLine is what is printed of one case.
type scoreLine struct {
	Score        galena.Tenths              `json:"score"`
	Lo           galena.Tenths              `json:"lo"`
	Hi           galena.Tenths              `json:"hi"`
	Coverage     float64                    `json:"coverage"`
	Confidence   float64                    `json:"confidence"`
	Tier         string                     `json:"tier"`
	Settled      bool                       `json:"settled"`
	Provisional  bool                       `json:"provisional"`
	Undecided    bool                       `json:"undecided"`
	Disqualified *galena.Disqualification   `json:"disqualified"`
	ICP          icpRef                     `json:"icp"`
	Rows         []galena.Row               `json:"rows"`
	TopReasons   []string                   `json:"top_reasons"`
	WouldChange  *galena.Hint               `json:"would_change"`
	Hard         []galena.DisqualifierState `json:"disqualifiers"`
}

type icpRef struct {
	Name    string `json:"name"`
	Version int    `json:"version"`
	Hash    string `json:"hash"`
}

// scorer scores case after case with one profile.
type scorer struct {
	profile *scoring.Profile
	policy  *merging.Policy
	icp     icpRef
	now     time.Time
}

// Run scores every case.
func (c scoreCmd) Run(std streams) error {
	s, err := c.scorer()
	if err != nil {
		return err
	}
	raw, err := os.ReadFile(c.Facts)
	if err != nil {
		return usageError{err}
	}
	if !strings.HasSuffix(c.Facts, ".jsonl") {
		return s.print(std, c.Facts, raw)
	}
	lines := bufio.NewScanner(bytes.NewReader(raw))
	lines.Buffer(nil, 1<<24)
	for n := 1; lines.Scan(); n++ {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		if err := s.print(std, fmt.Sprintf("%s:%d", c.Facts, n), lines.Bytes()); err != nil {
			return err
		}
	}
	return lines.Err()
}

func (c scoreCmd) scorer() (*scorer, error) {
	if c.ICP != "" && c.Configs != "" {
		return nil, usageError{fmt.Errorf("give either --icp or --configs, not both")}
	}
	s := &scorer{now: time.Now()}
	if c.Now != "" {
		var err error
		if s.now, err = time.Parse(time.RFC3339, c.Now); err != nil {
			return nil, usageError{fmt.Errorf("--now must be a time such as 2026-11-23T14:30:00Z")}
		}
	}
	rules, err := c.rules()
	if err != nil {
		return nil, err
	}
	if s.profile, err = scoring.New(rules.ICP); err != nil {
		return nil, err
	}
	trust := map[string]float64{}
	for _, e := range rules.Providers.Entries(registry.All()) {
		if e.Trust != nil {
			trust[e.ID] = *e.Trust
		}
	}
	if s.policy, err = merging.New(rules.Merging, trust); err != nil {
		return nil, err
	}
	for _, r := range rules.Refs {
		if r.Kind == configs.KindICP {
			s.icp = icpRef{r.Name, r.Version, r.Hash}
		}
	}
	return s, nil
}

func (c scoreCmd) rules() (configs.Rules, error) {
	if c.ICP == "" {
		dir, err := folder(c.Configs)
		if err != nil {
			return configs.Rules{}, err
		}
		return rulesOf(dir)
	}
	source := configs.File(os.DirFS(filepath.Dir(c.ICP)), filepath.Base(c.ICP), c.ICP)
	return configs.LoadFiles([]configs.Source{source}, configs.Options{Specs: registry.All()})
}

func (s *scorer) print(std streams, where string, raw []byte) error {
	facts, err := s.facts(raw)
	if err != nil {
		return fmt.Errorf("%s: %w", where, err)
	}
	r := s.profile.Score(facts, s.now, true)
	b, err := json.Marshal(scoreLine{Score: r.Score.Score, Lo: r.Lo, Hi: r.Hi, Coverage: r.Coverage, Confidence: r.Confidence,
		Tier: r.Tier, Settled: r.Settled, Provisional: r.Provisional, Undecided: r.Undecided, Disqualified: r.Disqualified,
		ICP: s.icp, Rows: plainRows(r.Rows), TopReasons: r.TopReasons, WouldChange: r.WouldChange, Hard: r.Disqualifiers})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(std.Out, "%s\n", b)
	return err
}

// factFile is one case.
type factFile struct {
	Facts map[string]json.RawMessage `json:"facts"`
}

// factWithSource is a fact that says where it comes from.
type factWithSource struct {
	Value      any        `json:"value"`
	Source     string     `json:"source"`
	Confidence *float64   `json:"confidence"`
	ObservedAt *time.Time `json:"observed_at"`
}

// facts reads one case and merges it as if each fact had just been observed, so
// that age and confidence count as they do in the pipeline.
func (s *scorer) facts(raw []byte) (galena.Facts, error) {
	var file factFile
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&file); err != nil {
		return nil, fmt.Errorf(`not of the form {"facts": {"company.employee_count": 420, …}}`)
	}
	var obs []galena.Observation
	for name, body := range file.Facts {
		field, ok := galena.LookupField(name)
		if !ok {
			return nil, fmt.Errorf("unknown field %q %s", name, galena.Nearest(name, galena.FieldNames()))
		}
		o, err := s.observation(field, body)
		if err != nil {
			return nil, err
		}
		if !o.Value.Empty() {
			obs = append(obs, o)
		}
	}
	return s.policy.Merge(galena.Refs(obs), s.now), nil
}

func (s *scorer) observation(field galena.Field, body json.RawMessage) (galena.Observation, error) {
	o := galena.Observation{ID: field.Name, Field: field.Name, Source: "facts", Class: galena.ClassProvider,
		Confidence: 1, ObservedAt: s.now, FetchedAt: s.now}
	var f factWithSource
	if trimmed := bytes.TrimSpace(body); len(trimmed) > 0 && trimmed[0] == '{' {
		d := json.NewDecoder(bytes.NewReader(trimmed))
		d.DisallowUnknownFields()
		d.UseNumber()
		if err := d.Decode(&f); err != nil {
			return o, fmt.Errorf("%s: an object may hold value, source, confidence and observed_at", field.Name)
		}
	} else {
		d := json.NewDecoder(bytes.NewReader(body))
		d.UseNumber()
		if err := d.Decode(&f.Value); err != nil {
			return o, fmt.Errorf("%s: not a value", field.Name)
		}
	}
	if f.Source != "" {
		o.Source = f.Source
	}
	if f.Confidence != nil {
		if o.Confidence = *f.Confidence; o.Confidence < 0 || o.Confidence > 1 {
			return o, fmt.Errorf("%s: confidence must be from 0 to 1", field.Name)
		}
	}
	if f.ObservedAt != nil {
		o.ObservedAt, o.FetchedAt = *f.ObservedAt, *f.ObservedAt
	}
	var err error
	if o.Value, err = galena.ParseValue(field, f.Value); err == nil && field.Type == galena.TypeSet && !o.Value.Empty() {
		o.Value.Closed = true // a list of facts is the whole list
	}
	return o, err
}
