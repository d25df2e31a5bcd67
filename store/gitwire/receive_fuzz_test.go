package gitwire

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"cairn/store"
	"cairn/store/object"
)

// Hostile bytes neither stop the server nor get at what is bob's.
func FuzzReceiveRequest(f *testing.F) {
	h := newHouse(f)
	tree := folder(map[string]object.Object{"x": blob("new"), "dir": h.root})
	c := commitOf(300, tree.Hash(), h.second.Hash())
	stealing := folder(map[string]object.Object{"x": h.secret})
	thief := commitOf(300, stealing.Hash(), h.second.Hash())
	text := append(bytes.Clone(h.text.Data), "more"...)
	thin := folder(map[string]object.Object{"x": blob(string(text))})
	onThin := commitOf(300, thin.Hash(), h.second.Hash())
	old := h.second.Hash().String()
	main := " refs/heads/main\x00report-status-v2 side-band-64k "
	for _, seed := range []struct {
		lines []string
		pack  []byte
	}{
		{[]string{old + " " + c.Hash().String() + main + "atomic object-format=sha1"}, packOf(f, tree, c, blob("new"))},
		{[]string{old + " " + thief.Hash().String() + main}, packOf(f, stealing, thief)},
		{[]string{old + " " + h.bobs.Hash().String() + main}, packOf(f)},
		{[]string{"shallow " + c.Hash().String(), old + " " + onThin.Hash().String() + main},
			thinPackOf(f, h.text.Hash(), h.text.Data, text, thin, onThin)},
		{[]string{old + " " + store.Hash{}.String() + main + "push-options", "0000", "option"}, nil},
		{[]string{old + " " + h.first.Hash().String() + main, store.Hash{}.String() + " " + old + " refs/tags/x"}, packOf(f)},
		{[]string{"push-cert\x00report-status"}, nil},
	} {
		var b bytes.Buffer
		w := newPktWriter(&b)
		for _, line := range seed.lines {
			if line == "0000" {
				w.flush()
			} else {
				w.line(line)
			}
		}
		w.flush()
		w.send()
		f.Add(append(b.Bytes(), seed.pack...), true)
	}
	f.Add([]byte("0000"), false)
	f.Add([]byte("fff0"), true)

	f.Fuzz(func(t *testing.T, data []byte, stateless bool) {
		h := newHouse(t)
		h.v.Limits = store.Limits{PackBytes: 1 << 20, ObjectBytes: 1 << 20, TotalBytes: 4 << 20, Objects: 1000}
		ctx := context.Background()
		_ = serveReceive(ctx, h.v, 0, bytes.NewReader(data), io.Discard, stateless, false)
		bobs, err := h.b.Ref(ctx, "refs/heads/mail/bob")
		if err != nil || bobs.Hash != h.bobs.Hash() {
			t.Errorf("bob's ref: got %v %v, want it where it was", bobs, err)
		}
		h.wantUnreached(t)
	})
}

// Hostile objects in a well-formed pack get at nothing either.
func FuzzReceiveObjects(f *testing.F) {
	h := newHouse(f)
	tree := folder(map[string]object.Object{"a": h.text, "dir": h.root})
	f.Add(tree.Data, commitOf(300, tree.Hash(), h.second.Hash()).Data, tagOf(h.second.Hash(), object.TypeCommit).Data)
	f.Add(folder(map[string]object.Object{"x": h.secret}).Data, commitOf(300, h.secretDir.Hash(), h.first.Hash()).Data,
		tagOf(h.secret.Hash(), object.TypeBlob).Data)
	f.Add(folder(map[string]object.Object{"d": h.secretDir}).Data, commitOf(300, h.root.Hash(), h.bobs.Hash()).Data,
		tagOf(h.bobs.Hash(), object.TypeCommit).Data)
	f.Fuzz(func(t *testing.T, tree, commit, tag []byte) {
		h := newHouse(t)
		objs := []object.Object{
			{Type: object.TypeTree, Data: tree}, {Type: object.TypeCommit, Data: commit}, {Type: object.TypeTag, Data: tag},
		}
		above := commitOf(400, objs[0].Hash(), h.second.Hash(), objs[1].Hash())
		rawPush(t, h.v, "", packOf(t, append(objs, above)...),
			Command{Name: "refs/heads/main", Old: h.second.Hash(), New: above.Hash()},
			Command{Name: "refs/heads/other", New: objs[1].Hash()},
			Command{Name: "refs/tags/x", New: objs[2].Hash()}, Command{Name: "refs/tags/y", New: objs[0].Hash()})
		h.wantUnreached(t)
	})
}

// wantUnreached checks that nothing of bob's can be reached from what alice sees.
func (h *house) wantUnreached(t *testing.T) {
	t.Helper()
	ctx := context.Background()
	refs, err := h.v.Refs(ctx)
	if err != nil {
		t.Fatal(err)
	}
	r := newReach(newGraph(h.b), refs)
	got, err := r.missing(ctx, []store.Hash{h.secret.Hash(), h.secretDir.Hash(), h.bobs.Hash(), h.bobsFirst.Hash()})
	if err != nil || len(got) != 4 {
		t.Errorf("what is bob's: got %d objects out of reach, %v, want 4", len(got), err)
	}
}

// rawRemote answers the requests over HTTP with bytes as they are, one after the
// other.
type rawRemote [][]byte

func (r *rawRemote) RoundTrip(req *http.Request) (*http.Response, error) {
	contentType := "application/x-git-upload-pack-result"
	if strings.HasSuffix(req.URL.Path, "receive-pack") {
		contentType = "application/x-git-receive-pack-result"
	}
	if req.Method == http.MethodGet {
		contentType = "application/x-" + req.URL.Query().Get("service") + "-advertisement"
	} else {
		io.Copy(io.Discard, req.Body)
	}
	var body []byte
	if len(*r) > 0 {
		body, *r = (*r)[0], (*r)[1:]
	}
	return &http.Response{
		StatusCode: http.StatusOK, Request: req, Body: io.NopCloser(bytes.NewReader(body)),
		Header: http.Header{"Content-Type": {contentType}},
	}, nil
}

// script writes pkt-lines, "0000" and "0001" being themselves, and a pack on band 1.
func script(pack []byte, lines ...string) []byte {
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
	if pack != nil {
		bands := newSideband(&b, false)
		bands.write(bandProgress, []byte("sending\n"))
		bands.write(bandData, pack)
		bands.flush()
	}
	return b.Bytes()
}

// What a hostile remote sends is either refused or complete.
func FuzzClientFetch(f *testing.F) {
	objs, tip := chain(100, "text")
	pack := packOf(f, objs...)
	ref := tip.String() + " refs/heads/main"
	f.Add(script(nil, "version 2", "agent=x", "ls-refs=unborn", "fetch=shallow", "object-format=sha1", "0000"),
		script(nil, tip.String()+" HEAD symref-target:refs/heads/main", ref, "0000"), script(pack, "packfile"))
	f.Add(script(nil, "# service=git-upload-pack", "0000", "version 1", ref+"\x00side-band-64k ofs-delta symref=HEAD:refs/heads/main",
		"shallow "+tip.String(), "0000"), script(pack, "NAK"), []byte{})
	f.Add(script(nil, ref+"\x00thin-pack", tip.String()+" refs/tags/x^{}", "0000"), append(script(nil, "NAK"), pack...), []byte{})
	f.Add(script(nil, "ERR go away"), []byte{}, []byte{})
	f.Add(script(nil, store.Hash{}.String()+" capabilities^{}\x00side-band-64k", "0000"), []byte{}, []byte{})

	f.Fuzz(func(t *testing.T, hello, first, second []byte) {
		b := newMemory(t)
		client := &Client{
			HTTP:   &rawRemote{hello, first, second},
			Limits: store.Limits{PackBytes: 1 << 20, ObjectBytes: 1 << 20, TotalBytes: 4 << 20, Objects: 1000},
		}
		refs, err := fetchOnce(t, client, "http://example.org/r", FetchRequest{Into: b})
		if err != nil {
			return
		}
		for _, ref := range refs {
			if ref.Hash.IsZero() {
				continue
			}
			if _, _, err := b.Stat(t.Context(), ref.Hash); err != nil {
				t.Errorf("%s: %v", ref.Name, err)
			}
		}
	})
}

// A push succeeds only when the remote says so of the ref.
func FuzzClientPush(f *testing.F) {
	objs, tip := chain(100, "text")
	hello := script(nil, store.Hash{}.String()+" capabilities^{}\x00report-status side-band-64k delete-refs atomic", "0000")
	plain := script(nil, store.Hash{}.String()+" capabilities^{}\x00report-status", "0000")
	good := script(nil, "unpack ok", "ok refs/heads/main", "0000")
	f.Add(hello, script(good))
	f.Add(plain, good)
	f.Add(plain, script(nil, "unpack ok", "ng refs/heads/main no", "option x", "0000"))
	f.Add(plain, script(nil, "unpack bad", "0000"))
	f.Fuzz(func(t *testing.T, hello, report []byte) {
		client := &Client{HTTP: &rawRemote{hello, report}}
		err := pushOnce(t, client, "http://example.org/r", PushRequest{
			Commands: []Command{{Name: "refs/heads/main", New: tip}}, Objects: objs,
		})
		said := bytes.Contains(report, []byte("unpack ok")) && bytes.Contains(report, []byte("ok refs/heads/main"))
		// Side-band lines may cut the words in pieces.
		if err == nil && !said && !bytes.Contains(hello, []byte("side-band-64k")) {
			t.Errorf("got no error, want one: the report is %q", report)
		}
	})
}
