package memory

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
)

// clock is a clock that a test sets.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// newMemory returns a memory with room for entries calls and size bytes, and its clock.
func newMemory(entries int, size int64) (*Memory, *clock) {
	c := &clock{t: time.Unix(1e9, 0)}
	return New(Options{MaxEntries: entries, MaxBytes: size, TTL: time.Hour, Now: c.now}), c
}

// idOf returns a tool-call id in the form that providers give.
func idOf(n int) string { return fmt.Sprintf("toolu_01A%09dbC", n) }

// learn makes the memory remember an answer with one signed thought and the calls.
func learn(m *Memory, t Tenant, thought string, ids ...string) {
	s := &state{opaque: true, size: entryCost + int64(len(thought))}
	s.reasoning = []*translate.Reasoning{{Text: thought, Signature: "signature of " + thought, Format: "anthropic-claude-v1"}}
	var keys []key
	for _, id := range ids {
		s.calls = append(s.calls, call{id: id})
		keys = append(keys, uniqueKey(&t, id))
	}
	m.put(keys, s)
}

// recall returns what the memory knows of a call, "" if it knows nothing.
func recall(m *Memory, t Tenant, id string) string { return m.Reasoning(t, nil, 0, id, "") }

// check makes sure that the books are right: every key leads to an entry of the list,
// the list is whole in both directions, and the sums are those of its entries.
func (m *Memory) check(t testing.TB) {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	keys, bound := 0, 0
	bytes := int64(0)
	var before *entry
	for e := m.first; e != nil; e = e.next {
		if e.prev != before {
			t.Error("the list of entries is broken")
		}
		if before != nil && before.expires.Before(e.expires) {
			t.Error("the list of entries is not in the order of age")
		}
		before = e
		bytes += e.state.size
		for _, k := range e.keys {
			if m.calls[k] != e {
				t.Error("a key of an entry leads elsewhere")
			}
			keys++
			if k.bound {
				bound++
			}
		}
	}
	if m.last != before {
		t.Error("the list of entries has another end")
	}
	if keys != len(m.calls) || bound != m.bound || bytes != m.bytes {
		t.Errorf("%d keys, %d bound, %d bytes in the list; the books say %d, %d, %d", keys, bound, bytes, len(m.calls), m.bound, m.bytes)
	}
	if len(m.calls) > m.opt.MaxEntries || m.bytes > m.opt.MaxBytes {
		t.Errorf("%d calls and %d bytes are more than %d and %d", len(m.calls), m.bytes, m.opt.MaxEntries, m.opt.MaxBytes)
	}
}

func TestTheLeastUsedAreForgottenFirst(t *testing.T) {
	t.Parallel()
	m, _ := newMemory(3, 1<<20)
	tenant := TenantOf("key")
	for n := range 3 {
		learn(m, tenant, fmt.Sprint("thought ", n), idOf(n))
	}
	if recall(m, tenant, idOf(0)) != "thought 0" { // makes it the latest used
		t.Fatal("thought 0 is forgotten too early")
	}
	learn(m, tenant, "thought 3", idOf(3))
	m.check(t)
	for n, want := range []string{"thought 0", "", "thought 2", "thought 3"} {
		if got := recall(m, tenant, idOf(n)); got != want {
			t.Errorf("call %d leads to %q, want %q", n, got, want)
		}
	}
}

func TestBytesAreBounded(t *testing.T) {
	t.Parallel()
	m, _ := newMemory(1000, 64<<10)
	tenant := TenantOf("key")
	for n := range 100 {
		learn(m, tenant, strings.Repeat("x", 2000), idOf(n))
		m.check(t)
	}
	if calls, bytes := m.Len(); calls < 20 || bytes < 60<<10 {
		t.Errorf("only %d calls in %d bytes are remembered", calls, bytes)
	}
	if recall(m, tenant, idOf(99)) == "" {
		t.Error("the latest answer is forgotten")
	}
	learn(m, tenant, strings.Repeat("x", 9<<10), idOf(100))
	if recall(m, tenant, idOf(100)) != "" {
		t.Error("an answer larger than an eighth of the memory drives out others")
	}
	m.check(t)
}

func TestAnAnswerWithTooManyCallsIsNotRemembered(t *testing.T) {
	t.Parallel()
	m, _ := newMemory(2, 1<<20)
	tenant := TenantOf("key")
	learn(m, tenant, "small", idOf(0), idOf(1))
	learn(m, tenant, "large", idOf(2), idOf(3), idOf(4))
	if got := recall(m, tenant, idOf(1)); got != "small" {
		t.Errorf("got %q", got)
	}
	m.check(t)
}

func TestParallelCallsLeadToOneAnswer(t *testing.T) {
	t.Parallel()
	m, _ := newMemory(4, 1<<20)
	tenant := TenantOf("key")
	learn(m, tenant, "first", idOf(0), idOf(1))
	learn(m, tenant, "second", idOf(1), idOf(2)) // the id is used again
	m.check(t)
	if got := recall(m, tenant, idOf(1)) + recall(m, tenant, idOf(2)); got != "secondsecond" {
		t.Errorf("got %q", got)
	}
	if got := recall(m, tenant, idOf(0)); got != "" {
		t.Errorf("half of a replaced answer is left: %q", got)
	}
}

func TestWhatIsNotAskedForExpires(t *testing.T) {
	t.Parallel()
	m, c := newMemory(100, 1<<20)
	tenant := TenantOf("key")
	learn(m, tenant, "used", idOf(0))
	learn(m, tenant, "idle", idOf(1))
	c.pass(59 * time.Minute)
	if recall(m, tenant, idOf(0)) != "used" {
		t.Fatal("forgotten before its time")
	}
	c.pass(time.Minute)
	if got := recall(m, tenant, idOf(1)); got != "" {
		t.Errorf("%q lives longer than the hour", got)
	}
	if recall(m, tenant, idOf(0)) != "used" {
		t.Error("an answer that was asked for is forgotten with the others")
	}
	m.check(t)
	c.pass(time.Hour)
	m.Expire()
	if calls, bytes := m.Len(); calls != 0 || bytes != 0 {
		t.Errorf("%d calls in %d bytes outlive their time", calls, bytes)
	}
	m.check(t)
}

func TestTenantsNeverSeeEachOthers(t *testing.T) {
	t.Parallel()
	m, _ := newMemory(100, 1<<20)
	a, b, nobody := TenantOf("key-a"), TenantOf("key-b"), TenantOf("")
	learn(m, a, "of a", idOf(0))
	learn(m, nobody, "of nobody", idOf(1))
	learn(m, b, "of b", idOf(2))
	for _, tc := range []struct {
		tenant Tenant
		n      int
		want   string
	}{{a, 0, "of a"}, {a, 1, ""}, {a, 2, ""}, {b, 0, ""}, {b, 1, ""}, {b, 2, "of b"}, {nobody, 0, ""}, {nobody, 1, "of nobody"}, {nobody, 2, ""}} {
		if got := recall(m, tc.tenant, idOf(tc.n)); got != tc.want {
			t.Errorf("call %d: got %q, want %q", tc.n, got, tc.want)
		}
	}
	learn(m, b, "b with the id of a", idOf(0))
	if got := recall(m, a, idOf(0)); got != "of a" {
		t.Errorf("one tenant overwrote another's: %q", got)
	}
}

func TestNothingReadableIsInTheKeys(t *testing.T) {
	t.Parallel()
	const credential, id = "sk-planted-credential-0123456789", "toolu_01planted0123456789"
	tenant := TenantOf(credential)
	k := uniqueKey(&tenant, id)
	if dump := fmt.Sprintf("%s %s", tenant[:], k.sum[:]); strings.Contains(dump, "planted") {
		t.Errorf("the key shows what it is made of: %q", dump)
	}
}

func TestManyUsersAtOnce(t *testing.T) {
	t.Parallel()
	m, c := newMemory(64, 32<<10)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			tenant := TenantOf(fmt.Sprint("key ", g%4))
			for n := range 300 {
				learn(m, tenant, fmt.Sprint("thought of ", g%4), idOf(n%40))
				if got := recall(m, tenant, idOf((n+7)%40)); got != "" && got != fmt.Sprint("thought of ", g%4) {
					t.Errorf("tenant %d sees %q", g%4, got)
				}
				if n%50 == 0 {
					c.pass(20 * time.Minute)
					m.Expire()
				}
			}
		})
	}
	wg.Wait()
	m.check(t)
}

func BenchmarkLookup(b *testing.B) {
	m := New(Options{MaxEntries: 4096, MaxBytes: 32 << 20, TTL: time.Hour, Now: time.Now})
	tenant := TenantOf("key")
	for n := range 4096 {
		learn(m, tenant, "thought", idOf(n))
	}
	b.Run("one", func(b *testing.B) {
		b.ReportAllocs()
		for n := 0; b.Loop(); n++ {
			recall(m, tenant, idsOfBenchmark[n%len(idsOfBenchmark)])
		}
	})
	b.Run("parallel", func(b *testing.B) {
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for n := 0; pb.Next(); n++ {
				recall(m, tenant, idsOfBenchmark[n%len(idsOfBenchmark)])
			}
		})
	})
}

var idsOfBenchmark = func() (ids []string) {
	for n := range 1024 {
		ids = append(ids, idOf(n))
	}
	return ids
}()

// BenchmarkRestore has a conversation of a hundred steps with two calls each.
func BenchmarkRestore(b *testing.B) {
	m := New(Options{MaxEntries: 4096, MaxBytes: 32 << 20, TTL: time.Hour, Now: time.Now})
	tenant := TenantOf("key")
	var turns []translate.Turn
	for n := range 100 {
		learn(m, tenant, "thought", idOf(2*n), idOf(2*n+1))
		turns = append(turns, assistant(callOf(idOf(2*n)), callOf(idOf(2*n+1))), result(idOf(2*n), "1"), result(idOf(2*n+1), "2"))
	}
	req := &translate.Request{Turns: make([]translate.Turn, len(turns))}
	b.ReportAllocs()
	for b.Loop() {
		copy(req.Turns, turns)
		m.Restore(tenant, req)
	}
	if n := len(req.Turns[0].Parts); n != 3 {
		b.Errorf("the first turn has %d parts", n)
	}
}
