package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"
)

// repoRoot is the folder of the module under test.
const repoRoot = ".."

// patience bounds every wait for something that should happen at once.
const patience = 20 * time.Second

// runDir is the folder of what this run makes. Its name is short, because there are
// sockets in it.
var runDir string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "aip")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	runDir = dir
	code := m.Run()
	for _, line := range leftOut.all() {
		fmt.Fprintln(os.Stderr, "LEFT OUT:", line)
	}
	_ = os.RemoveAll(dir) // the system clears its folder for such things anyway
	os.Exit(code)
}

// omissions collects what could not be tested.
type omissions struct {
	mu    sync.Mutex
	lines []string
}

var leftOut omissions

func (o *omissions) add(line string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.lines = append(o.lines, line)
}

func (o *omissions) all() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.lines
}

// require ends the test if what it needs could not be provided. In CI that is a failure;
// elsewhere it is told here and once more after the last test.
func require(t *testing.T, what string, err error) {
	t.Helper()
	if err == nil {
		return
	}
	line := fmt.Sprintf("%s: %s is not available: %v", t.Name(), what, err)
	leftOut.add(line)
	if ci, _ := strconv.ParseBool(os.Getenv("CI")); ci {
		t.Fatal(line)
	}
	t.Log("LEFT OUT: " + line)
	t.SkipNow()
}

// gatewayBinary builds Caddy with the module, once: with the race detector where there
// is the C compiler that it needs.
var gatewayBinary = sync.OnceValues(func() (string, error) {
	out := filepath.Join(runDir, "caddy")
	args := []string{"build", "-buildvcs=false", "-o", out}
	env := append(os.Environ(), "GOWORK=off")
	if haveCompiler() {
		args = append(args, "-race")
		env = append(env, "CGO_ENABLED=1")
	}
	cmd := exec.Command("go", append(args, "./cmd/caddy")...)
	cmd.Dir, cmd.Env = repoRoot, env
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the gateway: %w\n%s", err, text)
	}
	return out, nil
})

func haveCompiler() bool {
	out, err := exec.Command("go", "env", "CC").Output()
	if err != nil {
		return false
	}
	var cc string
	if _, err := fmt.Sscan(string(out), &cc); err != nil {
		return false
	}
	_, err = exec.LookPath(cc)
	return err == nil
}

// run runs a command to its end and returns what it printed.
func run(t *testing.T, dir string, env []string, name string, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = dir, env
	out, err := cmd.CombinedOutput()
	return string(out), err
}
