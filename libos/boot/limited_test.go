package boot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"

	"cairn/libos"
)

// TestLimited serves and dials what the manifest names, and tries the rest.
func TestLimited(t *testing.T) {
	peer, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	status, out, errs := runSample(t, "--home /srv --peer "+peer.Addr().String(), func(ctx context.Context, env libos.Env) error {
		l, err := env.Listen(ctx, "listen")
		if err != nil {
			return err
		}
		defer l.Close()
		c, err := env.Net.Dial(ctx, "tcp", peer.Addr().String())
		if err != nil {
			return err
		}
		defer c.Close()
		if _, err := env.Net.Dial(ctx, "tcp", other.Addr().String()); !refused(err) {
			return fmt.Errorf("dial of somebody else: got %v", err)
		}
		if _, err := env.Net.Listen(ctx, "tcp", "127.0.0.1:9"); !refused(err) {
			return fmt.Errorf("listen elsewhere: got %v", err)
		}
		_, err = io.WriteString(env.Out, env.State)
		return err
	})
	if status != 0 || out != "/srv" || errs != "" {
		t.Errorf("got status %d, %q and %q, want 0 and /srv", status, out, errs)
	}
}

func refused(err error) bool {
	_, ok := errors.AsType[*libos.RefusedError](err)
	return ok
}
