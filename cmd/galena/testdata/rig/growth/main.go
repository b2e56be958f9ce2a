// Command growth prints what `.ci/growth` measured as a table and draws it.
//
//	growth RESULTS.jsonl TIMES.jsonl PLOT.svg
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
)

// result is a line of the rig: CPU in seconds per 1,000 leads, times in milliseconds.
type result struct {
	Subject, Scenario        string
	Delivered, Posted        int
	Rate, E2EP50, E2EP99     float64
	CPUSubj, CPURedis, CPUPG float64
	RSSPeakMB                float64
	CallsPerLead             float64
}

func (r result) total() float64 { return r.CPUSubj + r.CPURedis + r.CPUPG }

// times is a line of ask: medians in milliseconds, the database and the process in MB.
type times struct {
	Name                   string
	Leads, MB, Holds       int
	List, Lead, Why, Stats float64
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "growth:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 3 {
		return fmt.Errorf("usage: growth RESULTS.jsonl TIMES.jsonl PLOT.svg")
	}
	results, err := lines[result](args[0])
	if err != nil {
		return err
	}
	asked, err := lines[times](args[1])
	if err != nil {
		return err
	}
	table(results, asked)
	return os.WriteFile(args[2], plot(results), 0o644)
}

func lines[T any](file string) ([]T, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var out []T
	for line := range bytes.Lines(b) {
		var v T
		if err := json.Unmarshal(line, &v); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		out = append(out, v)
	}
	return out, nil
}

func table(results []result, asked []times) {
	fmt.Println("\n| | CPU-s per 1,000 leads: galena + Redis + Postgres | leads/s | calls a lead | 20 leads/s, vendors at 50 ms: p50 / p99 ms | MB, all processes: flat out / 20 leads/s |")
	fmt.Println("|---|---|---|---|---|---|")
	for _, r := range results {
		if r.Scenario != "max0" {
			continue
		}
		gentle := find(results, r.Subject, "gentle50")
		fmt.Printf("| %s | %.2f + %.2f + %.2f = %.2f | %.0f | %.2f | %.0f / %.0f | %.0f / %.0f |\n", words(r.Subject), r.CPUSubj, r.CPURedis,
			r.CPUPG, r.total(), r.Rate, r.CallsPerLead, gentle.E2EP50, gentle.E2EP99, r.RSSPeakMB, gentle.RSSPeakMB)
	}
	fmt.Println("\n| leads in the store | database MB | the process after 20 leads/s, MB | 50 leads ms | one lead ms | why ms | figures ms |")
	fmt.Println("|---|---|---|---|---|---|---|")
	for _, t := range asked {
		fmt.Printf("| %d | %d | %d | %.1f | %.1f | %.1f | %.1f |\n", t.Leads, t.MB, t.Holds, t.List, t.Lead, t.Why, t.Stats)
	}
}

func find(results []result, subject, scenario string) result {
	for _, r := range results {
		if r.Subject == subject && r.Scenario == scenario {
			return r
		}
	}
	return result{}
}

// words turns leads-1000 into "1000 leads in the store".
func words(subject string) string {
	kind, n, _ := strings.Cut(subject, "-")
	switch kind {
	case "leads":
		return n + " leads"
	case "workers":
		return n + " workers"
	}
	return "an empty store"
}

// A bar for each subject: galena's part, Redis' and Postgres', in CPU-s per 1,000 leads.
const (
	barWidth, gap, height = 56, 28, 220
	left, top             = 60, 30
)

var parts = []struct {
	name, color string
	of          func(result) float64
}{
	{"galena", "#2f6f4f", func(r result) float64 { return r.CPUSubj }},
	{"Redis", "#c2562f", func(r result) float64 { return r.CPURedis }},
	{"Postgres", "#33628f", func(r result) float64 { return r.CPUPG }},
}

func plot(results []result) []byte {
	var bars []result
	highest := 0.0
	for _, r := range results {
		if r.Scenario == "max0" {
			bars = append(bars, r)
			highest = max(highest, r.total())
		}
	}
	width := left + len(bars)*(barWidth+gap) + gap
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="11">`+"\n", width, top+height+60)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" fill="#fff"/><text x="%d" y="18" font-size="13">CPU seconds per 1,000 leads</text>`+"\n", left)
	for i := range 5 {
		y := top + height - height*i/4
		fmt.Fprintf(&b, `<path d="M%d %dH%d" stroke="#ddd"/><text x="%d" y="%d" text-anchor="end">%.2f</text>`+"\n", left, y, width-gap/2, left-6, y+4, highest*float64(i)/4)
	}
	for i, r := range bars {
		x, y := left+gap+i*(barWidth+gap), float64(top+height)
		for _, p := range parts {
			h := p.of(r) / highest * height
			y -= h
			fmt.Fprintf(&b, `<rect x="%d" y="%.1f" width="%d" height="%.1f" fill="%s"/>`+"\n", x, y, barWidth, h, p.color)
		}
		fmt.Fprintf(&b, `<text x="%d" y="%.1f" text-anchor="middle">%.2f</text>`, x+barWidth/2, y-4, r.total())
		fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="middle">%s</text>`+"\n", x+barWidth/2, top+height+16, words(r.Subject))
	}
	for i, p := range parts {
		x := left + i*90
		fmt.Fprintf(&b, `<rect x="%d" y="%d" width="10" height="10" fill="%s"/><text x="%d" y="%d">%s</text>`+"\n", x, top+height+34, p.color, x+16, top+height+43, p.name)
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}
