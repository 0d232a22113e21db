package e2e

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"
)

// The clients that a test needs are installed by it, from the lists beside their
// programs, unless that has been done before. scripts/test.sh does the same, into the
// same folders, and leaves the same mark.
var (
	jsClient          = sync.OnceValue(func() error { return provide("js/package-lock.json", "node_modules", npmInstall) })
	conformanceClient = sync.OnceValue(func() error { return provide("conformance/package-lock.json", "node_modules", npmInstall) })
	pythonClient      = sync.OnceValue(func() error { return provide("python/requirements.txt", ".venv", pipInstall) })
)

// python is the interpreter that has the client.
var python = filepath.Join("python", ".venv", "bin", "python")

// provide fills a folder beside the list by calling install there.
func provide(list, folder string, install func(dir string) error) error {
	dir := filepath.Dir(list)
	made := filepath.Join(dir, folder)
	mark := filepath.Join(made, ".made-from")
	sum, err := checksum(list)
	if err != nil {
		return err
	}
	if old, err := os.ReadFile(mark); err == nil && bytes.Equal(bytes.TrimSpace(old), sum) {
		return nil
	}
	if err := install(dir); err != nil {
		return fmt.Errorf("installing %s: %w", made, err)
	}
	return os.WriteFile(mark, append(sum, '\n'), 0o600)
}

// checksum is what the command cksum prints for what is in a file.
func checksum(file string) ([]byte, error) {
	text, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer text.Close()
	cmd := exec.Command("cksum")
	cmd.Stdin = text
	sum, err := cmd.Output()
	return bytes.TrimSpace(sum), err
}

func npmInstall(dir string) error {
	return command(dir, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", "--fetch-retries=1", "--fetch-timeout=60000")
}

func pipInstall(dir string) error {
	if err := os.RemoveAll(filepath.Join(dir, ".venv")); err != nil {
		return err
	}
	// Some systems ship Python without what puts pip into a new environment; there the
	// system's pip fills it from outside.
	pip := []string{"-m", "venv", ".venv"}
	installer := []string{filepath.Join(".venv", "bin", "python"), "-m", "pip"}
	if command(dir, "python3", "-c", "import ensurepip") != nil {
		pip = []string{"-m", "venv", "--without-pip", ".venv"}
		installer = []string{"python3", "-m", "pip", "--python", filepath.Join(".venv", "bin", "python")}
	}
	if err := command(dir, "python3", pip...); err != nil {
		return err
	}
	return command(dir, installer[0], append(installer[1:], "install", "--quiet", "--no-input", "--disable-pip-version-check", "--retries=1", "--requirement=requirements.txt")...)
}

func command(dir, name string, args ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, bytes.TrimSpace(out))
	}
	return nil
}
