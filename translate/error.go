package translate

import "time"

// ErrorClass sorts failures by what may be done about them.
type ErrorClass uint8

// The classes of errors.
const (
	// ErrorRequest: the client asked for something that cannot be done; asking again
	// gives the same answer.
	ErrorRequest ErrorClass = iota + 1
	// ErrorAuth: the key is wrong, revoked or not allowed.
	ErrorAuth
	// ErrorRateLimit: too many requests or tokens; later it may work.
	ErrorRateLimit
	// ErrorQuota: the account has no credit left; later it will not work either.
	ErrorQuota
	// ErrorNotFound: the provider does not know the model.
	ErrorNotFound
	// ErrorContextLength: the prompt is longer than the model's window.
	ErrorContextLength
	// ErrorContentPolicy: the provider refuses the content.
	ErrorContentPolicy
	// ErrorOverloaded: the provider is alive and has no capacity.
	ErrorOverloaded
	// ErrorServer: the provider failed.
	ErrorServer
	// ErrorTimeout: the provider took too long.
	ErrorTimeout
	// ErrorUpstream: the provider could not be reached or was not understood.
	ErrorUpstream
)

// Error is a failure as an OpenAI client must see it. It is an error.
type Error struct {
	Class ErrorClass
	// Status is the HTTP status for the client, as long as none has been sent.
	Status int
	// Message, Type, Param and Code are the envelope's; an empty Param or Code is
	// null there.
	Message, Type, Param, Code string
	// RetryAfter is how long the provider wants to be left alone; 0 if it does not
	// say.
	RetryAfter time.Duration
	// NoRetry says that the client must not try again by itself.
	NoRetry bool
	// Upstream is the status that the provider answered with; 0 if none.
	Upstream int
}

func (e *Error) Error() string { return e.Message }

// Retryable reports whether another deployment, or the same one later, may succeed
// where this one failed.
func (e *Error) Retryable() bool {
	switch e.Class {
	case ErrorRequest, ErrorContextLength, ErrorContentPolicy, 0:
		return false
	}
	return true
}

// BadRequest returns the error for a client's mistake: status 400, with the name of
// the field at fault (empty if there is none) and OpenAI's code for it.
func BadRequest(code, param, message string) *Error {
	return &Error{Class: ErrorRequest, Status: 400, Message: message, Type: "invalid_request_error", Param: param, Code: code}
}

// UpstreamError returns the error for an answer that cannot be used: status 502.
func UpstreamError(message string) *Error {
	return &Error{Class: ErrorUpstream, Status: 502, Message: message, Type: "upstream_error", Code: "bad_gateway"}
}
