package boot

import (
	"runtime"
	"runtime/debug"
	"testing"
)

func TestVersion(t *testing.T) {
	on := runtime.GOOS + "/" + runtime.GOARCH
	for want, info := range map[string]debug.BuildInfo{
		"sample, go1.26.8 " + on: {GoVersion: "go1.26.8"},
		"sample (devel), commit abc of 2026-11-21T20:00:00Z with changes, go1.26.8 " + on: {
			GoVersion: "go1.26.8",
			Main:      debug.Module{Version: "(devel)"},
			Settings:  []debug.BuildSetting{{Key: "vcs.revision", Value: "abc"}, {Key: "vcs.time", Value: "2026-11-21T20:00:00Z"}, {Key: "vcs.modified", Value: "true"}},
		},
		"sample v1.2.3, go1.27 " + on: {GoVersion: "go1.27", Main: debug.Module{Version: "v1.2.3"}},
	} {
		if got := version("sample", &info); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
