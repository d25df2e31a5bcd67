package setup

import (
	"testing"

	"cairn/libos"
)

func TestMayLogin(t *testing.T) {
	for memory, want := range map[int64]bool{0: true, loginMemory: true, loginMemory - 1: false, 5 << 20: false} {
		if err := MayLogin(libos.Env{Memory: memory}); (err == nil) != want {
			t.Errorf("%d bytes: got %v", memory, err)
		}
	}
}

func TestRemoteMemory(t *testing.T) {
	for _, c := range []struct {
		memory int64
		args   []string
		want   int64
	}{
		{0, nil, 64 << 20},
		{30 << 20, nil, 10 << 20},
		{30 << 20, []string{"--remote", "x", "--remote-memory", "7"}, 7 << 20},
		{0, []string{"--remote", "x", "--remote-memory", "0"}, 0},
		{0, []string{"--remote", "x", "--remote-memory", "much"}, 0},
	} {
		env := parse(t, c.args...)
		env.Memory = c.memory
		got, err := remoteMemory(env)
		if got != c.want || (err == nil) != (c.want != 0) {
			t.Errorf("%d bytes, %q: got %d, %v, want %d", c.memory, c.args, got, err, c.want)
		}
	}
}
