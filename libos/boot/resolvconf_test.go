package boot

import (
	"fmt"
	"testing"
)

func TestParseResolvConf(t *testing.T) {
	for text, want := range map[string]string{
		"": "[127.0.0.1:53]",
		"# a comment\nsearch example.org\nnameserver 192.0.2.1 # here\n nameserver fe80::1%eth0\noptions edns0":            "[192.0.2.1:53 [fe80::1%eth0]:53]",
		"nameserver\nnameserver x\nnameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\nnameserver 192.0.2.4": "[192.0.2.1:53 192.0.2.2:53 192.0.2.3:53]",
	} {
		if got := fmt.Sprint(parseResolvConf(text)); got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
}

func FuzzParseResolvConf(f *testing.F) {
	f.Add("nameserver 192.0.2.1\nnameserver fe80::1%eth0\n")
	f.Fuzz(func(t *testing.T, text string) {
		if n := len(parseResolvConf(text)); n < 1 || n > 3 {
			t.Errorf("got %d servers", n)
		}
	})
}
