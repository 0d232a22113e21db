package aiproxy

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"syscall"
	"time"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
)

// Bounds of what is fetched for providers that take no URLs.
const (
	maxMediaSize  = 20 << 20
	maxMediaTotal = 64 << 20 // of one request
	maxMediaCount = 16
	maxRedirects  = 3
	mediaTimeout  = 15 * time.Second
)

// mediaClient fetches what clients name. Clients are not trusted with the gateway's
// place in the network, so it connects to public addresses only; the check is made on
// the address that is dialled, after names are resolved and for every redirect.
var mediaClient = &http.Client{
	Timeout: mediaTimeout,
	Transport: &http.Transport{
		DialContext:            (&net.Dialer{Timeout: 5 * time.Second, Control: publicOnly}).DialContext,
		TLSHandshakeTimeout:    5 * time.Second,
		MaxIdleConns:           16,
		IdleConnTimeout:        30 * time.Second,
		ForceAttemptHTTP2:      true,
		DisableCompression:     true,
		MaxResponseHeaderBytes: 64 << 10,
	},
	CheckRedirect: func(_ *http.Request, via []*http.Request) error {
		if len(via) > maxRedirects {
			return errors.New("too many redirects")
		}
		return nil
	},
}

var errPrivate = errors.New("not a public address")

// publicOnly refuses connections to anything but public unicast addresses.
func publicOnly(_, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: %s", errPrivate, address)
	}
	// A zone says nothing about the address, but hides it from comparisons.
	if a := ap.Addr().WithZone("").Unmap(); !isPublic(a) {
		return fmt.Errorf("%w: %s", errPrivate, a)
	}
	return nil
}

// globalUnicast is all that IANA has given out of IPv6.
var globalUnicast = netip.MustParsePrefix("2000::/3")

// notPublic are networks that are not on the public internet though netip has no word
// for them: shared and benchmark networks, documentation, translation and reserved
// ranges (IANA's special-purpose registries), and the one public address behind which
// a cloud keeps its metadata (Azure).
var notPublic = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"), netip.MustParsePrefix("192.0.2.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("192.88.99.0/24"), netip.MustParsePrefix("168.63.129.16/32"),
	netip.MustParsePrefix("2001::/23"), netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("3fff::/20"),
}

func isPublic(a netip.Addr) bool {
	if !a.IsGlobalUnicast() || a.IsPrivate() || a.Is6() && !globalUnicast.Contains(a) {
		return false
	}
	for _, p := range notPublic {
		if p.Contains(a) {
			return false
		}
	}
	return true
}

// fetchMedia fetches the media that a provider wants as bytes, and puts them in place
// of their URLs.
func (x *exchange) fetchMedia(media []*translate.Media) *translate.Error {
	if len(media) > maxMediaCount {
		return translate.BadRequest("too_many_images", "messages", fmt.Sprintf("At most %d files can be given by URL to this model.", maxMediaCount))
	}
	left := maxMediaTotal
	for _, m := range media {
		size, err := fetchOne(x.r.Context(), x.h.media, m, min(maxMediaSize, left))
		if left -= size; err != nil {
			if x.r.Context().Err() != nil {
				return errClientGone
			}
			return translate.BadRequest("invalid_image_url", "messages", fmt.Sprintf("A file given by URL could not be fetched: %s.", reason(err)))
		}
	}
	return nil
}

// reason says why something was not fetched, without telling a client what stands
// where in the gateway's network.
func reason(err error) string {
	var timeout net.Error
	switch {
	case errors.Is(err, errPrivate):
		return "its address is not a public one"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "it took too long"
	}
	if refused, ok := errors.AsType[*mediaError](err); ok {
		return refused.msg
	}
	return "the server could not be reached"
}

type mediaError struct{ msg string }

func (e *mediaError) Error() string { return e.msg }

// fetchOne puts at most limit bytes of media in place of their URL, and returns how many
// there are.
func fetchOne(ctx context.Context, client *http.Client, m *translate.Media, limit int) (size int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, m.URL, nil)
	if err != nil || req.URL.Scheme != "https" && req.URL.Scheme != "http" || req.URL.User != nil {
		return 0, &mediaError{"its URL is not valid"}
	}
	req.Header.Set("User-Agent", "ai_proxy")
	req.Header.Set("Accept", "image/*, audio/*, video/*, application/pdf, text/plain")
	resp, err := client.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return 0, &mediaError{fmt.Sprintf("the server answered with status %d", resp.StatusCode)}
	}
	if resp.Header.Get("Content-Encoding") != "" {
		return 0, &mediaError{"it is compressed"}
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, int64(limit)+1))
	switch {
	case err != nil:
		return 0, err
	case len(body) == 0:
		return 0, &mediaError{"it is empty"}
	case len(body) > limit:
		return 0, &mediaError{fmt.Sprintf("it is larger than the %d bytes allowed for one file and %d for all", maxMediaSize, maxMediaTotal)}
	}
	kind := mediaType(resp.Header.Get("Content-Type"), body)
	if kind == "" {
		return 0, &mediaError{"it is neither an image, audio, video, text nor PDF"}
	}
	m.URL, m.MIME, m.Data = "", kind, base64.StdEncoding.EncodeToString(body)
	return len(body), nil
}

// mediaType returns the media type of a file, going by its first bytes where they tell
// more than the server; "" for a type that no provider takes.
func mediaType(header string, body []byte) string {
	kind, _, _ := strings.Cut(header, ";")
	kind = strings.ToLower(strings.TrimSpace(kind))
	if sniffed, _, _ := strings.Cut(http.DetectContentType(body), ";"); sniffed != "application/octet-stream" && sniffed != "text/plain" {
		kind = sniffed
	}
	for _, ok := range []string{"image/", "audio/", "video/", "application/pdf", "text/plain"} {
		if strings.HasPrefix(kind, ok) {
			return kind
		}
	}
	return ""
}
