package aiproxy

import (
	"compress/gzip"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
)

func TestOnlyPublicAddressesAreDialled(t *testing.T) {
	t.Parallel()
	for address, public := range map[string]bool{
		"8.8.8.8:443": true, "[2606:4700::1111]:443": true, "[::ffff:8.8.8.8]:443": true, "[2001:4860:4860::8888]:443": true,

		"127.0.0.1:80": false, "127.8.9.1:80": false, "0.0.0.0:80": false, "0.1.2.3:80": false, "10.0.0.1:80": false, "172.16.0.1:80": false,
		"172.31.255.255:80": false, "192.168.0.1:80": false, "169.254.169.254:80": false, "100.64.0.1:80": false, "100.100.100.200:80": false,
		"168.63.129.16:80": false, "192.0.0.192:80": false, "192.0.2.1:80": false, "192.88.99.1:80": false, "198.18.0.1:80": false, "198.51.100.1:80": false,
		"203.0.113.1:80": false, "224.0.0.1:80": false, "240.0.0.1:80": false, "255.255.255.255:80": false,
		"[::]:80": false, "[::1]:80": false, "[::ffff:10.0.0.1]:80": false, "[::ffff:127.0.0.1]:80": false, "[::ffff:169.254.169.254]:80": false,
		"[::127.0.0.1]:80": false, "[::ffff:0:127.0.0.1]:80": false, "[fe80::1]:80": false, "[fe80::1%eth0]:80": false, "[fec0::1]:80": false, "[fd00:ec2::254]:80": false,
		"[ff02::1]:80": false, "[64:ff9b::10.0.0.1]:80": false, "[64:ff9b::10.0.0.1%eth0]:80": false, "[64:ff9b:1::1]:80": false, "[2002:a00:1::]:80": false,
		"[2002:a00:1::%eth0]:80": false, "[2001::1]:80": false, "[2001:db8::1]:80": false, "[3fff::1]:80": false, "[5f00::1]:80": false, "[100::1]:80": false,
		"nonsense": false, "localhost:80": false,
	} {
		err := publicOnly("tcp", address, nil)
		if (err == nil) != public || err != nil && !errors.Is(err, errPrivate) {
			t.Errorf("%s: %v, public is %v", address, err, public)
		}
	}
}

// The addresses of the standard's registries that netip knows are as private as those
// that the list has.
func TestListOfNetworksIsOfNetworks(t *testing.T) {
	t.Parallel()
	for _, p := range notPublic {
		if p != p.Masked() || isPublic(p.Addr()) {
			t.Errorf("%v", p)
		}
	}
	if isPublic(netip.Addr{}) {
		t.Error("no address is public")
	}
}

func TestPrivateAddressesAreNotFetched(t *testing.T) {
	t.Parallel()
	asked := false
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	defer srv.Close()
	_, port, _ := strings.Cut(strings.TrimPrefix(srv.URL, "http://"), ":")
	for _, host := range []string{"127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0"} {
		err := (&exchange{h: &Handler{media: mediaClient}, r: httptest.NewRequest(http.MethodPost, "/", nil)}).fetchMedia([]*translate.Media{{URL: "http://" + host + ":" + port + "/x.png"}})
		if err == nil || err.Status != 400 || err.Code != "invalid_image_url" || err.Param != "messages" {
			t.Errorf("%s: %+v", host, err)
			continue
		}
		if strings.Contains(err.Message, "127") || strings.Contains(err.Message, port) {
			t.Errorf("%s: the error tells what stands where: %s", host, err.Message)
		}
	}
	if asked {
		t.Error("a private address was asked")
	}
}

// mediaFrom makes the client of this test reach server where others reach the internet,
// but through the same checks.
func mediaFrom(t *testing.T, server http.HandlerFunc) *exchange {
	t.Helper()
	x := &exchange{r: httptest.NewRequest(http.MethodPost, "/", nil)}
	x.h = &Handler{media: &http.Client{CheckRedirect: mediaClient.CheckRedirect, Transport: roundTrip(func(req *http.Request) (*http.Response, error) {
		if req.URL.Scheme != "http" && req.URL.Scheme != "https" {
			return nil, fmt.Errorf("unsupported protocol scheme %q", req.URL.Scheme)
		}
		if a, err := netip.ParseAddr(req.URL.Hostname()); err == nil {
			if err := publicOnly("tcp", netip.AddrPortFrom(a, 80).String(), nil); err != nil {
				return nil, err
			}
		}
		if err := req.Context().Err(); err != nil {
			return nil, err
		}
		w := httptest.NewRecorder()
		server(w, req)
		return w.Result(), nil
	})}}
	return x
}

const pngHead = "\x89PNG\r\n\x1a\n"

func TestMediaIsFetched(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		contentType, body string
		mime              string
	}{
		"png":                      {"image/png", pngHead, "image/png"},
		"what it is, not its name": {"image/jpeg", pngHead, "image/png"},
		"parameters":               {"Text/Plain; charset=utf-8", "hello", "text/plain"},
		"pdf without a type":       {"", "%PDF-1.7", "application/pdf"},
		"type nobody can sniff":    {"audio/flac", "fLaC\x00\x01\x02", "audio/flac"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := &translate.Media{URL: "https://example.com/x"}
			x := mediaFrom(t, func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Authorization") != "" || r.Method != http.MethodGet {
					t.Errorf("%s with %v", r.Method, r.Header)
				}
				w.Header().Set("Content-Type", tc.contentType)
				_, _ = io.WriteString(w, tc.body)
			})
			if err := x.fetchMedia([]*translate.Media{m}); err != nil {
				t.Fatal(err)
			}
			data, err := base64.StdEncoding.DecodeString(m.Data)
			if err != nil || string(data) != tc.body || m.MIME != tc.mime || m.URL != "" {
				t.Errorf("got %q as %s from %q (%v)", data, m.MIME, m.URL, err)
			}
		})
	}
}

func TestMediaThatIsRefused(t *testing.T) {
	t.Parallel()
	big := strings.Repeat("x", 1<<20)
	redirect := func(to string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to, http.StatusFound) }
	}
	for name, tc := range map[string]struct {
		url    string
		server http.HandlerFunc
		says   string
	}{
		"not HTTP":              {"file:///etc/passwd", nil, "not valid"},
		"no URL":                {"http://[", nil, "not valid"},
		"credentials":           {"https://user:secret@example.com/", nil, "not valid"},
		"status":                {"https://example.com/", http.NotFound, "status 404"},
		"page":                  {"https://example.com/", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html><body>hi") }, "neither an image"},
		"empty":                 {"https://example.com/", func(http.ResponseWriter, *http.Request) {}, "empty"},
		"archive":               {"https://example.com/", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "PK\x03\x04abc") }, "neither an image"},
		"redirect inside":       {"https://example.com/", redirect("http://169.254.169.254/latest/meta-data/"), "not a public one"},
		"redirect to a file":    {"https://example.com/", redirect("file:///etc/passwd"), "could not be reached"},
		"redirects without end": {"https://example.com/", redirect("https://example.com/again"), "could not be reached"},
		"too large": {"https://example.com/", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "image/png")
			for range 21 {
				_, _ = io.WriteString(w, big)
			}
		}, "larger than"},
		"compressed": {"https://example.com/", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			w.Header().Set("Content-Type", "image/png")
			z := gzip.NewWriter(w)
			_, _ = io.WriteString(z, pngHead)
			_ = z.Close()
		}, "compressed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := mediaFrom(t, tc.server).fetchMedia([]*translate.Media{{URL: tc.url}})
			if err == nil || err.Status != 400 || err.Code != "invalid_image_url" || !strings.Contains(err.Message, tc.says) {
				t.Errorf("got %+v, want words of %q", err, tc.says)
			}
			if err != nil && (strings.Contains(err.Message, "169.254") || strings.Contains(err.Message, "secret")) {
				t.Errorf("it says too much: %s", err.Message)
			}
		})
	}
}

func TestMediaIsBoundedTogether(t *testing.T) {
	t.Parallel()
	asked := 0
	piece := pngHead + strings.Repeat("x", 16<<20)
	x := mediaFrom(t, func(w http.ResponseWriter, _ *http.Request) {
		asked++
		_, _ = io.WriteString(w, piece)
	})
	media := make([]*translate.Media, maxMediaCount)
	for i := range media {
		media[i] = &translate.Media{URL: "https://example.com/"}
	}
	if err := x.fetchMedia(media); err == nil || !strings.Contains(err.Message, "larger than") || asked > maxMediaTotal>>24+1 {
		t.Errorf("%d files were fetched: %v", asked, err)
	}
	if err := x.fetchMedia(append(slices.Clip(media), media[0])); err == nil || err.Code != "too_many_images" {
		t.Errorf("too many files: %v", err)
	}
}

func TestClientThatLeavesEndsTheFetch(t *testing.T) {
	t.Parallel()
	ctx, leave := context.WithCancel(t.Context())
	x := mediaFrom(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, pngHead) })
	x.r = x.r.WithContext(ctx)
	leave()
	if err := x.fetchMedia([]*translate.Media{{URL: "https://example.com/"}}); err != errClientGone {
		t.Errorf("got %v", err)
	}
}

func TestReasonsForNotFetching(t *testing.T) {
	t.Parallel()
	for want, err := range map[string]error{
		"its address is not a public one": &url.Error{Err: fmt.Errorf("dial: %w", errPrivate)},
		"it took too long":                &url.Error{Err: context.DeadlineExceeded},
		"the server could not be reached": &url.Error{Err: io.ErrUnexpectedEOF},
		"x":                               &url.Error{Err: &mediaError{"x"}},
	} {
		if got := reason(err); got != want {
			t.Errorf("%v: %q, want %q", err, got, want)
		}
	}
}

func TestImageByURLReachesGeminiAsBytes(t *testing.T) {
	t.Parallel()
	wantError(t, chat(t, serve(t, "provider gemini {\napi_key held-key-0123456789\n}"), `{"model":"gemini-2.5-pro","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"http://127.0.0.1:1/x.png"}}]}]}`), 400, "invalid_image_url", "messages")
}
