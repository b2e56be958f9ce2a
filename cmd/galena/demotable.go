package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/galenahq/galena"
	"github.com/galenahq/galena/configs"
)

// result is what became of one lead of the demo.
type result struct {
	lead      configs.ScenarioLead
	judgement galena.Judgement
	record    galena.Record // Decision nil when the lead was not decided
	duplicate bool
	took      time.Duration
	records   []recordLine // what became of it in the CRM
}

// resultLine is one line of `demo --json`.
type resultLine struct {
	N        int           `json:"n"`
	Email    string        `json:"email"`
	Verdict  string        `json:"verdict"`
	Codes    []string      `json:"codes"`
	Domain   string        `json:"company_domain"`
	Score    galena.Tenths `json:"score"`
	Lo       galena.Tenths `json:"lo"`
	Hi       galena.Tenths `json:"hi"`
	Coverage float64       `json:"coverage"`
	Tier     string        `json:"tier"`
	Stop     string        `json:"stop"`
	Cents    float64       `json:"cents"`
	Calls    int           `json:"calls"`
	Rule     string        `json:"rule"`
	To       string        `json:"to"`
	Explain  []galena.Row  `json:"explain,omitempty"`
	Steps    []resultStep  `json:"steps,omitempty"`
	CRM      []recordLine  `json:"crm,omitempty"`
}

type resultStep struct {
	Provider string  `json:"provider"`
	Outcome  string  `json:"outcome"`
	Cents    float64 `json:"cents"`
	Why      string  `json:"why"`
}

func (r result) line() resultLine {
	j := r.judgement
	out := resultLine{N: r.lead.N, Email: r.lead.Email, Verdict: string(j.Verdict), Codes: j.Codes, Domain: j.Domain,
		To: "hygiene:" + string(j.Verdict)}
	if j.Verdict == galena.Drop {
		out.Email = "(suppressed)"
	}
	if r.duplicate {
		out.To = "duplicate"
	}
	d := r.record.Decision
	if d == nil {
		return out
	}
	out.Score, out.Lo, out.Hi, out.Coverage = d.Score.Score, d.Lo, d.Hi, d.Coverage
	out.Tier, out.Stop, out.Cents, out.Calls = d.Tier, d.StopLabel(), d.Cents, d.Calls
	out.Rule, out.To, out.Explain = d.Rule, d.To, plainRows(d.Rows)
	for _, s := range d.Steps {
		out.Steps = append(out.Steps, resultStep{s.Provider, s.Outcome, s.Cents, s.Why})
	}
	out.CRM = r.records
	return out
}

// plainRows leaves out what depends on when a value was observed, and the words
// that only Explain prints.
func plainRows(rows []galena.Row) []galena.Row {
	out := make([]galena.Row, len(rows))
	for i, r := range rows {
		r.AgeDays, r.EffectiveConfidence, r.AtLeast = nil, nil, ""
		out[i] = r
	}
	return out
}

// table prints results as they come: a line for people, or an object for programs.
type table struct {
	w    io.Writer
	json bool
}

func newTable(w io.Writer, c demoCmd) table { return table{w, c.JSON} }

const tableRow = "%-38s %-28s %-22s %-4s %-34s %6s %6s\n"

func (t table) begin() {
	if !t.json {
		fmt.Fprintf(t.w, tableRow, "LEAD", "COMPANY", "SCORE", "TIER", "GOES TO", "CENTS", "MS")
	}
}

func (t table) line(r result) error {
	l := r.line()
	if t.json {
		b, err := json.Marshal(l)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(t.w, "%s\n", b)
		return err
	}
	score, cents := "-", "-"
	if r.record.Decision != nil {
		score = fmt.Sprintf("%s (%s to %s)", l.Score, l.Lo, l.Hi)
		cents = strconv.FormatFloat(l.Cents, 'f', -1, 64)
	}
	to := l.To
	if r.record.Decision == nil && len(l.Codes) > 0 {
		to += " " + strings.Join(l.Codes, ",")
	}
	_, err := fmt.Fprintf(t.w, tableRow, cut(l.Email, 38), cut(l.Domain, 28), score, l.Tier, cut(to, 34), cents,
		strconv.FormatInt(r.took.Milliseconds(), 10))
	for _, record := range l.CRM {
		fmt.Fprintln(t.w, record)
	}
	return err
}

// cut shortens a cell to n characters.
func cut(s string, n int) string {
	runes := []rune(s)
	if len(runes) <= n {
		return s
	}
	return string(runes[:n-1]) + "…"
}
