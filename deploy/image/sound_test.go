package image

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"cairn/libos"
)

// TestSound: what could be an order of its own in a unit or a monitor's command line is refused.
func TestSound(t *testing.T) {
	if err := sound(shop, []string{"up"}); err != nil {
		t.Errorf("a manifest with one of everything: %v", err)
	}
	port := func(p libos.Port) func(*libos.Manifest) {
		return func(m *libos.Manifest) { m.Ports = []libos.Port{p} }
	}
	for name, change := range map[string]func(*libos.Manifest){
		"no name":                  func(m *libos.Manifest) { m.Name = "" },
		"another command":          func(m *libos.Manifest) { m.Name = "shop down" },
		"a flag as command":        func(m *libos.Manifest) { m.Name = "shop -up" },
		"escapes in the name":      func(m *libos.Manifest) { m.Name = "shop\x1b[2J up" },
		"a unit's line":            func(m *libos.Manifest) { m.State = &libos.Folder{Name: "home\nExecStartPre=+/bin/sh"} },
		"an argument's blank":      func(m *libos.Manifest) { m.Args = []libos.Arg{{Name: "a b"}} },
		"a disk's comma":           func(m *libos.Manifest) { m.Disks = []libos.Disk{{Name: "a,file=/etc/shadow"}} },
		"a monitor's command":      port(libos.Port{Name: "http", Host: "127.0.0.1:80,guestfwd=tcp:10.0.2.9:1-cmd:sh", Own: ":80"}),
		"the same in a network":    port(libos.Port{Name: "http", Network: "tcp:127.0.0.1:1-:1,guestfwd=x", Own: ":80"}),
		"the same in a zone":       port(libos.Port{Name: "http", Host: "[fe80::1%a,guestfwd=x]:80"}),
		"the same in what is own":  port(libos.Port{Name: "http", Own: ":80,guestfwd=x"}),
		"more disks than machines": func(m *libos.Manifest) { m.Disks = slices.Repeat([]libos.Disk{{Name: "a"}}, 1<<16) },
	} {
		m := shop
		change(&m)
		if err := sound(m, []string{"up"}); err == nil || strings.ContainsAny(err.Error(), "\n\x1b") || len(err.Error()) > 1000 {
			t.Errorf("%s: got %v, want an error that can be shown", name, err)
		}
	}
	image := bytes.Replace(smallImage(t), []byte(`"name":"till"`), []byte(`"name":"t\nl"`), 1)
	if _, err := Inspect(bytes.NewReader(image), int64(len(image))); err == nil {
		t.Error("an image of such a manifest is read")
	}
}

// TestManySpans: a table that says nothing again and again ends.
func TestManySpans(t *testing.T) {
	values := append(append([]byte{0}, bytes.Repeat([]byte{2, 0}, maxSpans+1)...), 2, 8)
	table := functionTable{values: values, steps: 4 * len(values)}
	if list, err := table.spans(1, 8); err == nil {
		t.Errorf("got %d spans, want an error", len(list))
	}
}

// TestManyFiles: a function that comes from another file at each instruction ends too.
func TestManyFiles(t *testing.T) {
	const many = 4 * maxNames
	values := []byte{0}
	for range many { // the next file, and line, for one more byte
		values = append(values, 2, 1)
	}
	table := functionTable{values: append(values, 0), files: bytes.Repeat([]byte("f"), many), steps: 1 << 30}
	for i := range uint32(many) {
		table.units = order.AppendUint32(table.units, i)
	}
	record := make([]byte, 44)
	order.PutUint32(record[20:], 1)
	order.PutUint32(record[24:], 3) // a span later, so that no line is 0
	x := &lineIndex{files: map[uint32]uint32{}, lines: map[uint64]bool{}}
	if err := table.addLines(x, &function{size: many}, record); err == nil || len(x.names) > maxNames+1 {
		t.Errorf("got %v and %d names, want an error and %d", err, len(x.names), maxNames)
	}
}

func TestPrintableJSON(t *testing.T) {
	got := string(PrintableJSON([]byte("{\n\t\"a\": \"\\u001b \u009b2J \x7f \x9b \u202e ä 語 😀\"}\n")))
	if want := "{\n\t\"a\": \"\\u001b \\u009b2J \\u007f \\ufffd \\u202e ä 語 😀\"}\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
