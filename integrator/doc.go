// Package integrator is the money side: rules over a store. It answers the calls of boxes, executes the bill's table
// (payment/bill), talks to providers outside of every transaction and works off what is owed. It opens no socket and
// holds no state of its own that a restart could miss: the store is the truth, and every wake-up may be lost.
package integrator
