package providers

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/ai-proxy/caddy-ai-proxy/translate/openai"
)

// quirkValues are the values that quirks can have which are words.
var quirkValues = map[string][]string{
	"max_tokens":     {"max_tokens", "max_completion_tokens"},
	"developer_role": {"system", "user"},
	"tool_id":        {"alnum9"},
	"json_schema":    {"json_object"},
	"json_object":    {"json_schema"},
	"image_url":      {"string"},
	"file_part":      {"document_url"},
	"effort":         {"drop", "thinking", "thinking_only", "enable_thinking", "none_high"},
	"reasoning_echo": {"drop", "fill", "sign"},
	"stream_usage":   {"always"},
}

// checkQuirks reports a quirk with a value that means nothing.
func checkQuirks(q *openai.Quirks) error {
	v := reflect.ValueOf(q).Elem()
	for i := range v.NumField() {
		name := quirkName(v.Type().Field(i))
		if err := checkQuirk(name, v.Field(i)); err != nil {
			return err
		}
	}
	for i := range q.Rules {
		r := &q.Rules[i]
		if len(r.Models) == 0 {
			return fmt.Errorf("rule %d of the quirks holds for no model", i+1)
		}
		if len(r.Rules) > 0 {
			return fmt.Errorf("rule %d of the quirks has rules of its own", i+1)
		}
		if err := checkQuirks(&r.Quirks); err != nil {
			return err
		}
	}
	return nil
}

func checkQuirk(name string, v reflect.Value) error {
	switch v.Kind() {
	case reflect.String:
		if allowed := quirkValues[name]; v.String() != "" && allowed != nil && !slices.Contains(allowed, v.String()) {
			return fmt.Errorf("quirk %s can be %s, not %q", name, strings.Join(allowed, " or "), v.String())
		}
	case reflect.Float64:
		if v.Float() < 0 {
			return fmt.Errorf("quirk %s cannot be negative", name)
		}
	}
	return nil
}

// quirkName is the name of a field in JSON and in the Caddyfile.
func quirkName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name
}

// quirkNames are the names of all quirks, but not of "rules".
func quirkNames() []string {
	var names []string
	for f := range reflect.TypeFor[openai.Quirks]().Fields() {
		if name := quirkName(f); name != "rules" {
			names = append(names, name)
		}
	}
	return names
}

// unmarshalQuirk reads the value of the quirk whose name is the current token, and sets
// it in q.
func unmarshalQuirk(d *caddyfile.Dispenser, q *openai.Quirks) error {
	name := d.Val()
	v := reflect.ValueOf(q).Elem()
	for i := range v.NumField() {
		if quirkName(v.Type().Field(i)) != name || name == "rules" {
			continue
		}
		if err := setQuirk(d, name, v.Field(i), d.RemainingArgs()); err != nil {
			return err
		}
		if err := checkQuirk(name, v.Field(i)); err != nil {
			return d.WrapErr(err)
		}
		return nil
	}
	return d.Errf("there is no quirk %q%s", name, suggest(name, quirkNames()))
}

func setQuirk(d *caddyfile.Dispenser, name string, v reflect.Value, args []string) error {
	switch v.Kind() {
	case reflect.String:
		if len(args) != 1 {
			return d.Errf("quirk %s has one value, as in: quirk %s %s", name, name, example(name))
		}
		v.SetString(args[0])
	case reflect.Bool:
		if len(args) > 1 {
			return d.Errf("quirk %s has no value, or one of true and false", name)
		}
		on := true
		if len(args) == 1 {
			var err error
			if on, err = strconv.ParseBool(args[0]); err != nil {
				return d.Errf("quirk %s can be true or false, not %q", name, args[0])
			}
		}
		v.SetBool(on)
	case reflect.Float64, reflect.Int, reflect.Int64:
		if len(args) != 1 {
			return d.Errf("quirk %s has one value, a number", name)
		}
		n, err := strconv.ParseFloat(args[0], 64)
		if err != nil {
			return d.Errf("quirk %s is a number, not %q", name, args[0])
		}
		if v.CanFloat() {
			v.SetFloat(n)
		} else {
			v.SetInt(int64(n))
		}
	case reflect.Slice:
		if len(args) == 0 {
			return d.Errf("quirk %s has one or more values", name)
		}
		v.Set(reflect.AppendSlice(v, reflect.ValueOf(args)))
	case reflect.Map:
		if len(args) != 2 {
			return d.Errf("quirk %s has two values: what to replace, and by what", name)
		}
		if v.IsNil() {
			v.Set(reflect.MakeMap(v.Type()))
		}
		value := reflect.ValueOf(args[1])
		if v.Type().Elem() == reflect.TypeFor[jsontext.Value]() {
			raw := jsontext.Value(args[1])
			if !raw.IsValid() {
				return d.Errf("quirk %s: %q is not JSON; text needs quotes, as in: quirk %s %s `\"high\"`", name, args[1], name, args[0])
			}
			value = reflect.ValueOf(raw)
		}
		v.SetMapIndex(reflect.ValueOf(args[0]), value)
	default:
		return d.Errf("quirk %s can be given in JSON only", name)
	}
	return nil
}

func example(name string) string {
	if values := quirkValues[name]; len(values) > 0 {
		return values[0]
	}
	return "<value>"
}

// suggest is the end of a sentence about a name that is unknown, given those that are
// known: " (did you mean …?)", or else a list of them if there are few.
func suggest(name string, known []string) string {
	if near := Nearest(name, known, 3); len(near) > 0 {
		return fmt.Sprintf(" (did you mean %s?)", strings.Join(near, ", "))
	}
	if len(known) <= 24 {
		return fmt.Sprintf("; there are: %s", strings.Join(known, ", "))
	}
	return ""
}
