package galena

import (
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
)

func observations() []Observation {
	at := time.Date(2026, 11, 23, 14, 30, 0, 123456000, time.UTC)
	values := []Value{TextValue("Talent Garden"), Interval(51, 200, "51-200"), Number(2011), CountryValue("IT"), BoolValue(true), SetValue([]string{"b2b", "internet", "saas"}, true),
		EnumValue("software"), TextValue("Talent Garden creates campuses: coworking, training & networking."), DateValue(at), {}}
	var out []Observation
	for i := range 15 {
		out = append(out, Observation{ID: "6b0524b2-9c2d-5988-990e-afd5492f1673", Entity: "talentgarden.org", Field: "company.employee_count",
			Value: values[i%len(values)], Source: "clearbit", Class: ClassProvider, Ref: "metrics.employees", Method: "api", Confidence: 1, ObservedAt: at,
			FetchedAt: at, RequestID: "6b0524b2-9c2d-5988-990e-afd5492f1673"})
	}
	return out
}

func TestAValueIsWrittenAsReflectionWould(t *testing.T) {
	t.Parallel()
	values := []Value{{}, {Type: TypeNumber}, {Type: TypeDate, Lo: -5, Hi: -5}, {Type: TypeScore, Lo: 1, Hi: OpenEnd}, {Type: TypeBool}, {Type: TypeSet, Set: []string{}, Closed: true}}
	for _, o := range observations() {
		values = append(values, o.Value)
	}
	for _, s := range []string{"plain", `a"b\c`, "<b>&</b>", "\x00\n\x7f", "caf\u00e9 \u2028", "\xff", "\U0001f600"} {
		values = append(values, Value{Type: FieldType(s), Text: s, Raw: s, Set: []string{s, "", s}})
	}
	for _, v := range values {
		w := wireValue{Type: v.Type, Text: v.Text, Set: v.Set, Closed: v.Closed, Bool: v.Bool, Raw: v.Raw}
		if v.Type == TypeNumber || v.Type == TypeDate || v.Type == TypeScore {
			w.Lo = &v.Lo
			if v.Hi != v.Lo {
				w.Hi = &v.Hi
			}
		}
		want, err := json.Marshal(w)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := v.MarshalJSON(); err != nil || string(got) != string(want) {
			t.Errorf("%+v is written %s, %v; want %s", v, got, err, want)
		}
	}
}

// An answer is read as it was written, whatever its observations share: all, some or
// none of where, how and when they were heard.
func TestAnAnswerIsReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	full := Observation{ID: "<1>", Entity: "e", Field: "f", Value: TextValue("v"), Absent: true, Source: "s", Class: "c", Ref: "a & b", Method: "m",
		Confidence: .3, ObservedAt: time.Unix(1, 5).UTC(), FetchedAt: time.Unix(9e9, 0).UTC(), CostMicros: -1, RequestID: "r", RunID: "u", Used: true}
	of := reflect.ValueOf(full)
	for i := range of.NumField() {
		if of.Field(i).IsZero() {
			t.Fatalf("%s is not tested", of.Type().Field(i).Name)
		}
	}
	full.Used = false // is said elsewhere
	answers := [][]Observation{observations(), {full}, {full, full}, {{}}, {{}, full, {}}, {full, {Confidence: 1e-9}}, {}}
	for i := range of.NumField() { // each member alone is another one's, or missing
		if other := full; of.Type().Field(i).Name != "Used" {
			reflect.ValueOf(&other).Elem().Field(i).SetZero()
			answers = append(answers, []Observation{full, other}, []Observation{other, full})
		}
	}
	for _, want := range answers {
		var obs []*Observation
		for i := range want {
			obs = append(obs, &want[i])
		}
		w := JSONWriter{B: []byte("before ")}
		if WriteAnswer(&w, obs); w.Err != nil {
			t.Fatal(w.Err)
		}
		text := strings.TrimPrefix(string(w.B), "before ")
		if _, ok := readAnswer(text); ok != (len(want) > 0) && !strings.Contains(text, "e-") {
			t.Errorf("%s is read by reflection", text)
		}
		if got, err := ReadAnswer(text); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s, %v\nreads as %+v\nwant     %+v", text, err, got, want)
		}
		list, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := ReadAnswer(string(list)); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("as it was written before: %s, %v\nreads as %+v\nwant     %+v", list, err, got, want)
		}
		if len(want) > 3 && len(text) > len(list)/2 {
			t.Errorf("%d bytes, as a list %d:\n%s", len(text), len(list), text)
		}
	}
}

func TestAnAnswersTimesAreTheSameMomentsInAnyZone(t *testing.T) {
	t.Parallel()
	at := time.Unix(9e9, 0)
	there := Observation{ObservedAt: at, FetchedAt: at.In(time.FixedZone("", 3600))}
	var w JSONWriter
	WriteAnswer(&w, []*Observation{&there, {ObservedAt: at.Add(1), FetchedAt: at.UTC()}})
	got, err := ReadAnswer(string(w.B))
	if err != nil || !got[0].ObservedAt.Equal(at) || !got[0].FetchedAt.Equal(at) || !got[1].ObservedAt.Equal(at.Add(1)) || !got[1].FetchedAt.Equal(at) {
		t.Errorf("%s reads as %+v, %v", w.B, got, err)
	}
}

func TestAnAnswerThatCannotBeWrittenOrReadIsAnError(t *testing.T) {
	t.Parallel()
	for _, o := range []Observation{{Confidence: math.NaN()}, {ObservedAt: time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)}} {
		var w JSONWriter
		if WriteAnswer(&w, []*Observation{{}, &o, {}}); w.Err == nil {
			t.Errorf("written as %s", w.B)
		}
	}
	for _, text := range []string{"{", `{"all":{},"each":[{"id":1}]}`, `{"all":[]}`, `[{"id":1}]`, "nonsense"} {
		if got, err := ReadAnswer(text); err == nil {
			t.Errorf("%s is read as %+v", text, got)
		}
	}
	for _, text := range []string{"", "null"} {
		if got, err := ReadAnswer(text); err != nil || got != nil {
			t.Errorf("%q is read as %+v, %v", text, got, err)
		}
	}
}

// FuzzReadValue: what is read without reflection is what reflection would read, and
// whatever was written is read back.
func FuzzReadValue(f *testing.F) {
	for _, o := range observations() {
		b, err := o.Value.MarshalJSON()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	for _, s := range []string{`{"t":"number","lo":007}`, `{"t":"number","lo":1,"hi":-9223372036854775808}`, `{"t":"number","lo":9223372036854775808}`,
		`{"t":"set","set":[]}`, `{"t":"set","set":["a",]}`, `{"t":"text","s":"a\n"}`, `{"t":"text","s":"a"},`, `{"t":"number","hi":3}`, "{\"t\":\"text\",\"s\":\"\xff\"}", `{}`, `null`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, ok := readValue(string(b))
		if !ok {
			return
		}
		var w wireValue
		if err := json.Unmarshal(b, &w); err != nil {
			t.Fatalf("%q is read as %+v; it is no JSON: %v", b, got, err)
		}
		if want := w.value(); !reflect.DeepEqual(got, want) {
			t.Errorf("%q is read as %+v, want %+v", b, got, want)
		}
	})
}

// FuzzReadAnswer: the same of an answer.
func FuzzReadAnswer(f *testing.F) {
	all := observations()
	var obs []*Observation
	for i := range all {
		obs = append(obs, &all[i])
		var w JSONWriter
		WriteAnswer(&w, obs)
		f.Add(string(w.B))
	}
	for _, s := range []string{`{"all":{"entity":"a",},"each":[{"id":"1","field":"f","value":{"t":"text"}}]}`, `{"all":{},"each":[]}`, `{"all":{},"each":[{}]}`,
		`{"all":{"confidence":0.50},"each":[{"id":"1","field":"f","value":{"t":"text"}}]}`, `{"all":{"observed_at":"2026-01-01"},"each":[]}`,
		`{"all":{},"each":[{"entity":"a\u0026\"b\\","id":"1","field":"f","value":{"t":"text"},"cost_micros":-0}]}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := readAnswer(text)
		if !ok {
			return
		}
		if want, err := readAnyAnswer(text); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q is read as %+v, want %+v, %v", text, got, want, err)
		}
	})
}

func TestAValueIsReadBackWithoutReflection(t *testing.T) {
	t.Parallel()
	for _, o := range observations() {
		b, err := o.Value.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := readValue(string(b)); !ok || !reflect.DeepEqual(got, o.Value) {
			t.Errorf("%s is read as %+v, %v", b, got, ok)
		}
		var got Value
		if err := json.Unmarshal(b, &got); err != nil || !reflect.DeepEqual(got, o.Value) {
			t.Errorf("%s is read as %+v, %v", b, got, err)
		}
	}
}

// BenchmarkObservations writes and reads what a vendor told of one company.
func BenchmarkObservations(b *testing.B) {
	all := observations()
	obs := make([]*Observation, len(all))
	for i := range all {
		obs[i] = &all[i]
	}
	var w JSONWriter
	WriteAnswer(&w, obs)
	written := string(w.B)
	b.Run("Append", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			w.B = w.B[:0]
			if WriteAnswer(&w, obs); w.Err != nil {
				b.Fatal(w.Err)
			}
		}
		b.ReportMetric(float64(len(written)), "bytes")
	})
	read := func(name, text string) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := ReadAnswer(text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	read("Read", written)
	list, err := json.Marshal(all)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("AppendList", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := json.Marshal(all); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(len(list)), "bytes")
	})
	read("ReadList", string(list))
}
