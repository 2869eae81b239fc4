package httpapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"tilld/internal/logging"
)

// Limits of a connection, whatever is asked on it.
const (
	headerTime = 5 * time.Second // for a request's head to arrive
	idleTime   = 2 * time.Minute // between two requests
	maxHeader  = 16 << 10
	// StopTime is how long requests that are running may take to end after a stop; then their lines are cut.
	StopTime = 5 * time.Second
)

type stopKey struct{}

// Serve answers on every listener until ctx ends, and returns once the last request has. Waits that use Waiting end at
// once, all else may finish within StopTime. The listeners are closed. Being told to stop is no error.
func Serve(ctx context.Context, h http.Handler, log *slog.Logger, ls ...net.Listener) error {
	if log == nil {
		log = slog.Default()
	}
	stop, stopped := context.WithCancel(context.Background())
	defer stopped()
	base := context.WithValue(context.WithoutCancel(ctx), stopKey{}, stop)
	base, cut := context.WithCancel(base)
	defer cut()
	var running sync.WaitGroup // hijacked lines are not the server's any more: we wait for them ourselves
	srv := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			running.Add(1)
			defer running.Done()
			h.ServeHTTP(w, r)
		}),
		ReadHeaderTimeout: headerTime, IdleTimeout: idleTime, MaxHeaderBytes: maxHeader,
		BaseContext: func(net.Listener) context.Context { return base },
		ConnContext: withPeer,
		ErrorLog:    slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	logging.NewDoor(log).Watch(srv)
	failed := make(chan error, len(ls))
	var accepting sync.WaitGroup
	for _, l := range ls {
		accepting.Go(func() {
			if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				failed <- fmt.Errorf("serve on %s: %w", l.Addr(), err)
			}
		})
	}
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	stopped()
	limit, done := context.WithTimeout(context.WithoutCancel(ctx), StopTime)
	defer done()
	if srv.Shutdown(limit) != nil {
		cut()
		_ = srv.Close()
	}
	accepting.Wait()
	ended := make(chan struct{})
	go func() { running.Wait(); close(ended) }() // ends with the handlers, whose contexts are cut below
	select {
	case <-ended:
	case <-limit.Done():
		cut()
		<-ended
	}
	return err
}

// Waiting is a request's context for a wait: it ends too when the server is told to stop. Call the function when the wait
// is over.
func Waiting(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	stop, ok := ctx.Value(stopKey{}).(context.Context)
	if !ok {
		return ctx, cancel
	}
	release := context.AfterFunc(stop, cancel)
	return ctx, func() { release(); cancel() }
}

// IsStopping says whether the server that runs this request has been told to stop.
func IsStopping(ctx context.Context) bool {
	stop, ok := ctx.Value(stopKey{}).(context.Context)
	return ok && stop.Err() != nil
}
