package aiproxy

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/spf13/cobra"

	"github.com/ai-proxy/caddy-ai-proxy/providers"
)

// readmes are the front pages, with the headings of the sections that tests look into.
var readmes = []struct{ file, commands, reference, providers, placeholders string }{
	{"README.md", "## Two commands", "## Caddyfile reference", "## Providers", "## Placeholders"},
	{"README.zh-CN.md", "## 两条命令", "## Caddyfile 参考", "## 提供商", "## 占位符"},
}

const example = "Caddyfile.example"

// readText returns a file of the repository with line breaks as on Unix.
func readText(t *testing.T, file string) string {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(raw), "\r\n", "\n")
}

// section returns what stands below a heading, up to the next one of its level.
func section(t *testing.T, text, heading string) string {
	t.Helper()
	_, rest, ok := strings.Cut("\n"+text, "\n"+heading+"\n")
	if !ok {
		t.Fatalf("there is no heading %q", heading)
	}
	level, _, _ := strings.Cut(heading, " ")
	body, _, _ := strings.Cut(rest, "\n"+level+" ")
	return body
}

var fence = regexp.MustCompile("(?ms)^```(\\w*)\n(.*?)^```$")

// fenced returns the code blocks of a language.
func fenced(text, language string) []string {
	var blocks []string
	for _, m := range fence.FindAllStringSubmatch(text, -1) {
		if m[1] == language {
			blocks = append(blocks, m[2])
		}
	}
	return blocks
}

// code returns the words in a text's code spans, which may be divided by | and escaped
// as in tables.
func code(text string) map[string]bool {
	words := map[string]bool{}
	for _, m := range regexp.MustCompile("`[^`\n]+`").FindAllString(text, -1) {
		for _, w := range regexp.MustCompile(`[A-Za-z0-9_.{}-]+`).FindAllString(m, -1) {
			words[w] = true
		}
	}
	return words
}

func TestReadmeCaddyfilesAreValid(t *testing.T) {
	files, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range readmes {
		files = append(files, r.file)
	}
	for _, file := range append(files, "CONTRIBUTING.md", "translate/README.md") {
		for i, block := range fenced(readText(t, file), "caddyfile") {
			t.Run(fmt.Sprintf("%s-%d", file, i+1), func(t *testing.T) { checkCaddyfile(t, block) })
		}
	}
}

func TestExampleNeedsNothing(t *testing.T) {
	source := readText(t, example)
	if got := caddyfile.Format([]byte(source)); string(got) != source {
		t.Errorf("%s is not formatted", example)
	}
	validate(t, source) // whatever is in the environment
	if strings.Contains(withoutComments(source), "{env.") {
		t.Errorf("%s asks for an environment variable", example)
	}
}

func TestExampleIsValidUncommented(t *testing.T) {
	commented := regexp.MustCompile(`(?m)^(\t*)#([^ \n])`)
	checkCaddyfile(t, commented.ReplaceAllString(readText(t, example), "$1$2"))
}

// checkCaddyfile checks a Caddyfile, or directives of a site, as a reader would use it:
// with the variables and files that it names.
func checkCaddyfile(t *testing.T, block string) {
	t.Helper()
	if got := caddyfile.Format([]byte(block)); string(got) != block {
		t.Errorf("not as caddy fmt would have it:\n%s", got)
	}
	first := strings.Fields(withoutComments(block))[0]
	if slices.Contains([]string{"ai_proxy", "handle", "handle_path", "log", "log_append"}, first) {
		block = "ai.example.com {\n" + block + "}\n"
	}
	for _, m := range regexp.MustCompile(`\{\$?(?:env\.)?([A-Z][A-Z0-9_]+)\}`).FindAllStringSubmatch(block, -1) {
		t.Setenv(m[1], "test-"+m[1])
	}
	secrets := t.TempDir()
	block = regexp.MustCompile(`\{file\.(/[^}]*)\}`).ReplaceAllStringFunc(block, func(m string) string {
		path := filepath.Join(secrets, filepath.Base(strings.TrimSuffix(m, "}")))
		if err := os.WriteFile(path, []byte("test-secret\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return "{file." + path + "}"
	})
	validate(t, block)
}

func withoutComments(source string) string {
	return regexp.MustCompile(`(?m)^\s*#.*$`).ReplaceAllString(source, "")
}

// validate does what caddy validate does, and returns the adapted configuration.
func validate(t *testing.T, source string) []byte {
	t.Helper()
	out, warnings, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(source), map[string]any{"filename": "Caddyfile"})
	if err != nil {
		t.Fatalf("%v in\n%s", err, source)
	}
	for _, w := range warnings {
		if !strings.Contains(w.Message, "not formatted") { // the block alone must be
			t.Errorf("%s in\n%s", w.String(), source)
		}
	}
	if err := caddy.Validate(parseConfig(t, out)); err != nil {
		t.Errorf("%v in\n%s", err, source)
	}
	return out
}

func TestReadmeReferenceIsComplete(t *testing.T) {
	t.Parallel()
	for _, r := range readmes {
		has := code(section(t, readText(t, r.file), r.reference))
		for what, names := range map[string][]string{
			"ai_proxy": optionNames(),
			"provider": namesInError(t, "openai", "zzzzzzzzzz"),
			"mock":     namesInError(t, "mock", "zzzzzzzzzz"),
			"quirk":    namesInError(t, "openai", "quirk"),
		} {
			if len(names) < 10 {
				t.Errorf("only %d options of %s were found", len(names), what)
			}
			for _, name := range names {
				if !has[name] {
					t.Errorf("%s does not describe %s of %s", r.file, name, what)
				}
			}
		}
	}
}

// namesInError returns the names that the error about a wrong option of a provider
// lists.
func namesInError(t *testing.T, provider, option string) []string {
	t.Helper()
	d := caddyfile.NewTestDispenser("ai_proxy {\n provider " + provider + " {\n " + option + "\n }\n}")
	err := new(Handler).UnmarshalCaddyfile(d)
	if err == nil {
		t.Fatalf("provider %s takes the option %s", provider, option)
	}
	_, list, ok := strings.Cut(err.Error(), "there are: ")
	if !ok {
		t.Fatalf("no list in %v", err)
	}
	list, _, _ = strings.Cut(list, ", at ")
	return strings.Split(list, ", ")
}

// TestReadmeTableOfProviders holds the table to the embedded one; -update writes it.
func TestReadmeTableOfProviders(t *testing.T) {
	t.Parallel()
	var want strings.Builder
	for _, p := range providers.All() {
		base := "`" + p.BaseURL + "`"
		if p.BaseURL == "" {
			base = "(`" + p.Example + "`)"
		}
		fmt.Fprintf(&want, "| %s | %s | %s | %s |\n", spans(append([]string{p.Name}, p.Also...)), p.Title, base, spans(p.Env))
	}
	for _, r := range readmes {
		text := readText(t, r.file)
		body := section(t, text, r.providers)
		_, rest, ok := strings.Cut(body, "| --- | --- | --- | --- |\n")
		if !ok {
			t.Fatalf("%s has no table of providers", r.file)
		}
		got := rest
		if i := strings.Index(rest, "\n\n"); i >= 0 {
			got = rest[:i+1]
		} else if rest == "\n" {
			got = ""
		}
		if strings.Trim(got, "\n") == strings.Trim(want.String(), "\n") {
			continue
		}
		if !*update {
			t.Errorf("the table in %s is not that of providers/profiles.json; go test -run ReadmeTable -update . writes it", r.file)
			continue
		}
		text = strings.Replace(text, "| --- | --- | --- | --- |\n"+got, "| --- | --- | --- | --- |\n"+want.String(), 1)
		if err := os.WriteFile(r.file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// spans returns names as code, divided by commas.
func spans(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return "`" + strings.Join(names, "`, `") + "`"
}

// TestReadmeCommandsAreThoseOfCI keeps what readers are told to type from drifting away
// from what is tried on every change.
func TestReadmeCommandsAreThoseOfCI(t *testing.T) {
	t.Parallel()
	ci := readText(t, ".github/workflows/ci.yml") + readText(t, ".ci/run") + readText(t, "CONTRIBUTING.md")
	tried := map[string]string{
		"./caddy run --config " + example: "./caddy validate --config " + example,
		"bash scripts/test.sh":            `scripts/test.sh"` + "\n",
	}
	for _, r := range readmes {
		text := section(t, readText(t, r.file), r.commands)
		commands := strings.Join(fenced(text, "sh"), "")
		for line := range strings.Lines(strings.ReplaceAll(commands, "\\\n", "")) {
			for command := range strings.SplitSeq(strings.TrimSpace(line), " && ") {
				if strings.HasPrefix(command, "curl ") {
					continue // TestReadmeAnswer has it
				}
				want := command
				if other, ok := tried[command]; ok {
					want = other
				}
				if !strings.Contains(ci, want) {
					t.Errorf("%s tells readers to run %q, which CI does not", r.file, command)
				}
			}
		}
		for _, want := range []string{"go tool xcaddy build ", "./caddy run --config " + example, "bash scripts/test.sh", "`xcaddy build --with github.com/ai-proxy/caddy-ai-proxy`"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s does not say %s", r.file, want)
			}
		}
		version := regexp.MustCompile(`caddyserver/caddy/v2 (v\S+)`).FindStringSubmatch(readText(t, "go.mod"))
		if !strings.Contains(commands, " "+version[1]+" ") {
			t.Errorf("%s does not build Caddy %s, as go.mod has it", r.file, version[1])
		}
	}
}

// TestReadmeAnswer asks the example what the page asks it.
func TestReadmeAnswer(t *testing.T) {
	t.Parallel()
	var found []json.RawMessage
	out, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(readText(t, example)), map[string]any{"filename": example})
	if err != nil {
		t.Fatal(err)
	}
	findHandlers(t, out, &found)
	if len(found) != 1 {
		t.Fatalf("%s has %d gateways", example, len(found))
	}
	var config struct {
		Providers struct {
			Mock struct {
				Reply string `json:"reply"`
			} `json:"mock"`
		} `json:"providers"`
	}
	if err := json.Unmarshal(found[0], &config); err != nil {
		t.Fatal(err)
	}
	gateway := serve(t, "provider mock {\n reply "+quoted(config.Providers.Mock.Reply)+"\n}")
	changing := regexp.MustCompile(`"id":"[^"]*"|"created":[0-9]+`)
	for _, r := range readmes {
		text := section(t, readText(t, r.file), r.commands)
		curl := regexp.MustCompile(`(?s)curl -k https://localhost(\S+) .*? -d '([^']*)'`).FindStringSubmatch(text)
		answers := fenced(text, "json")
		if curl == nil || len(answers) != 1 {
			t.Fatalf("%s has no question and answer", r.file)
		}
		got := call(t, http.MethodPost, gateway+curl[1], curl[2])
		if a, b := changing.ReplaceAllString(got.body, ""), changing.ReplaceAllString(strings.TrimSpace(answers[0]), ""); got.status != http.StatusOK || a != b {
			t.Errorf("%s shows\n%s\nthe answer is %d\n%s", r.file, answers[0], got.status, got.body)
		}
	}
}

// TestReadmeAnswersOfTheGateway: models and errors as the pages show them.
func TestReadmeAnswersOfTheGateway(t *testing.T) {
	t.Parallel()
	gateway := serve(t, "")
	for _, r := range readmes {
		for _, want := range fenced(readText(t, r.file), "json") {
			var shown struct{ ID, Object string }
			if err := json.Unmarshal([]byte(want), &shown); err != nil {
				t.Fatalf("%s: %v in %s", r.file, err, want)
			}
			var got reply
			switch shown.Object {
			case "model":
				got = call(t, http.MethodGet, gateway+"/v1/models/"+shown.ID, "")
			case "": // an error, the same for both pages
				got = call(t, http.MethodPost, gateway+"/v1/chat/completions", `{"model":"gpt-4o","messages":[{"role":"user","content":"Hi"}]}`, "Authorization", "Bearer sk-ant-api03-0123456789")
			default:
				continue
			}
			if got.body != strings.TrimSpace(want) {
				t.Errorf("%s shows\n%s\nthe gateway answers\n%s", r.file, want, got.body)
			}
		}
	}
}

func quoted(s string) string { return `"` + strings.ReplaceAll(s, `"`, `\"`) + `"` }

func TestReadmeNamesFlagsAndPlaceholders(t *testing.T) {
	t.Parallel()
	cmd := new(cobra.Command)
	caddycmd.Commands()["ai-proxy"].CobraFunc(cmd)
	flags := regexp.MustCompile(`(?m)^ +(?:(-\w), )?(--[\w-]+)`).FindAllStringSubmatch(cmd.Flags().FlagUsages(), -1)
	if len(flags) < 6 {
		t.Fatalf("only %d flags were found", len(flags))
	}
	for _, r := range readmes {
		text := readText(t, r.file)
		for _, f := range flags {
			for _, name := range f[1:] {
				if name != "" && !strings.Contains(text, "`"+name+"`") {
					t.Errorf("%s does not describe the flag %s", r.file, name)
				}
			}
		}
		names := regexp.MustCompile(`\{(http\.ai_proxy\.\w+)\}`).FindAllStringSubmatch(section(t, text, r.placeholders), -1)
		if len(names) == 0 {
			t.Errorf("%s names no placeholders", r.file)
		}
		for _, m := range names {
			if _, ok := new(record).placeholder(m[1]); !ok {
				t.Errorf("%s names {%s}, which there is not", r.file, m[1])
			}
		}
	}
}

func TestReadmeLinksLeadSomewhere(t *testing.T) {
	t.Parallel()
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	for _, file := range []string{"README.md", "README.zh-CN.md", "translate/README.md"} {
		text := readText(t, file)
		anchors := map[string]bool{}
		for _, m := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(text, -1) {
			anchors["#"+anchor(m[1])] = true
		}
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			switch to := m[1]; {
			case strings.Contains(to, "://"):
			case strings.HasPrefix(to, "#"):
				if !anchors[to] {
					t.Errorf("%s links to %s, and there is no such heading", file, to)
				}
			default:
				if _, err := os.Stat(filepath.Join(filepath.Dir(file), to)); err != nil {
					t.Errorf("%s links to a file that is missing: %v", file, err)
				}
			}
		}
	}
}

// TestReadmeRowOfAProviderIsOne: the row that contributors copy has no field too many.
func TestReadmeRowOfAProviderIsOne(t *testing.T) {
	t.Parallel()
	rows := fenced(readText(t, "translate/README.md"), "json")
	if len(rows) != 1 {
		t.Fatalf("there are %d rows", len(rows))
	}
	dec := json.NewDecoder(strings.NewReader(strings.TrimSuffix(strings.TrimSpace(rows[0]), ",")))
	dec.DisallowUnknownFields()
	var p providers.Profile
	if err := dec.Decode(&p); err != nil || p.Name == "" || p.BaseURL == "" || p.Quirks.MaxTokens == "" {
		t.Errorf("%v in %+v", err, p)
	}
}

// anchor is what GitHub makes of a heading.
func anchor(heading string) string {
	heading = strings.ReplaceAll(strings.ToLower(heading), " ", "-")
	return regexp.MustCompile(`[^\p{L}\p{N}_-]`).ReplaceAllString(heading, "")
}
