package galena

import (
	"bytes"
	"encoding/json"
	"math"
	"reflect"
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

func TestAnObservationIsWrittenAsReflectionWould(t *testing.T) {
	t.Parallel()
	full := Observation{ID: "<1>", Entity: "e", Field: "f", Value: TextValue("v"), Absent: true, Source: "s", Class: "c", Ref: "a & b", Method: "m",
		Confidence: .3, ObservedAt: time.Unix(1, 5).UTC(), FetchedAt: time.Unix(9e9, 0).In(time.FixedZone("", 3600)), CostMicros: -1, RequestID: "r", RunID: "u", Used: true}
	for i, v := 0, reflect.ValueOf(full); i < v.NumField(); i++ {
		if v.Field(i).IsZero() {
			t.Fatalf("%s is not tested", v.Type().Field(i).Name)
		}
	}
	for _, o := range append(observations(), full, Observation{}, Observation{Confidence: 1e-9}, Observation{Confidence: math.NaN()},
		Observation{ObservedAt: time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)}) {
		want, wrong := json.Marshal(o)
		if got, err := o.AppendJSON(nil); (err != nil) != (wrong != nil) || err == nil && string(got) != string(want) {
			t.Errorf("%+v is written %s, %v; want %s, %v", o, got, err, want, wrong)
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
		got, ok := readValue(b)
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

func TestAValueIsReadBackWithoutReflection(t *testing.T) {
	t.Parallel()
	for _, o := range observations() {
		b, err := o.Value.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		escaped := bytes.ContainsRune(b, '\\')
		if got, ok := readValue(b); ok == escaped || ok && !reflect.DeepEqual(got, o.Value) {
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
	b.Run("Append", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			out := make([]byte, 0, len(all)*400)
			for i := range all {
				out, _ = all[i].AppendJSON(out)
			}
		}
	})
	written, err := json.Marshal(all)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("Read", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var read []Observation
			if err := json.Unmarshal(written, &read); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Reflect", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := json.Marshal(all); err != nil {
				b.Fatal(err)
			}
		}
	})
}
