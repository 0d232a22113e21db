package providers

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caddyserver/caddy/v2"
)

func TestMockTakesItsTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMock(t, &Mock{Reply: strings.Repeat("abcd", 10), Latency: caddy.Duration(300 * time.Millisecond), TokenRate: 10})
		start := time.Now()
		resp, err := ask(t.Context(), m, "/chat/completions", with(hello, `"stream":true`))
		if err != nil {
			t.Fatal(err)
		}
		if got := time.Since(start); got != 300*time.Millisecond {
			t.Errorf("the first byte took %v", got)
		}
		var at []time.Duration
		lines := bufio.NewScanner(resp.Body)
		for lines.Scan() {
			if strings.Contains(lines.Text(), `"abcd"`) {
				at = append(at, time.Since(start))
			}
		}
		if len(at) != 10 || at[0] != 400*time.Millisecond || at[9] != 1300*time.Millisecond {
			t.Errorf("tokens came at %v", at)
		}
		start = time.Now()
		get(t, m, "/chat/completions", hello)
		if got := time.Since(start); got != 1300*time.Millisecond {
			t.Errorf("an answer that is not streamed took %v", got)
		}
		start = time.Now()
		get(t, m, "/models", "")
		if got := time.Since(start); got != 300*time.Millisecond {
			t.Errorf("the list of models took %v", got)
		}
	})
}

// A reader that was held up gets what has been made in the meantime at once.
func TestMockDoesNotSlowDownForSlowReaders(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMock(t, &Mock{Reply: strings.Repeat("abcd", 10), TokenRate: 10})
		resp, err := ask(t.Context(), m, "/chat/completions", with(hello, `"stream":true`))
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		start := time.Now()
		if _, err := io.Copy(io.Discard, resp.Body); err != nil || time.Since(start) != 0 {
			t.Errorf("the rest took %v, %v", time.Since(start), err)
		}
	})
}

func TestMockJitterStaysInItsBounds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := newMock(t, &Mock{Seed: 7, Latency: caddy.Duration(100 * time.Millisecond), Jitter: caddy.Duration(50 * time.Millisecond)})
		seen := map[time.Duration]bool{}
		for range 50 {
			start := time.Now()
			get(t, m, "/models", "")
			got := time.Since(start)
			seen[got] = true
			if got < 50*time.Millisecond || got > 150*time.Millisecond {
				t.Errorf("took %v", got)
			}
		}
		if len(seen) < 40 {
			t.Errorf("only %d different latencies", len(seen))
		}
	})
}

func TestMockStopsAtOnceWhenCancelled(t *testing.T) {
	t.Parallel()
	gone := errors.New("client gone")
	for name, m := range map[string]*Mock{
		"latency":    {Latency: caddy.Duration(time.Hour)},
		"hang":       {ErrorRate: 1, ErrorKind: failHang},
		"not stream": {TokenRate: 0.01},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				m := newMock(t, m)
				ctx, cancel := context.WithCancelCause(t.Context())
				start := time.Now()
				time.AfterFunc(time.Second, func() { cancel(gone) })
				if _, err := ask(ctx, m, "/chat/completions", hello); !errors.Is(err, gone) || time.Since(start) != time.Second {
					t.Errorf("%v after %v", err, time.Since(start))
				}
			})
		})
	}
	t.Run("midway", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			m := newMock(t, &Mock{TokenRate: 1})
			ctx, cancel := context.WithCancelCause(t.Context())
			start := time.Now()
			time.AfterFunc(1500*time.Millisecond, func() { cancel(gone) })
			resp, err := ask(ctx, m, "/chat/completions", with(hello, `"stream":true`))
			if err != nil {
				t.Fatal(err)
			}
			data, err := io.ReadAll(resp.Body)
			if !errors.Is(err, gone) || time.Since(start) != 1500*time.Millisecond || strings.Count(string(data), "data: ") != 2 {
				t.Errorf("%v after %v and %q", err, time.Since(start), data)
			}
		})
	})
	t.Run("closed", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			m := newMock(t, &Mock{TokenRate: 1})
			start := time.Now()
			resp, err := ask(t.Context(), m, "/chat/completions", with(hello, `"stream":true`))
			if err != nil {
				t.Fatal(err)
			}
			time.AfterFunc(1500*time.Millisecond, func() { resp.Body.Close() })
			if _, err := io.ReadAll(resp.Body); err == nil || time.Since(start) != 1500*time.Millisecond {
				t.Errorf("%v after %v", err, time.Since(start))
			}
			if err := resp.Body.Close(); err != nil {
				t.Errorf("a second Close: %v", err)
			}
		})
	})
}

func TestMockFailsAsOften(t *testing.T) {
	t.Parallel()
	m := newMock(t, &Mock{Seed: 42, ErrorRate: 0.3, ErrorStatus: []int{429, 503}})
	count := map[int]int{}
	for range 1000 {
		resp, err := ask(t.Context(), m, "/chat/completions", hello)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		count[resp.StatusCode]++
		if resp.StatusCode == http.StatusTooManyRequests && resp.Header.Get("Retry-After") == "" {
			t.Fatal("429 without Retry-After")
		}
	}
	if failed := count[429] + count[503]; failed < 250 || failed > 350 || count[429] < 100 || count[503] < 100 {
		t.Errorf("statuses %v", count)
	}
	always := newMock(t, &Mock{ErrorRate: 1})
	if status, data := get(t, always, "/chat/completions", hello); status != 500 || !strings.Contains(data, `"server_error"`) {
		t.Errorf("%d %s", status, data)
	}
	if status, _ := get(t, always, "/models", ""); status != 200 {
		t.Errorf("the list of models fails with %d", status)
	}
}

func TestMockBreaksConnections(t *testing.T) {
	t.Parallel()
	if _, err := ask(t.Context(), newMock(t, &Mock{ErrorRate: 1, ErrorKind: failReset}), "/chat/completions", hello); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("reset: %v", err)
	}
	m := newMock(t, &Mock{ErrorRate: 1, ErrorKind: failMidstream})
	for _, body := range []string{hello, with(hello, `"stream":true`)} {
		resp, err := ask(t.Context(), m, "/chat/completions", body)
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(resp.Body)
		if !errors.Is(err, syscall.ECONNRESET) || len(data) == 0 || strings.Contains(string(data), "[DONE]") || json.Valid(data) {
			t.Errorf("midstream: %v after %q", err, data)
		}
	}
}

func TestMockWithASeedRepeatsItself(t *testing.T) {
	t.Parallel()
	run := func(seed uint64) (all string) {
		m := newMock(t, &Mock{Seed: seed, ErrorRate: 0.5})
		for range 20 {
			status, data := get(t, m, "/chat/completions", hello)
			all += fmt.Sprintln(status, data)
		}
		return all
	}
	if first, again := run(1), run(1); first != again {
		t.Error("the same seed gives different answers")
	}
	if run(1) == run(2) {
		t.Error("different seeds give the same outcome")
	}
}
