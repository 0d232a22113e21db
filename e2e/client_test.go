package e2e

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"testing"

	"github.com/quic-go/quic-go/http3"
)

// protocols are the versions of HTTP that clients speak to the gateway.
var protocols = []string{"HTTP/1.1", "HTTP/2.0", "HTTP/3.0"}

// newClient returns a client that speaks one version of HTTP, and trusts the authority.
// It neither asks for compression nor follows redirects by itself.
func newClient(t *testing.T, protocol string, authority *x509.CertPool) *http.Client {
	t.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	config := &tls.Config{RootCAs: authority, MinVersion: tls.VersionTLS12}
	if protocol == "HTTP/3.0" {
		transport := &http3.Transport{TLSClientConfig: config, DisableCompression: true}
		t.Cleanup(func() { transport.Close() })
		client.Transport = transport
		return client
	}
	transport := &http.Transport{TLSClientConfig: config, DisableCompression: true, Protocols: new(http.Protocols)}
	if protocol == "HTTP/2.0" {
		transport.Protocols.SetHTTP2(true)
	} else {
		transport.Protocols.SetHTTP1(true)
	}
	t.Cleanup(transport.CloseIdleConnections)
	client.Transport = transport
	return client
}

// clientKey is the key of clients in tests that are not about keys.
const clientKey = "client-key-0123456789"

// post sends a JSON body. The caller closes the answer's.
func post(t *testing.T, ctx context.Context, client *http.Client, url string, body []byte, header ...string) (*http.Response, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+clientKey)
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	return client.Do(req)
}

// answer is a whole answer, as far as it came.
type answer struct {
	status int
	proto  string
	header http.Header
	body   []byte
	err    error // of reading the body
}

// exchange sends a JSON body and reads the whole answer.
func exchange(t *testing.T, client *http.Client, url string, body []byte, header ...string) *answer {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	resp, err := post(t, ctx, client, url, body, header...)
	if err != nil {
		t.Fatalf("no answer: %v", err)
	}
	return readAll(resp)
}

func readAll(resp *http.Response) *answer {
	defer resp.Body.Close()
	a := &answer{status: resp.StatusCode, proto: resp.Proto, header: resp.Header}
	a.body, a.err = io.ReadAll(resp.Body)
	return a
}

// fetch sends a request without a body and reads the whole answer.
func fetch(t *testing.T, client *http.Client, method, url string, header ...string) *answer {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatalf("no answer: %v", err)
	}
	return readAll(resp)
}
