package gemini

import (
	"strings"
	"testing"
	"time"

	"github.com/ai-proxy/caddy-ai-proxy/translate"
)

func TestParseError(t *testing.T) {
	t.Parallel()
	rpc := func(status, message, details string) string {
		return `{"error":{"code":null,"message":"` + message + `","status":"` + status + `","details":[` + details + `]}}`
	}
	const quota = `{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaId":"GenerateRequestsPer`
	retry := func(d string) string {
		return `{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"` + d + `"}`
	}
	for name, tc := range map[string]struct {
		status     int
		header     string
		body       string
		class      translate.ErrorClass
		wantStatus int
		code       string
		after      time.Duration
	}{
		"E-146 invalid key":        {400, "", rpc("INVALID_ARGUMENT", "no", `{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID"}`), translate.ErrorAuth, 401, "invalid_api_key", 0},
		"E-146 invalid key, text":  {400, "", rpc("INVALID_ARGUMENT", "API key expired. Please renew the API key.", ""), translate.ErrorAuth, 401, "invalid_api_key", 0},
		"E-145 context length":     {400, "", rpc("INVALID_ARGUMENT", "The input token count (1048577) exceeds the maximum number of tokens allowed (1048576).", ""), translate.ErrorContextLength, 400, "context_length_exceeded", 0},
		"invalid argument":         {400, "", rpc("INVALID_ARGUMENT", "bad", ""), translate.ErrorRequest, 400, "invalid_value", 0},
		"location":                 {400, "", rpc("FAILED_PRECONDITION", "User location is not supported for the API use.", ""), translate.ErrorAuth, 403, "unsupported_country_region_territory", 0},
		"billing":                  {400, "", rpc("FAILED_PRECONDITION", "Please enable billing.", ""), translate.ErrorAuth, 403, "permission_denied", 0},
		"unauthenticated":          {401, "", rpc("UNAUTHENTICATED", "who?", ""), translate.ErrorAuth, 401, "invalid_api_key", 0},
		"permission":               {403, "", rpc("PERMISSION_DENIED", "Your API key was reported as leaked.", ""), translate.ErrorAuth, 403, "permission_denied", 0},
		"not found":                {404, "", rpc("NOT_FOUND", "no such model", ""), translate.ErrorNotFound, 404, "model_not_found", 0},
		"conflict":                 {409, "", rpc("ABORTED", "again", ""), translate.ErrorServer, 409, "", 0},
		"too large":                {413, "", `<html>413</html>`, translate.ErrorRequest, 413, "request_too_large", 0},
		"E-143 retry info":         {429, "60", rpc("RESOURCE_EXHAUSTED", "Please retry in 48.9s.", retry("1.5s")), translate.ErrorRateLimit, 429, "rate_limit_exceeded", 1500 * time.Millisecond},
		"E-143 retry in the text":  {429, "", rpc("RESOURCE_EXHAUSTED", "Please retry in 48.5s.", ""), translate.ErrorRateLimit, 429, "rate_limit_exceeded", 48500 * time.Millisecond},
		"E-143 milliseconds":       {429, "", rpc("RESOURCE_EXHAUSTED", "Please retry in 750ms.", ""), translate.ErrorRateLimit, 429, "rate_limit_exceeded", 750 * time.Millisecond},
		"E-143 retry header":       {429, "7", rpc("RESOURCE_EXHAUSTED", "slow", ""), translate.ErrorRateLimit, 429, "rate_limit_exceeded", 7 * time.Second},
		"per minute":               {429, "", rpc("RESOURCE_EXHAUSTED", "slow", quota+`MinutePerProject"}]},`+retry("37s")), translate.ErrorRateLimit, 429, "rate_limit_exceeded", 37 * time.Second},
		"E-144 per day":            {429, "", rpc("RESOURCE_EXHAUSTED", "slow", quota+`DayPerProject"}]},`+retry("37s")), translate.ErrorQuota, 429, "insufficient_quota", 0},
		"cancelled":                {499, "", rpc("CANCELLED", "stop", ""), translate.ErrorServer, 499, "cancelled", 0},
		"internal":                 {500, "", rpc("INTERNAL", "oops", ""), translate.ErrorServer, 500, "", 0},
		"data loss":                {500, "", rpc("DATA_LOSS", "oops", ""), translate.ErrorServer, 500, "", 0},
		"unimplemented":            {501, "", rpc("UNIMPLEMENTED", "not here", ""), translate.ErrorRequest, 400, "unsupported_value", 0},
		"unavailable":              {503, "", rpc("UNAVAILABLE", "The model is overloaded.", ""), translate.ErrorOverloaded, 503, "overloaded", 0},
		"deadline":                 {504, "", rpc("DEADLINE_EXCEEDED", "late", ""), translate.ErrorTimeout, 504, "upstream_timeout", 0},
		"in an array":              {429, "", `[` + rpc("RESOURCE_EXHAUSTED", "slow", retry("2s")) + `]`, translate.ErrorRateLimit, 429, "rate_limit_exceeded", 2 * time.Second},
		"status before HTTP":       {400, "", rpc("UNAVAILABLE", "overloaded", ""), translate.ErrorOverloaded, 503, "overloaded", 0},
		"code without status":      {200, "", `{"error":{"code":503,"message":"x"}}`, translate.ErrorOverloaded, 503, "overloaded", 0},
		"error as text":            {404, "", `{"error":"gone"}`, translate.ErrorNotFound, 404, "model_not_found", 0},
		"E-123 HTML":               {502, "", `<!DOCTYPE html><title>502</title>`, translate.ErrorUpstream, 502, "bad_gateway", 0},
		"E-123 plain text":         {503, "3", "upstream connect error", translate.ErrorOverloaded, 503, "overloaded", 3 * time.Second},
		"nothing":                  {500, "", "", translate.ErrorServer, 500, "", 0},
		"E-139 odd members":        {400, "", `{"error":{"code":"400","message":5,"status":null,"details":{}}}`, translate.ErrorRequest, 400, "invalid_value", 0},
		"E-141 unknown 4xx stays":  {418, "", `{}`, translate.ErrorRequest, 400, "invalid_value", 0},
		"an absurd delay is bound": {429, "1e300", `{}`, translate.ErrorRateLimit, 429, "rate_limit_exceeded", 24 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := ParseError(tc.status, func(h string) string {
				if h == "Retry-After" {
					return tc.header
				}
				return ""
			}, []byte(tc.body))
			if err.Class != tc.class || err.Status != tc.wantStatus || err.Code != tc.code || err.RetryAfter != tc.after || err.Upstream != tc.status {
				t.Errorf("got %+v", err)
			}
			if err.Message == "" || err.Type == "" || strings.ContainsAny(err.Message, "<>") {
				t.Errorf("message %q, type %q", err.Message, err.Type)
			}
			if err.NoRetry != (tc.class == translate.ErrorQuota) {
				t.Errorf("NoRetry is %t", err.NoRetry)
			}
		})
	}
}

func TestMessagesShowNoKeys(t *testing.T) {
	t.Parallel()
	key := "AIzaSyA1234567890123456789012345678901"
	err := ParseError(400, nil, []byte(`{"error":{"message":"key `+key+` and ya29.a0AfB_byC1234567890-abc AIza"}}`))
	if want := "key [key] and [key] AIza"; err.Message != want {
		t.Errorf("message %q, want %q", err.Message, want)
	}
	long := ParseError(400, nil, []byte(`{"error":{"message":"`+strings.Repeat("é", 10000)+`"}}`))
	if len(long.Message) > maxMessage+3 {
		t.Errorf("message of %d bytes", len(long.Message))
	}
}
