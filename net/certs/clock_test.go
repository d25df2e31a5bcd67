package certs

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"runtime/debug"
	"testing"
	"time"
)

func TestCheckClock(t *testing.T) {
	made := time.Date(2026, 11, 21, 20, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		now, built time.Time
		want       string
	}{
		{made, made, ""},
		{made.Add(time.Hour), made, ""},
		{time.Unix(0, 0), time.Time{}, ""}, // nobody knows
		{made.Add(-time.Second), made, "no TLS: the clock says 2026-11-21T19:59:59Z, which is before this program was made, 2026-11-21T20:00:00Z; set the clock"},
	} {
		got := ""
		if err := checkClock(c.now, c.built); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("at %v, built %v: got %q, want %q", c.now, c.built, got, c.want)
		}
	}
}

func TestCommitTime(t *testing.T) {
	for text, want := range map[string]time.Time{
		"2026-11-21T20:00:00Z": time.Date(2026, 11, 21, 20, 0, 0, 0, time.UTC),
		"yesterday":            {},
	} {
		info := &debug.BuildInfo{Settings: []debug.BuildSetting{{Key: "vcs", Value: "git"}, {Key: "vcs.time", Value: text}}}
		if got := commitTime(info); !got.Equal(want) {
			t.Errorf("%s: got %v, want %v", text, got, want)
		}
	}
	if got := commitTime(&debug.BuildInfo{}); !got.IsZero() {
		t.Errorf("without: got %v", got)
	}
}

// TestClockBehind has servers and clients of a program that was made tomorrow shake hands.
func TestClockBehind(t *testing.T) {
	own := authority(t, seed, "example.org")
	roots := x509.NewCertPool()
	roots.AddCert(own.Root())
	ours := ClientConfig(roots)
	ours.ServerName = "example.org"
	theirs := &tls.Config{RootCAs: roots, ServerName: "example.org"}
	pair, err := own.GetCertificate(&tls.ClientHelloInfo{ServerName: "example.org"})
	if err != nil {
		t.Fatal(err)
	}
	stranger := &tls.Config{Certificates: []tls.Certificate{*pair}}
	known := built
	t.Cleanup(func() { built = known })
	for _, ahead := range []time.Duration{-time.Hour, 24 * time.Hour, 200 * 365 * 24 * time.Hour} {
		when := time.Now().Add(ahead)
		built = func() time.Time { return when }
		for what, configs := range map[string][2]*tls.Config{"server": {Config(own), theirs}, "client": {stranger, ours}} {
			_, err := shake(configs[0], configs[1])
			wrong, refused := errors.AsType[*ClockError](err)
			switch {
			case ahead < 0 && err != nil:
				t.Errorf("%s, the clock well: got %v", what, err)
			case ahead == 24*time.Hour && (!refused || !wrong.Built.Equal(when)):
				t.Errorf("%s, a day behind: got %v, want a ClockError", what, err)
			case ahead > 0 && err == nil:
				t.Errorf("%s, %v behind: got no error", what, ahead)
			}
		}
	}
}
