package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"testing"
	"time"
)

// remark is something that the conformance harness has noticed.
type remark struct {
	Check string `json:"check"`
	Pass  string `json:"pass"`
	Text  string `json:"msg"`
}

// TestConformance runs the harness in conformance/ against the gateway, with the
// official client for Node.js, for every wire format that the gateway speaks.
func TestConformance(t *testing.T) {
	t.Parallel()
	require(t, "the conformance harness", conformanceClient())
	for family := range families {
		t.Run(family, func(t *testing.T) {
			t.Parallel()
			plain, provider := freePort(t), freePort(t)
			g := start(t, setup{sites: fmt.Sprintf("http://127.0.0.1:%s {\n\tai_proxy {\n%s\t}\n}\n", plain, providerOptions(recordings(t), "http://127.0.0.1:"+provider))})
			var report struct {
				Results []struct {
					ID     string   `json:"id"`
					Must   []remark `json:"must"`
					Should []remark `json:"should"`
				} `json:"results"`
			}
			harness(t, &report, "--gateway", "http://127.0.0.1:"+plain+"/v1", "--replay-port", provider, "--family", family)
			remarks := map[string]int{}
			for _, r := range report.Results {
				t.Run(r.ID, func(t *testing.T) {
					for _, m := range r.Must {
						t.Errorf("%s [%s] %s", m.Pass, m.Check, m.Text)
					}
				})
				for _, m := range r.Should {
					remarks[m.Check]++
					t.Logf("remark: %s %s [%s] %s", r.ID, m.Pass, m.Check, m.Text)
				}
			}
			t.Logf("%s: %d cases; remarks: %v", family, len(report.Results), remarks)
			if t.Failed() {
				t.Logf("the gateway printed %d lines about failures", len(g.out.lines(`"level":"error"`)))
			}
			checkComplete(t, family, len(report.Results))
		})
	}
}

// checkComplete fails if the harness has left out recordings.
func checkComplete(t *testing.T, family string, ran int) {
	t.Helper()
	want := 0
	for _, r := range recordings(t) {
		if r.Family == family {
			want++
		}
	}
	if ran != want {
		t.Errorf("the harness has run %d of %d cases", ran, want)
	}
}

// harness runs the conformance harness and decodes its report. That it fails, if a case
// does, is told by the report.
func harness(t *testing.T, report any, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", append([]string{"conformance/bin/run.mjs", "--json", "-"}, args...)...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if decoding := json.Unmarshal(out.Bytes(), report); decoding != nil {
		t.Fatalf("the harness: %v; its report: %v\n%s\n%.2000s", err, decoding, &errs, &out)
	}
}
