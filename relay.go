package aiproxy

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/ai-proxy/caddy-ai-proxy/providers"
	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
	"github.com/ai-proxy/caddy-ai-proxy/translate/openai"
	"github.com/ai-proxy/caddy-ai-proxy/translate/sse"
	"github.com/ai-proxy/caddy-ai-proxy/upstream"
)

// relay passes a provider's success on to the client. An error means that nothing has
// been sent.
func (x *exchange) relay(d *upstream.Deployment, p *plan, resp *http.Response, key string) *translate.Error {
	form, err := readableForm(d, p, resp)
	if err != nil {
		return err
	}
	switch {
	case p.pass && x.head.Stream && form == formStream:
		return x.passStream(p, resp, key)
	case p.pass && !x.head.Stream && form == formJSON:
		return x.passAnswer(resp, key)
	case x.head.Stream:
		return x.decodeStream(d, p, resp, form, key)
	}
	return x.decodeAnswer(d, p, resp, form, key)
}

// form is the form of a provider's answer.
type form uint8

const (
	formUnknown form = iota
	formJSON
	formStream
)

// readableForm returns the form of an answer that can be read.
func readableForm(d *upstream.Deployment, p *plan, resp *http.Response) (form, *translate.Error) {
	if resp.Header.Get("Content-Encoding") != "" {
		return formUnknown, translate.UpstreamError(fmt.Sprintf("The provider %s sent a compressed answer that was not asked for.", d.Name))
	}
	f := answerForm(resp.Header, p.stream)
	if f == formUnknown {
		return f, translate.UpstreamError(fmt.Sprintf("The provider %s sent something that is neither JSON nor an event stream.", d.Name))
	}
	return f, nil
}

// answerForm tells the form of an answer by its media type. A server that labels its
// stream as plain text, or not at all, is believed to send what it was asked for.
func answerForm(h http.Header, stream bool) form {
	t, _, _ := strings.Cut(h.Get("Content-Type"), ";")
	t = strings.ToLower(strings.TrimSpace(t))
	switch {
	case t == "text/event-stream":
		return formStream
	case isJSON(t):
		return formJSON
	case t != "" && t != "text/plain" && t != "application/octet-stream":
		return formUnknown
	case stream:
		return formStream
	}
	return formJSON
}

// passStream copies a stream event by event, each as soon as it is complete.
func (x *exchange) passStream(p *plan, resp *http.Response, key string) *translate.Error {
	s := newStream(x, func() { x.streamHeader(resp, key) })
	defer s.close()
	obs := openai.Observer{StripUsage: p.addedUsage, StripUsageNull: !x.head.IncludeUsage}
	defer x.note(&obs)
	x.events.Reset(resp.Body, x.h.MaxEventSize)
	for {
		ev, err := x.events.Next()
		if err != nil {
			if failed := obs.End(errors.Is(err, io.EOF)); failed != nil {
				return s.fail(x.streamError(failed), obs.Content)
			}
			if !obs.Done {
				s.add(openai.AppendDone)
			}
			_ = s.flush(true) // a client that is gone needs no answer
			return nil
		}
		if ev.Comment() && !obs.Content {
			continue
		}
		s.add(func(out []byte) []byte { return obs.Pass(out, &ev) })
		if obs.Err != nil {
			x.redactError(obs.Err, key)
			return s.fail(obs.Err, obs.Content)
		}
		if obs.Done {
			_ = s.flush(true)
			s.close() // nothing may follow
			drain(resp.Body)
			return nil
		}
		if x.events.Buffered() {
			continue
		}
		if s.flush(obs.Content) != nil {
			return x.clientLeft()
		}
		if obs.Content {
			x.releaseBody()
			p.release()
		}
	}
}

// clientLeft ends an exchange whose client does not take the answer any more. Closing
// the provider's answer cancels it there.
func (x *exchange) clientLeft() *translate.Error {
	x.rec.err = errClientGone
	return nil
}

// streamError is the error for the client when the provider's stream broke off: that
// the client itself is gone explains it best.
func (x *exchange) streamError(err *translate.Error) *translate.Error {
	if x.r.Context().Err() != nil {
		return errClientGone
	}
	return err
}

// drainTime bounds the wait for the end of a body whose answer is complete.
const drainTime = 250 * time.Millisecond

// drain reads the few bytes that end a finished body, so that the connection can be
// used again.
func drain(body io.ReadCloser) {
	timer := time.AfterFunc(drainTime, func() { _ = body.Close() })
	defer timer.Stop()
	var rest [512]byte
	for range 8 {
		if _, err := body.Read(rest[:]); err != nil {
			return
		}
	}
}

// passAnswer copies a JSON answer once it is known to be whole.
func (x *exchange) passAnswer(resp *http.Response, key string) *translate.Error {
	b, err := readAnswer(resp, x.h.MaxAnswerSize)
	if err != nil {
		return x.streamError(err)
	}
	defer b.release()
	var few [16]jsonscan.Member
	members, scanErr := jsonscan.Object(few[:0], b.b, 0)
	if scanErr != nil {
		return translate.UpstreamError("The provider's answer is not JSON.")
	}
	obs, err := openai.ObserveAnswer(members)
	if err != nil {
		x.redactError(err, key)
		return err
	}
	x.note(&obs)
	x.writeAnswer(resp, key, b.b)
	return nil
}

// writeAnswer sends a whole JSON answer.
func (x *exchange) writeAnswer(resp *http.Response, key string, body []byte) {
	x.copyHeaders(resp.Header, key, x.key)
	setJSON(x.w.Header(), len(body))
	x.committed = true
	x.rec.firstContent = time.Since(x.start)
	x.w.WriteHeader(http.StatusOK)
	if _, err := x.w.Write(body); err != nil {
		x.rec.err = errClientGone
	}
}

// guard returns a guard in front of out that names the answer where the provider does
// not.
func (x *exchange) guard(d *upstream.Deployment, out translate.Sink) *translate.Guard {
	return &translate.Guard{
		Out: out, ID: randomID("chatcmpl-"), Model: d.Model, Created: time.Now().Unix(),
		NewID:     func() string { return randomID("call_") },
		KeepUsage: d.Profile().Dialect == providers.DialectOpenAI,
		// OpenAI's own dialect is answered in the form that was asked in.
		Functions: d.Profile().Dialect != providers.DialectOpenAI && x.request != nil && x.request.Params.LegacyFunctions,
	}
}

// note is settle for an answer that was passed.
func (x *exchange) note(obs *openai.Observer) {
	x.rec.usage, x.rec.hasUsage = obs.Usage, obs.HasUsage
	x.rec.finish, x.rec.finished = obs.Finish, obs.Finished
}

// settle notes what the answer cost and how it ended.
func (x *exchange) settle(g *translate.Guard) {
	x.rec.usage, x.rec.hasUsage = g.Usage()
	x.rec.finish, x.rec.finished = g.Finish(), g.Ended()
}

// decodeStream answers with a stream that is written anew, event by event.
func (x *exchange) decodeStream(d *upstream.Deployment, p *plan, resp *http.Response, f form, key string) *translate.Error {
	s := newStream(x, func() { x.streamHeader(resp, key) })
	defer s.close()
	dec, enc := p.decoder(), openai.NewStreamEncoder(openai.StreamOptions{IncludeUsage: x.head.IncludeUsage})
	defer enc.Release()
	g := x.guard(d, x.remember(d, withoutErrors{enc}))
	defer x.settle(g)
	failed := x.decode(d, dec, g, p, resp, f, func() *translate.Error {
		s.add(func(out []byte) []byte { return append(out, enc.Bytes()...) })
		enc.Reset()
		if g.Err() != nil {
			return g.Err()
		}
		if s.flush(g.Content()) != nil {
			return errClientGone
		}
		if g.Ended() {
			s.close() // nothing may follow
		}
		if g.Content() {
			x.releaseBody()
			p.release()
		}
		return nil
	})
	switch failed {
	case nil:
		return nil
	case errClientGone:
		return x.clientLeft()
	}
	x.redactError(failed, key)
	return s.fail(x.streamError(failed), g.Content())
}

// withoutErrors keeps errors from an encoder: they may hold a key until they have been
// looked at, and may yet be answered by another deployment.
type withoutErrors struct{ translate.Sink }

func (s withoutErrors) Emit(ev *translate.Event) {
	if ev.Kind != translate.EventError {
		s.Sink.Emit(ev)
	}
}

// decodeAnswer answers with one JSON body that is written anew.
func (x *exchange) decodeAnswer(d *upstream.Deployment, p *plan, resp *http.Response, f form, key string) *translate.Error {
	dec, enc := p.decoder(), openai.NewBodyEncoder(int(x.h.MaxAnswerSize))
	g := x.guard(d, x.remember(d, enc))
	defer x.settle(g)
	failed := x.decode(d, dec, g, p, resp, f, g.Err)
	if failed == nil {
		failed = enc.Err() // an answer that is too large
	}
	if failed != nil {
		x.redactError(failed, key)
		return x.streamError(failed)
	}
	x.writeAnswer(resp, key, enc.Bytes())
	return nil
}

// continuer is a decoder whose provider may pause an answer and go on with it in
// another request.
type continuer interface {
	// Continue returns the body of the request that makes a paused answer go on; ok is
	// false if the answer is not paused.
	Continue() (body []byte, ok bool)
}

// decode runs an answer, and what continues it, through a decoder and a guard. step is
// called whenever the next event has to be waited for, and at the end; its error ends
// the answer.
func (x *exchange) decode(d *upstream.Deployment, dec translate.Decoder, g *translate.Guard, p *plan, resp *http.Response, f form, step func() *translate.Error) *translate.Error {
	for {
		clean, err := x.decodeOne(dec, g, resp, f, step)
		if err != nil {
			dec.End(false, g) // it may know of more that was used
			return err
		}
		next, err := x.continueAnswer(dec, p, resp)
		if err != nil {
			return err
		}
		if next == nil {
			dec.End(clean, g)
			g.End()
			if err := step(); err != nil {
				return err
			}
			drain(resp.Body) // when the client has it all
			return nil
		}
		defer next.Body.Close() //nolint:gocritic // a decoder bounds how often it goes on
		if f, err = readableForm(d, p, next); err != nil {
			return err
		}
		resp = next
	}
}

// continueAnswer asks a provider that has paused behind an answer to go on. It returns
// nil if it has not.
func (x *exchange) continueAnswer(dec translate.Decoder, p *plan, paused *http.Response) (*http.Response, *translate.Error) {
	c, ok := dec.(continuer)
	if !ok || p.again == nil {
		return nil, nil
	}
	body, ok := c.Continue()
	if !ok {
		return nil, nil
	}
	drain(paused.Body) // so that the same connection can be used
	return p.again(body)
}

// decodeOne runs one answer of the provider through the decoder. clean is false if its
// bytes broke off.
func (x *exchange) decodeOne(dec translate.Decoder, g *translate.Guard, resp *http.Response, f form, step func() *translate.Error) (clean bool, err *translate.Error) {
	if f == formJSON {
		b, err := readAnswer(resp, x.h.MaxAnswerSize)
		if err != nil {
			return false, err
		}
		defer b.release()
		dec.Body(b.b, g)
		return true, step()
	}
	x.events.Reset(resp.Body, x.h.MaxEventSize)
	torn := false
	for {
		ev, readErr := x.events.Next()
		if readErr != nil {
			return errors.Is(readErr, io.EOF) && !torn, nil
		}
		if ev.Comment() {
			continue
		}
		if torn = isTorn(&ev); torn {
			continue
		}
		dec.Event(ev.Data, ev.Stray, g)
		if dec.Done() {
			return true, step()
		}
		if g.Err() != nil || !x.events.Buffered() {
			if err := step(); err != nil {
				return false, err
			}
		}
	}
}

// isTorn reports whether an event is what a connection that broke, or was closed too
// early, left of one.
func isTorn(ev *sse.Event) bool {
	return !ev.Terminated && ev.Stray == nil && jsonscan.Valid(ev.Data, 0) != nil && string(ev.Data) != "[DONE]"
}
