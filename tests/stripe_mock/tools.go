//go:build tools

// Names what go.sum locks: Stripe's own mock server, built by run.py.
package tools

import _ "github.com/stripe/stripe-mock"
