package gitwire

import (
	"strings"
	"testing"

	"cairn/store"
)

// FuzzReport: a report moves a ref only if it says so.
func FuzzReport(f *testing.F) {
	f.Add(script(nil, "unpack ok", "ok refs/heads/a", "ng refs/heads/b no", "0000"))
	f.Add(script(nil, "unpack ok", "ok refs/heads/a", "option refname refs/heads/b", "ok refs/heads/b", "0000"))
	f.Add(script(nil, "unpack broken", "0000"))
	f.Add(script(nil, "ERR no"))
	f.Fuzz(func(t *testing.T, data []byte) {
		commands := []Command{{Name: "refs/heads/a"}, {Name: "refs/heads/b"}}
		rep, err := readReport(newPktReader(strings.NewReader(string(data))), commands)
		if err != nil {
			return
		}
		err = rep.verdict(commands, true)
		for _, c := range commands {
			said := strings.Contains(string(data), "ok "+c.Name)
			if err == nil && !said {
				t.Errorf("got no error, want one: %q says nothing of %s", data, c.Name)
			}
		}
	})
}

// FuzzFetchAnswer: sections, acknowledgments and shallow lines of both protocols. What
// is accepted hangs together.
func FuzzFetchAnswer(f *testing.F) {
	objs, tip := chain(100, "text")
	pack := packOf(f, objs...)
	old, _ := parseHash(strings.Repeat("12", 20))
	more, _ := chain(200, "more", tip)
	f.Add(true, 1, append(script(nil, "shallow-info", "shallow "+tip.String(), "0001"), script(pack, "packfile")...))
	f.Add(true, 0, append(script(nil, "acknowledgments", "ACK "+tip.String(), "ready", "0001"), script(pack, "packfile")...))
	f.Add(true, 0, script(nil, "acknowledgments", "NAK", "0000"))
	f.Add(false, 1, append(script(nil, "shallow "+tip.String(), "unshallow "+old.String(), "0000"), script(pack, "NAK")...))
	f.Add(false, 0, script(pack, "ACK "+tip.String()+" common", "ACK "+tip.String()+" ready", "NAK", "ACK "+tip.String()))
	f.Add(false, 0, script(packOf(f, more...), "ACK "+tip.String()))
	f.Fuzz(func(t *testing.T, v2 bool, depth int, answer []byte) {
		hello := script(nil, tip.String()+" refs/heads/main\x00side-band-64k shallow multi_ack_detailed no-done filter allow-any-sha1-in-want", "0000")
		if v2 {
			hello = script(nil, "version 2", "ls-refs", "fetch=shallow filter", "0000")
		}
		b := newMemory(t)
		client := &Client{
			HTTP:   &rawRemote{hello, answer, answer},
			Limits: store.Limits{PackBytes: 1 << 20, ObjectBytes: 1 << 20, TotalBytes: 4 << 20, Objects: 1000},
		}
		r := remoteOf(t, client, "http://example.org/r")
		got, err := r.Fetch(t.Context(), FetchRequest{
			Into: b, Objects: []store.Hash{tip}, Depth: depth & 3, Shallow: []store.Hash{old}, Partial: depth&4 != 0,
			Have: []store.Ref{{Name: "x", Hash: old}},
		})
		if err != nil {
			return
		}
		if _, _, err := b.Stat(t.Context(), tip); err != nil {
			t.Errorf("accepted without the commit: %v", err)
		}
		if len(got.Shallow) > 0 && depth&3 == 0 {
			t.Error("history has been cut off without being asked to")
		}
	})
}
