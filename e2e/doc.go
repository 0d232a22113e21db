// Package e2e drives the real binary from outside: official clients over HTTPS in front
// of it, recorded and misbehaving providers behind it.
package e2e
