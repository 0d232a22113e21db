package jsonscan

import (
	"fmt"
	"strings"
	"testing"
)

// chatBody returns a chat request of about size bytes in the way SDKs write it: the
// messages first, the model last. Its prose has the line breaks and quotes that real
// prompts have.
func chatBody(size int, prose string) []byte {
	var b strings.Builder
	b.WriteString(`{"messages":[{"role":"system","content":"You are a helpful assistant."}`)
	for i := 0; b.Len() < size-200; i++ {
		role := "user"
		if i%2 == 1 {
			role = "assistant"
		}
		n := min(size-200-b.Len(), 2000)
		text := strings.Repeat(prose, n/len(prose)+1)
		fmt.Fprintf(&b, `,{"role":%q,"content":"%s"}`, role, text)
	}
	b.WriteString(`],"temperature":0.7,"max_completion_tokens":1024,"stream":true,"stream_options":{"include_usage":true},"model":"gpt-5.5"}`)
	return []byte(b.String())
}

const (
	english = `The quick brown fox went over the lazy dog, which did not mind it at all because it was asleep, or seemed to be.\n`
	quoting = `The quick brown fox said \"jump\" and then it went over the lazy dog, which did not mind because it was asleep.\n`
	chinese = `敏捷的棕色狐狸说了一声“跳”,然后从懒狗身上跃过,而那只狗正在睡觉,所以一点也不介意。\n`
)

func BenchmarkObject(b *testing.B) {
	for _, prose := range []struct{ name, text string }{{"ascii", english}, {"escapes", quoting}, {"chinese", chinese}} {
		for _, size := range []int{1 << 10, 16 << 10, 200 << 10} {
			body := chatBody(size, prose.text)
			b.Run(fmt.Sprintf("%s/%dK", prose.name, size>>10), func(b *testing.B) {
				members := make([]Member, 0, 32)
				b.SetBytes(int64(len(body)))
				b.ReportAllocs()
				for b.Loop() {
					var err error
					if members, err = Object(members[:0], body, 64); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
