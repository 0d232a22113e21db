package e2e

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// setup is what a gateway is started with.
type setup struct {
	// globals are lines of the Caddyfile's global options, sites is what follows them.
	globals, sites string
	// env is added to an environment without any of the user's own variables, and files
	// are written below the gateway's home, {$HOME} in the Caddyfile.
	env   []string
	files map[string]string
	// secure are the addresses of sites over HTTPS.
	secure []string
	// patient lets the gateway wait for requests without end, as Caddy does by default,
	// when it stops or gets another configuration.
	patient bool
	// binary is the gateway's, by default the one that is built for the run.
	binary string
}

// caddyfile keeps the gateway to itself: nothing of the machine's is used or changed.
func (s *setup) caddyfile() string {
	grace := "\tgrace_period 1s\n"
	if s.patient {
		grace = ""
	}
	return "{\n\tadmin unix/{$HOME}/admin.sock\n\tpersist_config off\n\tskip_install_trust\n\tauto_https disable_redirects\n" + grace +
		s.globals + "\n}\n" + s.sites
}

// gateway is a running gateway.
type gateway struct {
	home   string
	env    []string
	binary string
	cmd    *exec.Cmd
	out    *output
	ended  chan struct{} // closed when the process has ended, with err
	err    error
	admin  *http.Client
}

// start starts a gateway with a Caddyfile and waits until it serves. It is stopped at
// the end of the test, which fails if the gateway has raced or panicked.
func start(t *testing.T, s setup) *gateway {
	t.Helper()
	g := newGateway(t, s)
	g.write(t, "Caddyfile", s.caddyfile())
	g.launch(t, "run", "--config", "Caddyfile", "--adapter", "caddyfile")
	g.out.wait(t, g.ended, "the gateway serving", func(text string) bool { return strings.Contains(text, "serving initial configuration") })
	for _, address := range s.secure {
		g.certified(t, address)
	}
	return g
}

func newGateway(t *testing.T, s setup) *gateway {
	t.Helper()
	home, err := os.MkdirTemp(runDir, "g") //nolint:usetesting // the path of a socket must be short
	if err != nil {
		t.Fatal(err)
	}
	g := &gateway{home: home, binary: s.binary, out: newOutput(), ended: make(chan struct{})}
	if g.binary == "" {
		if g.binary, err = gatewayBinary(); err != nil {
			t.Fatal(err)
		}
	}
	g.env = append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home, "XDG_DATA_HOME=" + filepath.Join(home, "data"), "XDG_CONFIG_HOME=" + filepath.Join(home, "config"),
		"GORACE=halt_on_error=0 exitcode=66",
	}, s.env...)
	for name, text := range s.files {
		g.write(t, name, text)
	}
	socket := filepath.Join(home, "admin.sock")
	g.admin = &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}}}
	t.Cleanup(g.admin.CloseIdleConnections)
	return g
}

func (g *gateway) write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(g.home, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (g *gateway) read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(g.home, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func (g *gateway) launch(t *testing.T, args ...string) {
	t.Helper()
	g.cmd = exec.Command(g.binary, args...)
	g.cmd.Dir, g.cmd.Env = g.home, g.env
	g.cmd.Stdout, g.cmd.Stderr = g.out, g.out
	if err := g.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		g.err = g.cmd.Wait()
		close(g.ended)
	}()
	t.Cleanup(func() { g.stop(t) })
}

// stop ends the gateway, if it is still there, and looks at what it has printed.
func (g *gateway) stop(t *testing.T) {
	t.Helper()
	select {
	case <-g.ended:
		if g.cmd == nil {
			return
		}
	default:
		_ = g.cmd.Process.Signal(syscall.SIGTERM)
	}
	select {
	case <-g.ended:
	case <-time.After(patience):
		_ = g.cmd.Process.Kill()
		<-g.ended
		t.Errorf("the gateway did not end %v after SIGTERM", patience)
	}
	text := g.out.String()
	for _, bad := range []string{"WARNING: DATA RACE", "panic:", "panic serving"} {
		if i := strings.Index(text, bad); i >= 0 {
			t.Errorf("the gateway printed %.4000s", text[i:])
		}
	}
	if g.err != nil {
		t.Errorf("the gateway ended with %v", g.err)
	}
	if t.Failed() {
		const most = 4 << 10
		t.Logf("the gateway printed:\n%s", text[max(0, len(text)-most):])
	}
	g.cmd = nil
}

// certified waits for a site to have its certificate, which the gateway makes after it
// has begun to serve.
func (g *gateway) certified(t *testing.T, address string) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(patience)
	var err error
	for {
		select {
		case <-tick.C:
			var conn *tls.Conn
			conn, err = tls.Dial("tcp", strings.TrimPrefix(address, "https://"), &tls.Config{InsecureSkipVerify: true}) // only whether there is one
			if err == nil {
				conn.Close()
				return
			}
		case <-limit:
			t.Fatalf("%s has no certificate after %v: %v; the gateway printed:\n%s", address, patience, err, g.out)
		}
	}
}

// caddy runs the binary with other arguments in the same surroundings.
func (g *gateway) caddy(t *testing.T, args ...string) (string, error) {
	t.Helper()
	return run(t, g.home, g.env, g.binary, args...)
}

// ask sends a request to the admin endpoint.
func (g *gateway) ask(t *testing.T, method, path, contentType, body string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, "http://127.0.0.1"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	resp, err := g.admin.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("admin endpoint: %s %s: %s\n%s", method, path, resp.Status, text)
	}
	return string(text)
}

// authority returns the certificates of the gateway's own certificate authority.
func (g *gateway) authority(t *testing.T) *x509.CertPool {
	t.Helper()
	return certificatesIn(t, filepath.Join(g.home, g.authorityFile()))
}

func certificatesIn(t *testing.T, file string) *x509.CertPool {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		t.Fatalf("there is no certificate in %s", file)
	}
	return pool
}

// authorityFile is the path of the root certificate below the gateway's home.
func (g *gateway) authorityFile() string {
	return filepath.Join("data", "caddy", "pki", "authorities", "local", "root.crt")
}

// ports are those given out in this run. They lie below the range from which systems
// take the ports of outgoing connections.
var ports = struct {
	sync.Mutex
	given map[int]bool
}{given: map[int]bool{}}

// freePort returns a port of the loopback interface that nobody uses, for TCP and UDP.
func freePort(t *testing.T) string {
	t.Helper()
	ports.Lock()
	defer ports.Unlock()
	for range 1000 {
		port := 12000 + rand.IntN(20000)
		if ports.given[port] || !unused(port) {
			continue
		}
		ports.given[port] = true
		return strconv.Itoa(port)
	}
	t.Fatal("there is no free port")
	return ""
}

func unused(port int) bool {
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return false
	}
	defer l.Close()
	all, err := net.Listen("tcp", fmt.Sprintf(":%d", port))
	if err == nil {
		all.Close()
	} else if !errors.Is(err, syscall.EADDRINUSE) {
		return false
	}
	u, err := net.ListenPacket("udp", fmt.Sprintf(":%d", port))
	if err != nil {
		return false
	}
	u.Close()
	return true
}
