package boot

import (
	"archive/tar"
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"strings"
	"testing"
)

// pack returns a tar archive of files given by their headers and contents.
func pack(t testing.TB, headers ...tar.Header) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range headers {
		data := h.Linkname // of a regular file: what is in it
		if h.Typeflag == tar.TypeReg {
			h.Linkname, h.Size = "", int64(len(data))
		}
		h.Mode = 0o600
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		if _, err := w.Write([]byte(data)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// regular is the header of a file that holds text, for pack.
func regular(name, text string) tar.Header {
	return tar.Header{Typeflag: tar.TypeReg, Name: name, Linkname: text}
}

func TestArchive(t *testing.T) {
	long := strings.Repeat("long/", 60) + "name"
	packed := pack(t, regular("etc/cairn/seed", "0123"), regular("empty", ""), regular(long, "ü"))
	for what, disk := range map[string][]byte{
		"as it is":         packed,
		"on a larger disk": append(bytes.Clone(packed), make([]byte, 5000)...),
	} {
		got, err := parseArchive(bytes.NewReader(disk))
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		want := archive{"etc/cairn/seed": []byte("0123"), "empty": {}, long: []byte("ü")}
		if !maps.EqualFunc(got, want, bytes.Equal) {
			t.Errorf("%s: got %q, want %q", what, got, want)
		}
		for _, name := range []string{"/etc/cairn/seed", "etc/cairn/seed", "./etc/cairn/seed", "//etc/x/../cairn/seed"} {
			if data, err := got.read(name); string(data) != "0123" || err != nil {
				t.Errorf("%s: read %s: got %q, %v", what, name, data, err)
			}
		}
		if _, err := got.read("/etc/passwd"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: read what is not there: got %v", what, err)
		}
	}
}

func TestArchiveRefuses(t *testing.T) {
	half := string(make([]byte, maxFiles/2+1))
	for what, disk := range map[string][]byte{
		"a folder":        pack(t, tar.Header{Typeflag: tar.TypeDir, Name: "etc/"}),
		"a link":          pack(t, tar.Header{Typeflag: tar.TypeSymlink, Name: "a", Linkname: "/etc/passwd"}),
		"a hard link":     pack(t, regular("b", ""), tar.Header{Typeflag: tar.TypeLink, Name: "a", Linkname: "b"}),
		"a device":        pack(t, tar.Header{Typeflag: tar.TypeChar, Name: "null"}),
		"an absolute one": pack(t, regular("/etc/seed", "x")),
		"a way out":       pack(t, regular("../seed", "x")),
		"a roundabout":    pack(t, regular("a/./b", "x")),
		"the folder":      pack(t, regular(".", "x")),
		"twice":           pack(t, regular("a", "x"), regular("a", "y")),
		"twice, empty":    pack(t, regular("a", ""), regular("a", "")),
		"too large":       pack(t, regular("a", half), regular("b", half)),
		"cut short":       pack(t, regular("a", "some text"))[:515],
		"another thing":   bytes.Repeat([]byte("not tar "), 1000),
	} {
		if got, err := parseArchive(bytes.NewReader(disk)); !errors.Is(err, errNoArchive) {
			t.Errorf("%s: got %d files, %v, want errNoArchive", what, len(got), err)
		}
	}
}

func FuzzArchive(f *testing.F) {
	f.Add(pack(f, regular("etc/cairn/seed", "0123"), regular(strings.Repeat("long/", 60)+"name", "x")))
	f.Add(pack(f, regular("../a", "x"), tar.Header{Typeflag: tar.TypeSymlink, Name: "a", Linkname: "b"}))
	sparse := pack(f, regular("sparse", "0123"))
	copy(sparse[156:], "S")
	f.Add(sparse)
	f.Fuzz(func(t *testing.T, disk []byte) {
		files, err := parseArchive(bytes.NewReader(disk))
		if err != nil {
			return
		}
		total := 0
		for name, data := range files {
			total += len(data)
			if !fs.ValidPath(name) || name == "." {
				t.Errorf("got the name %q", name)
			}
		}
		if total > maxFiles {
			t.Errorf("got %d bytes, want %d at most", total, maxFiles)
		}
	})
}
