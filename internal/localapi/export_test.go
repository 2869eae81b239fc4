package localapi

// Build is the API before it is a handler, for tests that look at its table of routes.
var Build = build
