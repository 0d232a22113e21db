package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"
)

// kit is an official SDK of a provider, as far as it says what a request may look like:
// its types, and the values of its enumerations, which are constants in its source.
type kit struct {
	module string
	// words are the values of string types, by the name of the type.
	words map[string][]string
}

// openKit reads the enumerations in some files of a module.
func openKit(module string, files ...string) (*kit, error) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil {
		return nil, fmt.Errorf("looking for the source of %s: %w", module, err)
	}
	k := &kit{module: module, words: map[string][]string{}}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(strings.TrimSpace(string(out)), name), nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for _, d := range file.Decls {
			k.readConstants(d)
		}
	}
	if len(k.words) == 0 {
		return nil, fmt.Errorf("%s has no enumerations", module)
	}
	return k, nil
}

func (k *kit) readConstants(d ast.Decl) {
	g, ok := d.(*ast.GenDecl)
	if !ok || g.Tok != token.CONST {
		return
	}
	for _, s := range g.Specs {
		v, ok := s.(*ast.ValueSpec)
		if !ok || len(v.Values) != 1 {
			continue
		}
		typ, named := v.Type.(*ast.Ident)
		text, literal := v.Values[0].(*ast.BasicLit)
		if !named || !literal || text.Kind != token.STRING {
			continue
		}
		if word, err := strconv.Unquote(text.Value); err == nil {
			k.words[typ.Name] = append(k.words[typ.Name], word)
		}
	}
}

// openEnded are enumerations that name what exists today and take anything.
var openEnded = map[string]bool{"Model": true}

// anyCase are enumerations whose values may be written in small letters too.
var anyCase = map[string]bool{"Type": true}

// faults lists what is wrong with a decoded value besides its shape: members that must
// be there and are not, words that are in no enumeration, constants with another value.
func (k *kit) faults(v reflect.Value, text gjson.Result, path string) (wrong []string) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			return k.faults(v.Elem(), text, path)
		}
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return nil
		}
		elements := text.Array()
		for i := range v.Len() {
			var one gjson.Result
			if i < len(elements) {
				one = elements[i]
			}
			wrong = append(wrong, k.faults(v.Index(i), one, fmt.Sprintf("%s[%d]", path, i))...)
		}
	case reflect.Struct:
		return k.faultsOfStruct(v, text, path)
	case reflect.String:
		return k.faultsOfWord(v, path)
	}
	return wrong
}

func (k *kit) faultsOfWord(v reflect.Value, path string) []string {
	name, word := v.Type().Name(), v.String()
	known := k.words[name]
	if word == "" || openEnded[name] || known == nil || !strings.HasPrefix(v.Type().PkgPath(), k.module) {
		return nil
	}
	if slices.Contains(known, word) || anyCase[name] && slices.Contains(known, strings.ToUpper(word)) {
		return nil
	}
	return []string{fmt.Sprintf("%s is %q, which is no %s", path, word, name)}
}

func (k *kit) faultsOfStruct(v reflect.Value, text gjson.Result, path string) (wrong []string) {
	if optional, ok := reflect.TypeAssert[interface{ Valid() bool }](v); ok {
		if optional.Valid() {
			return k.faults(v.FieldByName("Value"), text, path)
		}
		return nil
	}
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name, rest, _ := strings.Cut(f.Tag.Get("json"), ",")
		inline := name == "" && strings.Contains(rest, "inline")
		if !f.IsExported() || name == "-" || name == "" && !inline {
			continue
		}
		if inline {
			wrong = append(wrong, k.faults(v.Field(i), text, path)...)
			continue
		}
		at, member := path+"."+name, text.Get(gjson.Escape(name))
		if f.Tag.Get("api") == "required" && text.Exists() && !member.Exists() {
			wrong = append(wrong, at+" is missing")
		}
		if def := f.Tag.Get("default"); def != "" && v.Field(i).Kind() == reflect.String && member.Exists() && member.Str != def {
			wrong = append(wrong, fmt.Sprintf("%s is %s, not %q", at, member.Raw, def))
		}
		wrong = append(wrong, k.faults(v.Field(i), member, at)...)
	}
	return wrong
}

// difference lists where two JSON values differ. Numbers are compared by their value.
func difference(path string, got, want any) (wrong []string) {
	switch g := got.(type) {
	case map[string]any:
		w, ok := want.(map[string]any)
		if !ok {
			return []string{fmt.Sprintf("%s is an object", path)}
		}
		for name := range w {
			if _, ok := g[name]; !ok {
				wrong = append(wrong, fmt.Sprintf("%s.%s is missing, where the SDK has %s", path, name, brief(w[name])))
			}
		}
		for name, value := range g {
			if _, ok := w[name]; !ok {
				wrong = append(wrong, fmt.Sprintf("%s.%s is unknown to the SDK, or has the wrong type: %s", path, name, brief(value)))
				continue
			}
			wrong = append(wrong, difference(path+"."+name, value, w[name])...)
		}
		slices.Sort(wrong)
		return wrong
	case []any:
		w, ok := want.([]any)
		if !ok || len(w) != len(g) {
			return []string{fmt.Sprintf("%s is %s, not %s", path, brief(got), brief(want))}
		}
		for i := range g {
			wrong = append(wrong, difference(fmt.Sprintf("%s[%d]", path, i), g[i], w[i])...)
		}
		return wrong
	}
	if !reflect.DeepEqual(got, want) {
		return []string{fmt.Sprintf("%s is %s, not %s", path, brief(got), brief(want))}
	}
	return nil
}

func brief(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%.120s", text)
}

// parse reads a JSON text, in which no object may have two members of one name.
func parse(text []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	if err := unique(d, "$"); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is something behind the JSON text")
	}
	var v any
	err := json.Unmarshal(text, &v)
	return v, err
}

func unique(d *json.Decoder, path string) error {
	t, err := d.Token()
	if err != nil {
		return err
	}
	switch t {
	case json.Delim('{'):
		seen := map[any]bool{}
		for d.More() {
			name, err := d.Token()
			if err != nil {
				return err
			}
			if seen[name] {
				return fmt.Errorf("%s has two members called %v", path, name)
			}
			seen[name] = true
			if err := unique(d, fmt.Sprintf("%s.%v", path, name)); err != nil {
				return err
			}
		}
	case json.Delim('['):
		for i := 0; d.More(); i++ {
			if err := unique(d, fmt.Sprintf("%s[%d]", path, i)); err != nil {
				return err
			}
		}
	default:
		return nil
	}
	_, err = d.Token()
	return err
}
