package web

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/galenahq/galena"
)

// pageSize is how many leads one page of the list shows.
const pageSize = 50

// choice is one value of a filter, as a link.
type choice struct {
	Words, URL, Class string
	On                bool
}

// leadRow is one lead in the list.
type leadRow struct {
	ID, Name, Email, Company string
	Status, StatusClass      string
	Scored                   bool
	Tier, TierClass          string
	Score                    string
	Bar                      bar
	Provisional              bool
	Owner                    ownerView
	Stop, Cents              string
	At, AtWords, Age         string
}

// leadsView is the list of leads.
type leadsView struct {
	Statuses, Tiers, Owners []choice
	Rows                    []leadRow
	Refresh                 string // where the list comes from every few seconds, "" when paused
	Live                    choice // pauses or resumes that
	Newest, Older           string // other pages of the list
	InFlight                int
	Oldest                  string // age of the oldest lead in flight
	Filtered                bool
	Base                    string // address of the API, for the empty state
}

// leads lists them newest first. htmx asks for the same address again and
// takes the list out of it, so the page has one shape with and without script.
func (s *server) leads(w http.ResponseWriter, r *http.Request) {
	session, _ := sessionOf(r)
	f := filterOf(r.URL.Query())
	f.Limit = pageSize + 1 // one more tells whether there is another page
	records, err := s.Store.Records(r.Context(), f)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	backlog, err := s.Store.Backlog(r.Context())
	if err != nil {
		s.fail(w, r, err)
		return
	}
	now := s.Now()
	view := leadsView{Filtered: f.Status != "" || f.Tier != "" || f.Owner != "", Base: s.baseURL(r),
		InFlight: backlog.Undecided, Oldest: ago(backlog.OldestUndecided, now)}
	if len(records) > pageSize {
		records = records[:pageSize]
		view.Older = listURL(f, "before", records[pageSize-1].Lead.ID)
	}
	for _, rec := range records {
		view.Rows = append(view.Rows, rowOf(rec, now))
	}
	view.choices(f, session.User, s.Deps.Tiers())
	view.refreshing(f, r.URL.Query().Get("live") != "off")
	s.render(w, r, http.StatusOK, "leads", page{Title: "Leads", Nav: "leads", Body: view})
}

// filterOf reads the query; what no lead could have is no filter.
func filterOf(q url.Values) galena.LeadFilter {
	f := galena.LeadFilter{Tier: clip(q.Get("tier"), 32), Owner: clip(q.Get("owner"), 64), Before: clip(q.Get("before"), 64)}
	if st := galena.LeadStatus(q.Get("status")); statusWords[st] != "" {
		f.Status = st
	}
	return f
}

// listURL is the list with one thing changed. Any change but the cursor's own
// begins at the newest lead again.
func listURL(f galena.LeadFilter, key, value string) string {
	q := url.Values{}
	for k, v := range map[string]string{"status": string(f.Status), "tier": f.Tier, "owner": f.Owner} {
		if v != "" {
			q.Set(k, v)
		}
	}
	q.Del(key)
	if value != "" {
		q.Set(key, value)
	}
	if len(q) == 0 {
		return "/"
	}
	return "/?" + q.Encode()
}

func (v *leadsView) choices(f galena.LeadFilter, user string, tiers []string) {
	add := func(to *[]choice, key, value, words, class, current string) {
		*to = append(*to, choice{Words: words, URL: listURL(f, key, value), Class: class, On: value == current})
	}
	add(&v.Statuses, "status", "", "All", "", string(f.Status))
	for _, st := range []galena.LeadStatus{galena.StatusDecided, galena.StatusAccepted, galena.StatusQuarantined, galena.StatusInternal} {
		words := statusWords[st]
		add(&v.Statuses, "status", string(st), title(words), "", string(f.Status))
	}
	add(&v.Tiers, "tier", "", "Any", "", f.Tier)
	for _, t := range append(slices.Clip(tiers), "X") {
		add(&v.Tiers, "tier", t, t, tierClasses[t], f.Tier)
	}
	add(&v.Owners, "owner", "", "Everybody", "", f.Owner)
	add(&v.Owners, "owner", user, "Mine", "", f.Owner)
	if f.Owner != "" && f.Owner != user {
		add(&v.Owners, "owner", f.Owner, f.Owner, "", f.Owner)
	}
}

// refreshing keeps the newest page up to date. Older pages stand still: what
// is on them is being read.
func (v *leadsView) refreshing(f galena.LeadFilter, live bool) {
	if f.Before != "" {
		v.Newest = listURL(f, "before", "")
		return
	}
	here := listURL(f, "before", "")
	if live {
		v.Refresh = here
		v.Live = choice{Words: "Pause", URL: listURL(f, "live", "off"), On: true}
		return
	}
	v.Live = choice{Words: "Resume", URL: here}
}

func rowOf(rec galena.Record, now time.Time) leadRow {
	l := rec.Lead
	row := leadRow{ID: l.ID, Name: nameOf(l), Email: l.Email, Company: companyOf(rec), Status: statusWords[l.Status],
		StatusClass: string(l.Status), At: stamp(l.CreatedAt), AtWords: moment(l.CreatedAt), Age: ago(l.CreatedAt, now)}
	if d := rec.Decision; d != nil {
		row.Scored = true
		row.Tier, row.TierClass, row.Score, row.Bar = d.Tier, tierClasses[d.Tier], points(d.Score.Score), scoreBar(d.Score)
		row.Provisional = d.Provisional
		row.Owner, row.Stop, row.Cents = ownerOf(d.To), spaced(d.StopLabel()), cents(d.Cents)
	} else if l.Status == galena.StatusQuarantined && len(l.Codes) > 0 {
		row.Stop = heldWords(l.Codes)
	}
	return row
}

// nameOf is how to call the person, "" when they did not say.
func nameOf(l galena.Lead) string {
	if l.Name != "" {
		return l.Name
	}
	return strings.TrimSpace(l.FirstName + " " + l.LastName)
}

// companyOf is what the company is called: by itself, by the person, by its domain.
func companyOf(rec galena.Record) string {
	if rec.Company.Domain != "" && rec.Company.Label() != rec.Company.Domain {
		return rec.Company.Label()
	}
	if rec.Lead.Company != "" {
		return rec.Lead.Company
	}
	return rec.Lead.Domain
}

// plainHost is a host name and port that can stand in a line for a shell.
var plainHost = regexp.MustCompile(`^[A-Za-z0-9.:\[\]-]+$`)

// baseURL is where this galena is reached from outside.
func (s *server) baseURL(r *http.Request) string {
	if s.origin != "" {
		return s.origin
	}
	if !plainHost.MatchString(r.Host) {
		return "http://127.0.0.1:8080"
	}
	return "http://" + r.Host
}
