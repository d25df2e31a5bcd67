package git

import (
	"bytes"
	"compress/zlib"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"

	"cairn/store/object"
)

// Hand-made requests: what stock git would never send.

// pkt frames lines as pkt-lines; "0000" and "0001" are the flush and the delimiter.
func pkt(lines ...string) []byte {
	var b bytes.Buffer
	for _, l := range lines {
		if l == "0000" || l == "0001" {
			b.WriteString(l)
		} else {
			fmt.Fprintf(&b, "%04x%s", len(l)+4, l)
		}
	}
	return b.Bytes()
}

// fetch0 is a request of protocol v0, fetch2 one of v2.
func (k *kit) fetch0(t testing.TB, user, place string, lines ...string) (int, string) {
	t.Helper()
	resp, body := k.send(t, user, http.MethodPost, "/"+place+"/git-upload-pack",
		http.Header{"Content-Type": {"application/x-git-upload-pack-request"}}, pkt(lines...))
	return resp.StatusCode, body
}

func (k *kit) fetch2(t testing.TB, user, place string, lines ...string) (int, string) {
	t.Helper()
	lines = append([]string{"command=fetch", "0001"}, append(lines, "0000")...)
	resp, body := k.send(t, user, http.MethodPost, "/"+place+"/git-upload-pack",
		http.Header{"Content-Type": {"application/x-git-upload-pack-request"}, "Git-Protocol": {"version=2"}}, pkt(lines...))
	return resp.StatusCode, body
}

// push sends commands and a pack and returns the report.
func (k *kit) push(t testing.TB, user, place string, commands []string, pack []byte) (int, string) {
	t.Helper()
	commands[0] += "\x00report-status delete-refs object-format=sha1"
	resp, body := k.send(t, user, http.MethodPost, "/"+place+"/git-receive-pack",
		http.Header{"Content-Type": {"application/x-git-receive-pack-request"}}, append(pkt(append(commands, "0000")...), pack...))
	return resp.StatusCode, body
}

// An item is an object as it lies in a pack; with a base it is the delta's instructions.
type item struct {
	object.Object
	refDelta object.Hash
}

// makePack makes a pack without looking at what is in it.
func makePack(t testing.TB, items ...item) []byte {
	t.Helper()
	var b bytes.Buffer
	b.WriteString("PACK")
	binary.Write(&b, binary.BigEndian, []uint32{2, uint32(len(items))})
	for _, it := range items {
		kind := byte(it.Type)
		if !it.refDelta.IsZero() {
			kind = 7
		}
		n := len(it.Data)
		c := kind<<4 | byte(n&15)
		for n >>= 4; n > 0; n >>= 7 {
			b.WriteByte(c | 0x80)
			c = byte(n & 0x7f)
		}
		b.WriteByte(c)
		if !it.refDelta.IsZero() {
			b.Write(it.refDelta[:])
		}
		z := zlib.NewWriter(&b)
		z.Write(it.Data)
		must(t, z.Close())
	}
	sum := sha1.Sum(b.Bytes())
	return append(b.Bytes(), sum[:]...)
}

func blob(text string) object.Object {
	return object.Object{Type: object.TypeBlob, Data: []byte(text)}
}

func tree(entries ...object.Entry) object.Object {
	return object.Object{Type: object.TypeTree, Data: object.AppendTree(nil, entries)}
}

func commit(tree object.Hash, parents ...string) object.Object {
	var b strings.Builder
	fmt.Fprintf(&b, "tree %s\n", tree)
	for _, p := range parents {
		fmt.Fprintf(&b, "parent %s\n", p)
	}
	b.WriteString("author M <m@example.org> 1700000000 +0000\ncommitter M <m@example.org> 1700000000 +0000\n\nmine\n")
	return object.Object{Type: object.TypeCommit, Data: []byte(b.String())}
}

func tag(of string, kind string) object.Object {
	return object.Object{Type: object.TypeTag, Data: []byte("object " + of + "\ntype " + kind + "\ntag x\ntagger M <m@example.org> 1700000000 +0000\n\nmine\n")}
}

func hash20(s string) object.Hash { return plumbing.NewHash(s) }

func basic(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}
