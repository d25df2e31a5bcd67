package cable_test

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"cairn/libos"
	"cairn/net/cable"
)

// A block of a pcapng file.
type block struct {
	kind uint32
	body []byte
}

func readBlocks(t *testing.T, b []byte) []block {
	t.Helper()
	var all []block
	le := binary.LittleEndian
	for len(b) > 0 {
		size := int(le.Uint32(b[4:]))
		if size%4 != 0 || size > len(b) || le.Uint32(b[size-4:]) != uint32(size) {
			t.Fatalf("block %d of type %#x has lengths %d and %d", len(all), le.Uint32(b), size, le.Uint32(b[size-4:]))
		}
		all = append(all, block{le.Uint32(b), b[8 : size-4]})
		b = b[size:]
	}
	return all
}

func TestPcap(t *testing.T) {
	a, b := cable.New(cable.Options{Seed: 77, Record: 1000})
	before := time.Now()
	for i := range 100 {
		send(t, a, b.MAC(), i)
	}
	b.Cut()
	send(t, b, a.MAC(), 1000)
	var file bytes.Buffer
	if err := b.Pcap(&file); err != nil {
		t.Fatal(err)
	}
	blocks := readBlocks(t, file.Bytes())
	if blocks[0].kind != 0x0a0d0d0a || !bytes.Contains(blocks[0].body, []byte("seed 77")) {
		t.Errorf("the file begins with %+v", blocks[0])
	}
	var frames []block
	for _, x := range blocks[1:] {
		if x.kind == 6 {
			frames = append(frames, x)
		}
	}
	le := binary.LittleEndian
	if len(frames) != 1000/(18+64) {
		t.Fatalf("%d frames, want what 1000 bytes hold", len(frames))
	}
	last := frames[len(frames)-1].body
	if le.Uint32(last) != 1 || le.Uint32(last[12:]) != 18 || binary.BigEndian.Uint32(last[20+14:]) != 1000 || !bytes.Contains(last, []byte("cut off")) {
		t.Errorf("the last frame is % x, want number 1000, from port 1, cut off", last)
	}
	at := time.Unix(0, int64(uint64(le.Uint32(last[4:]))<<32|uint64(le.Uint32(last[8:]))))
	if at.Before(before.Add(-time.Second)) || at.After(time.Now().Add(time.Second)) {
		t.Errorf("it was sent at %v, want now", at)
	}
}

// TestPcapByTcpdump lets tcpdump read a capture, and judge the checksums in it.
func TestPcapByTcpdump(t *testing.T) {
	tcpdump, err := exec.LookPath("tcpdump")
	if err != nil {
		if os.Getenv("CAIRN_CI") != "" {
			t.Fatal("tcpdump is not installed: apt-get install tcpdump")
		}
		t.Skip("tcpdump is not installed: captures go without their judge")
	}
	a, b := cable.New(cable.Options{Offload: []bool{true, false}})
	go func() { // what the offload made of it goes back, as it is
		buf := make([]byte, libos.MaxFrame)
		for range 4 {
			n, _, err := b.Receive(buf)
			if err != nil {
				break
			}
			b.Send(libos.FrameHeader{}, buf[:n])
		}
		b.Close()
	}()
	u := largeSegment(false, false, make([]byte, 5000), 1400)
	a.Send(u.head, u.data)
	buf := make([]byte, libos.MaxFrame)
	for range 4 {
		if _, _, err := a.Receive(buf); err != nil {
			t.Fatal(err)
		}
	}
	name := filepath.Join(t.TempDir(), "x.pcapng")
	var file bytes.Buffer
	if err := a.Pcap(&file); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, file.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(tcpdump, "-nn", "-vv", "-r", name).Output()
	if err != nil {
		t.Fatalf("tcpdump: %v\n%s", err, out)
	}
	text := string(out)
	if got := len(regexp.MustCompile(`10\.0\.0\.1\.1024 > 10\.0\.0\.2\.80: Flags`).FindAllString(text, -1)); got != 5 {
		t.Errorf("tcpdump sees %d segments, want one large and four small\n%s", got, text)
	}
	if got := strings.Count(text, "(correct)"); got != 4 {
		t.Errorf("tcpdump finds %d correct checksums, want 4\n%s", got, text)
	}
}
