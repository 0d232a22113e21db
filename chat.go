package aiproxy

import (
	"fmt"
	"net/http"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
	"github.com/ai-proxy/caddy-ai-proxy/translate/openai"
	"github.com/ai-proxy/caddy-ai-proxy/upstream"
)

// chat answers POST /v1/chat/completions.
func (x *exchange) chat() {
	err := x.readChat()
	if err == nil {
		err = x.serveChat()
	}
	if err != nil {
		x.fail(err)
	}
}

func (x *exchange) readChat() (err *translate.Error) {
	if err = x.readJSON(); err != nil {
		return err
	}
	if x.head, err = openai.ReadHead(x.members); err != nil {
		return err
	}
	x.rec.model = x.head.Model
	return nil
}

func (x *exchange) serveChat() *translate.Error {
	rt, err := x.h.router.resolve(x.head.Model)
	if err != nil {
		return err
	}
	x.key = clientKey(x.r.Header)
	return x.try(rt, x.askChat)
}

// try asks the deployments of a route in their order until one has begun to answer.
func (x *exchange) try(rt *route, ask func(*upstream.Deployment, string, bool) *translate.Error) *translate.Error {
	var err *translate.Error
	own := keyOwner(rt)
	for i, d := range rt.deployments {
		client := x.key
		if own != nil && own.Name != d.Name {
			client = ""
		}
		key, held, keyErr := keyFor(d, client)
		if keyErr != nil {
			if err == nil {
				err = keyErr
			}
			continue
		}
		x.rec.provider, x.rec.upstreamModel = d.Name, d.Model
		x.rec.attempts++
		x.refusal = nil
		err = ask(d, key, held)
		if err == nil || x.committed || !err.Retryable() || x.r.Context().Err() != nil || i == len(rt.deployments)-1 {
			return err
		}
		if c := x.h.logger.Check(zapcore.WarnLevel, "deployment failed, asking the next"); c != nil {
			c.Write(zap.String("provider", d.Name), zap.String("upstream_model", d.Model), zap.Int("upstream_status", err.Upstream), zap.String("error", err.Message))
		}
	}
	return err
}

// keyOwner returns the deployment that a client's key is meant for: the first without a
// key of its own that wants one, or else the first that takes one; nil if there is none.
func keyOwner(rt *route) (owner *upstream.Deployment) {
	for _, d := range rt.deployments {
		switch {
		case d.HoldsKeys():
		case !d.Profile().KeyOptional:
			return d
		case owner == nil:
			owner = d
		}
	}
	return owner
}

// askChat sends the chat request to one deployment and passes on its answer. An error
// means that nothing has been sent to the client, unless x.committed says otherwise.
func (x *exchange) askChat(d *upstream.Deployment, key string, held bool) *translate.Error {
	makePlan, ok := planners[d.Profile().Dialect]
	if !ok {
		return &translate.Error{
			Class: translate.ErrorRequest, Status: http.StatusNotImplemented, Type: "invalid_request_error", Param: "model", Code: "unsupported_dialect", NoRetry: true,
			Message: fmt.Sprintf("Model %q is served by %s, whose dialect %q this gateway does not speak yet.", x.head.Model, title(d.Profile()), d.Profile().Dialect),
		}
	}
	p, err := makePlan(x, d)
	if err != nil {
		return err
	}
	err = x.ask(d, p, key, held)
	if err == nil || x.committed || p.second == nil {
		return err
	}
	if p, err = p.second(err); err != nil {
		return err
	}
	x.refusal = nil
	return x.ask(d, p, key, held)
}

// ask makes one attempt as planned and passes on its answer.
func (x *exchange) ask(d *upstream.Deployment, p *plan, key string, held bool) *translate.Error {
	defer p.release()
	x.limits = p.limits
	if !p.pass {
		p.again = func(body []byte) (*http.Response, *translate.Error) { return x.sendAgain(d, p, body, key, held) }
	}
	resp, err := x.send(d, p, key, held)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return x.refused(d, p, resp, key, held)
	}
	return x.relay(d, p, resp, key)
}
