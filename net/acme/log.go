package acme

import (
	"context"
	"log/slog"
)

// quiet returns a logger for a library that logs every step, and every error
// that it also returns: all of it is for debugging.
func quiet(log *slog.Logger) *slog.Logger { return slog.New(demoted{log.Handler()}) }

// demoted handles records at the level of debugging.
type demoted struct{ slog.Handler }

func (d demoted) Enabled(ctx context.Context, _ slog.Level) bool {
	return d.Handler.Enabled(ctx, slog.LevelDebug)
}

func (d demoted) Handle(ctx context.Context, r slog.Record) error {
	r.Level = slog.LevelDebug
	return d.Handler.Handle(ctx, r)
}

func (d demoted) WithAttrs(attrs []slog.Attr) slog.Handler {
	return demoted{d.Handler.WithAttrs(attrs)}
}

func (d demoted) WithGroup(name string) slog.Handler { return demoted{d.Handler.WithGroup(name)} }
