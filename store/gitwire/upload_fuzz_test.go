package gitwire

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"cairn/store"
	"cairn/store/mem"
)

// FuzzUploadRequest feeds hostile bytes to the whole of upload-pack, in each
// protocol, as one request and as a conversation. Whatever comes: it ends, it
// does not panic, and nothing of the hidden branch is said.
func FuzzUploadRequest(f *testing.F) {
	b := mem.New()
	mine, theirs := twoHouses(f, b)
	v := onlyMine(b)
	tip, before, hidden := mine[0].String(), mine[1].String(), theirs[0].String()
	for _, lines := range [][]string{
		{"want " + tip + " multi_ack_detailed side-band-64k ofs-delta thin-pack include-tag no-done", "0000", "have " + before, "0000", "done"},
		{"want " + tip + " multi_ack side-band", "shallow " + before, "deepen 1", "0000", "have " + before, "done"},
		{"want " + tip + " deepen-relative filter", "filter blob:none", "deepen 2", "0000", "done"},
		{"want " + tip, "deepen-since 1", "deepen-not tag-of-mine", "0000", "have " + hidden, "0000", "done"},
		{"want " + hidden, "0000", "done"},
		{"command=ls-refs", "agent=x", "0001", "peel", "symrefs", "unborn", "ref-prefix refs/", "0000"},
		{"command=fetch", "object-format=sha1", "0001", "want " + tip, "have " + before, "have " + hidden, "done", "0000"},
		{"command=fetch", "0001", "want " + tip, "wait-for-done", "have " + before, "0000", "command=fetch", "0001", "want " + tip, "filter combine:tree:1+blob:limit=1", "done", "0000"},
		{"command=fetch", "0001", "want " + tip, "shallow " + tip, "deepen 2147483647", "done", "0000"},
		{"command=object-info", "0001", "size", "oid " + tip, "0000"},
	} {
		for proto := range byte(3) {
			f.Add(proto, requestOf(lines...))
		}
	}
	f.Fuzz(func(t *testing.T, how byte, in []byte) {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		for _, stateless := range []bool{true, false} {
			var out bytes.Buffer
			err := serveUpload(ctx, v, int(how%3), bytes.NewReader(in), &out, stateless, false)
			if _, panicked := err.(*panicError); panicked || ctx.Err() != nil {
				t.Fatalf("stateless=%v: %v", stateless, err)
			}
			if !bytes.Contains(in, []byte(hidden)) && bytes.Contains(out.Bytes(), []byte(hidden)) {
				t.Errorf("stateless=%v: the answer names %s", stateless, hidden)
			}
		}
	})
}

// requestOf is a request of the given lines; "0000" and "0001" are themselves.
func requestOf(lines ...string) []byte {
	var b bytes.Buffer
	w := newPktWriter(&b)
	for _, line := range lines {
		switch line {
		case "0000":
			w.flush()
		case "0001":
			w.delim()
		default:
			w.line(line + "\n")
		}
	}
	w.send()
	return b.Bytes()
}

// TestHostileRequests expects a word about each, and a server that goes on.
func TestHostileRequests(t *testing.T) {
	b := mem.New()
	mine, _ := twoHouses(t, b)
	v := onlyMine(b)
	tip := "want " + mine[0].String()
	for _, test := range []struct {
		proto int
		in    string
		want  string
	}{
		{0, "zzzz", `ERR malformed pkt-line length "zzzz"`},
		{0, pktLine(tip+"\n") + "0003", `ERR malformed pkt-line length "0003"`},
		{0, pktLine(tip + "\n"), "ERR the request ends too early"},
		{0, pktLine("want zz\n") + "0000", `ERR upload-pack: protocol error, expected to get object ID, not "want zz"`},
		{0, pktLine("hello\n") + "0000", `ERR upload-pack: protocol error, expected to get object ID, not "hello"`},
		{0, pktLine(tip+"\n") + pktLine("deepen -1\n") + "0000", `ERR upload-pack: invalid deepen: "deepen -1"`},
		{0, pktLine(tip+"\n") + pktLine("deepen 99999999999\n") + "0000", `ERR upload-pack: invalid deepen: "deepen 99999999999"`},
		{0, pktLine(tip+"\n") + pktLine("filter blob:none\n") + "0000", "ERR upload-pack: filtering capability not negotiated"},
		{0, pktLine(tip+"\n") + "0000" + pktLine("have\n"), `ERR upload-pack: expected SHA1 list, got "have"`},
		{0, pktLine(tip+"\n") + pktLine("deepen 1\n") + pktLine("deepen-not tag-of-mine\n") + "0000", "ERR upload-pack: deepen and deepen-since (or deepen-not) cannot be used together"},
		{0, pktLine(tip+"\n") + pktLine("deepen-since 99999999999\n") + "0000", "ERR upload-pack: no commits selected for shallow requests"},
		{0, "0000", ""},
		{2, "0000", ""},
		{2, pktLine("command=explode\n") + "0000", `ERR invalid command "explode"`},
		{2, pktLine("command=fetch\n") + pktLine("object-format=sha256\n") + "0000", `ERR object format "sha256" is not supported, only sha1`},
		{2, pktLine("command=fetch\n") + "0001" + "0001", "ERR upload-pack: expected flush after arguments"},
		{2, pktLine("command=fetch\n") + "0001" + pktLine("explode\n") + "0000", `ERR upload-pack: unexpected line: "explode"`},
		{2, pktLine("command=fetch\n") + "0001" + pktLine("have x\n") + "0000", `ERR upload-pack: expected an object ID, got "have x"`},
		{2, pktLine("command=ls-refs\n") + "0001" + pktLine("explode\n") + "0000", `ERR ls-refs: unexpected line: "explode"`},
		{2, pktLine("command=fetch\n") + strings.Repeat(pktLine("agent=x\n"), maxExcludes+1), "ERR upload-pack: more than 1024 capabilities"},
		{2, pktLine("command=fetch\n") + "0001" + strings.Repeat(pktLine("deepen-not x\n"), maxExcludes+1), "ERR upload-pack: more than 1024 deepen-not lines"},
	} {
		var out bytes.Buffer
		err := serveUpload(t.Context(), v, test.proto, strings.NewReader(test.in), &out, true, false)
		_, line, _ := newPktReader(&out).text()
		if line != test.want || (err == nil) != (test.want == "") {
			t.Errorf("v%d %.60q: got %q, %v, want %q", test.proto, test.in, line, err, test.want)
		}
	}
}

// TestMillionHaves claims to have a million commits (fewer in short runs) that
// nobody knows, and one known one as often: the answer stays small.
func TestMillionHaves(t *testing.T) {
	b := mem.New()
	mine, _ := twoHouses(t, b)
	v := onlyMine(b)
	n := 20_000
	if long() {
		n = 1_000_000
	}
	for _, known := range []bool{false, true} {
		for _, proto := range []int{0, 2} {
			var in bytes.Buffer
			if proto == 2 {
				in.Write(requestOf("command=fetch", "0001", "want "+mine[0].String()))
			} else {
				in.Write(requestOf("want "+mine[0].String()+" multi_ack_detailed", "0000"))
			}
			have := []byte(pktLine("have " + strings.Repeat("0", 40) + "\n"))
			for i := range n {
				if known {
					copy(have[9:], mine[1].String())
				} else {
					h := store.Hash{byte(i >> 16), byte(i >> 8), byte(i), 1}
					copy(have[9:], h.String())
				}
				in.Write(have)
			}
			in.WriteString("0000")
			size := in.Len()
			var out bytes.Buffer
			if err := serveUpload(t.Context(), v, proto, &in, &out, true, false); err != nil {
				t.Fatal(err)
			}
			if out.Len() > maxAcks*64+4096 {
				t.Errorf("v%d, known=%v: %d bytes answer %d", proto, known, out.Len(), size)
			}
		}
	}
}
