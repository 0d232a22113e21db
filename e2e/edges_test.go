package e2e

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// edgeCases is the list of what other gateways got wrong, with the tests of each.
const edgeCases = repoRoot + "/docs/edge-cases.md"

// howManyEdges is how many statements there are, numbered from 1.
const howManyEdges = 170

var (
	edgeRow = regexp.MustCompile(`(?m)^\| (E-\d{3}) \| (.+?) \| (.+) \|$`)
	// numberInName finds the numbers in the name of a test, numberInText those in a
	// string or a comment.
	numberInName = regexp.MustCompile(`E(\d{3})`)
	numberInText = regexp.MustCompile(`\bE-?(\d{3})\b`)
	namedTest    = regexp.MustCompile("`([^`]+)` ((?:Test|Fuzz)\\w+)")
)

// notYet begins the reason why there is no test of a statement.
const notYet = "not yet: "

// TestEdgeCases checks that every statement in docs/edge-cases.md has a test that carries
// its number, or a reason why not, and that the tests it names are there. With EDGES=write
// in its environment, it writes the tests into the list anew.
func TestEdgeCases(t *testing.T) {
	t.Parallel()
	tests := numberedTests(t)
	text, err := os.ReadFile(edgeCases)
	if err != nil {
		t.Fatal(err)
	}
	next, write := 0, os.Getenv("EDGES") == "write"
	written := edgeRow.ReplaceAllStringFunc(string(text), func(row string) string {
		m := edgeRow.FindStringSubmatch(row)
		number, covered := m[1], tests[m[1]]
		if next++; number != fmt.Sprintf("E-%03d", next) {
			t.Errorf("%s stands where E-%03d should", number, next)
		}
		switch untested := strings.HasPrefix(m[3], notYet); {
		case untested && len(covered) > 0:
			t.Errorf("%s is said to have no test, but there is %v", number, covered)
		case !untested && len(covered) == 0:
			t.Errorf("%s has no test: %s", number, m[2])
		case !untested && !write:
			for _, named := range namedTest.FindAllStringSubmatch(m[3], -1) {
				if !slices.Contains(covered, edgeTest{named[1], named[2]}) {
					t.Errorf("%s: there is no %s in %s that carries its number; run this test with EDGES=write", number, named[2], named[1])
				}
			}
		}
		if len(covered) == 0 {
			return row
		}
		return fmt.Sprintf("| %s | %s | %s |", number, m[2], listed(covered))
	})
	if next != howManyEdges {
		t.Errorf("there are %d statements, not %d", next, howManyEdges)
	}
	if write {
		if err := os.WriteFile(edgeCases, []byte(written), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// edgeTest is a test in a file of the repository.
type edgeTest struct{ file, name string }

// mostListed is how many tests the list names of one statement.
const mostListed = 5

func listed(tests []edgeTest) string {
	var names []string
	for _, e := range tests[:min(len(tests), mostListed)] {
		names = append(names, "`"+e.file+"` "+e.name)
	}
	if more := len(tests) - mostListed; more > 0 {
		names = append(names, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(names, ", ")
}

// numberedTests returns the tests of each statement: those that have its number in their
// name, or in a comment or string of theirs or of a table or helper that they use.
func numberedTests(t *testing.T) map[string][]edgeTest {
	t.Helper()
	packages := map[string]*testPackage{}
	err := filepath.WalkDir(repoRoot, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (strings.HasPrefix(d.Name(), ".") && d.Name() != ".." || d.Name() == "testdata" || d.Name() == "node_modules"):
			return filepath.SkipDir
		case !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		dir := filepath.Dir(path)
		if packages[dir] == nil {
			packages[dir] = &testPackage{decls: map[string]*testDecl{}}
		}
		return packages[dir].read(path)
	})
	if err != nil {
		t.Fatal(err)
	}
	found := map[string][]edgeTest{}
	for _, p := range packages {
		for name, d := range p.decls {
			if !strings.HasPrefix(name, "Test") && !strings.HasPrefix(name, "Fuzz") {
				continue
			}
			for number := range p.numbers(name, map[string]bool{}) {
				found["E-"+number] = append(found["E-"+number], edgeTest{d.file, name})
			}
		}
	}
	for number, tests := range found {
		slices.SortFunc(tests, func(a, b edgeTest) int { return strings.Compare(a.file+" "+a.name, b.file+" "+b.name) })
		found[number] = tests
	}
	return found
}

// method stands before the names of methods, which other things may have too.
const method = "."

// testPackage is the tests of a folder, by the name of what is declared.
type testPackage struct{ decls map[string]*testDecl }

type testDecl struct {
	file    string
	numbers []string
	uses    []string
}

func (p *testPackage) read(path string) error {
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, path, nil, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	name, err := filepath.Rel(repoRoot, path)
	if err != nil {
		return err
	}
	for _, d := range file.Decls {
		one := &testDecl{file: filepath.ToSlash(name)}
		from, to := d.Pos(), d.End()
		var names []string
		switch d := d.(type) {
		case *ast.FuncDecl:
			names = []string{d.Name.Name}
			if d.Recv != nil {
				names[0] = method + names[0]
			}
			one.add(numberInName, d.Name.Name)
			from = docPos(d.Doc, from)
		case *ast.GenDecl:
			from = docPos(d.Doc, from)
			for _, s := range d.Specs {
				if v, ok := s.(*ast.ValueSpec); ok {
					for _, n := range v.Names {
						names = append(names, n.Name)
					}
				}
			}
		}
		for _, c := range file.Comments {
			if c.Pos() >= from && c.End() <= to {
				one.add(numberInText, c.Text())
			}
		}
		members := map[*ast.Ident]bool{} // what stands behind a dot
		ast.Inspect(d, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.SelectorExpr:
				one.uses = append(one.uses, method+n.Sel.Name)
				members[n.Sel] = true
			case *ast.Ident:
				if members[n] {
					return true
				}
				one.uses = append(one.uses, n.Name)
			case *ast.BasicLit:
				if n.Kind == token.STRING {
					one.add(numberInText, strings.ReplaceAll(n.Value, "_", " "))
				}
			}
			return true
		})
		for _, n := range names {
			p.decls[n] = one
		}
	}
	return nil
}

func docPos(doc *ast.CommentGroup, otherwise token.Pos) token.Pos {
	if doc != nil {
		return doc.Pos()
	}
	return otherwise
}

func (d *testDecl) add(pattern *regexp.Regexp, text string) {
	for _, m := range pattern.FindAllStringSubmatch(text, -1) {
		d.numbers = append(d.numbers, m[1])
	}
}

// numbers returns the numbers of a declaration and of all that it uses. Tests do not use
// each other: a test that is mentioned in another speaks for itself.
func (p *testPackage) numbers(name string, seen map[string]bool) map[string]bool {
	all := map[string]bool{}
	d := p.decls[name]
	if d == nil || seen[name] {
		return all
	}
	seen[name] = true
	for _, n := range d.numbers {
		all[n] = true
	}
	for _, used := range d.uses {
		// Whose method it is cannot be told here, so that what it uses is not looked at.
		if strings.HasPrefix(used, "Test") || strings.HasPrefix(used, "Fuzz") || strings.HasPrefix(name, method) {
			continue
		}
		for n := range p.numbers(used, seen) {
			all[n] = true
		}
	}
	return all
}
