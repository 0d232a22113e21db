package aiproxy

import (
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/ai-proxy/caddy-ai-proxy/providers"
	"github.com/ai-proxy/caddy-ai-proxy/translate/jsonscan"
)

// listing answers GET /v1/models. It is made on first use, because the presets have
// hundreds of models and most gateways are never asked.
type listing struct {
	router  *router
	created int64
	make    func() []byte
}

func newListing(rt *router, now time.Time) *listing {
	l := &listing{router: rt, created: now.Unix()}
	l.make = sync.OnceValue(l.all)
	return l
}

func (l *listing) all() []byte {
	out := []byte(`{"object":"list","data":[`)
	for i, name := range l.router.allNames() {
		if i > 0 {
			out = append(out, ',')
		}
		out = l.appendModel(out, name)
	}
	return append(out, "]}"...)
}

// appendModel appends OpenAI's model object, with the members context_length,
// max_output_tokens and pricing (US dollars for one token) that other gateways and
// their clients know.
func (l *listing) appendModel(out []byte, name string) []byte {
	owner, facts := l.facts(name)
	created := l.created
	if t, err := time.Parse(time.DateOnly, facts.Released); err == nil {
		created = t.Unix()
	}
	out = append(out, `{"id":`...)
	out = jsonscan.Quote(out, name)
	out = append(out, `,"object":"model","created":`...)
	out = strconv.AppendInt(out, created, 10)
	out = append(out, `,"owned_by":`...)
	out = jsonscan.Quote(out, owner)
	if facts.Context > 0 {
		out = strconv.AppendInt(append(out, `,"context_length":`...), int64(facts.Context), 10)
	}
	if facts.MaxOutput > 0 {
		out = strconv.AppendInt(append(out, `,"max_output_tokens":`...), int64(facts.MaxOutput), 10)
	}
	if facts.Price != nil {
		out = appendPrice(append(out, `,"pricing":{"prompt":"`...), facts.Price.Input)
		out = appendPrice(append(out, `","completion":"`...), facts.Price.Output)
		out = append(out, `"}`...)
	}
	return append(out, '}')
}

// appendPrice appends the price of one token. Prices are round numbers per million, so
// twelve digits are exact, and without the noise of a division.
func appendPrice(out []byte, perMillion float64) []byte {
	return strconv.AppendFloat(out, math.Round(perMillion*1e6)/1e12, 'f', -1, 64)
}

// facts returns the provider that serves a name first, and what is known of the model.
func (l *listing) facts(name string) (owner string, facts providers.Model) {
	rt := l.router.known(name)
	if rt == nil {
		// Not kept: there are hundreds of names, and few are asked for.
		if rt, _ = l.router.workOut(name); rt == nil || len(rt.deployments) == 0 {
			return "", providers.Model{}
		}
	}
	d := rt.deployments[0]
	facts, _ = providers.Lookup(d.Profile().Type, d.Model)
	return d.Name, facts
}

// serve answers GET /v1/models, or GET /v1/models/{id} if id is not empty.
func (l *listing) serve(x *exchange, id string) {
	var body []byte
	if id == "" {
		body = l.make()
	} else {
		if _, err := l.router.resolve(id); err != nil {
			x.fail(err)
			return
		}
		body = l.appendModel(nil, id)
	}
	h := x.w.Header()
	x.setRequestID(h)
	setJSON(h, len(body))
	x.committed = true
	x.w.WriteHeader(http.StatusOK)
	_, _ = x.w.Write(body) // a client that is gone needs no answer
}
