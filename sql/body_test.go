package sql

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/galenahq/galena"
)

// A decision is written without reflection: byte for byte what reflection would
// write, of one that says everything and of each that lacks one thing.
func TestADecisionIsWrittenAsReflectionWould(t *testing.T) {
	t.Parallel()
	var full decisionBody
	fill(reflect.ValueOf(&full).Elem(), 1)
	full.Steps, full.Configs, full.Observations = nil, nil, nil // the sheet has them
	tried := 0
	check := func(what string) {
		tried++
		want, err1 := json.Marshal(full)
		got, err2 := full.text()
		if err1 != nil || err2 != nil || got != string(want) {
			t.Errorf("without %s: %v, %v\n%s, want\n%s", what, err1, err2, got, want)
		}
	}
	check("nothing")
	lackEach(reflect.ValueOf(&full).Elem(), "body", check)
	if full = (decisionBody{}); tried < 100 {
		t.Errorf("%d decisions were tried", tried)
	}
	check("anything")
	full.Facts, full.Rows, full.Tries, full.Said = galena.Facts{}, []galena.Row{}, []galena.RuleTry{}, []saying{}
	check("anything in its lists")
}

// fill gives every member a value of its own that is not the zero one.
func fill(v reflect.Value, n int) int {
	if v.Type() == reflect.TypeFor[time.Time]() {
		v.Set(reflect.ValueOf(time.Unix(int64(n), 7).UTC()))
		return n + 1
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(`<"` + string(rune('a'+n%26)) + "é\n")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(n))
	case reflect.Int8: // a truth
		v.SetInt(int64(1 + n%2))
	case reflect.Float64:
		v.SetFloat(float64(n) / 8)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		n = fill(v.Elem(), n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		n = fill(v.Index(1), fill(v.Index(0), n))
	case reflect.Array:
		for i := range v.Len() {
			n = fill(v.Index(i), n)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range 2 {
			key, elem := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			n = fill(elem, fill(key, n))
			v.SetMapIndex(key, elem)
		}
	case reflect.Struct:
		for _, member := range v.Fields() {
			n = fill(member, n)
		}
	default:
		panic("nothing to fill " + v.Type().String() + " with")
	}
	return n + 1
}

// lackEach takes one thing away after the other, calls the test, and puts it back.
func lackEach(v reflect.Value, path string, test func(string)) {
	if v.CanSet() && !v.IsZero() {
		was := reflect.New(v.Type()).Elem()
		was.Set(v)
		v.SetZero()
		test(path)
		v.Set(was)
	}
	if v.Type() == reflect.TypeFor[time.Time]() {
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			lackEach(v.Elem(), path, test)
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			lackEach(v.Index(i), path, test)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			if elem := v.MapIndex(key); elem.Kind() == reflect.Pointer {
				lackEach(elem.Elem(), path, test)
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			lackEach(v.Field(i), path+"."+v.Type().Field(i).Name, test)
		}
	default:
	}
}
