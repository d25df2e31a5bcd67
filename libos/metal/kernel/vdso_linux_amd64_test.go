package kernel

import (
	"bytes"
	"debug/elf"
	"testing"
	"unsafe"
)

// TestVDSOIsAnImage reads the tables as anybody would; that the runtime finds what it
// looks for is shown by a machine whose time.Now does not trap.
func TestVDSOIsAnImage(t *testing.T) {
	vdsoInit()
	image := unsafe.Slice((*byte)(unsafe.Pointer(&vdso)), unsafe.Sizeof(vdso))
	f, err := elf.NewFile(bytes.NewReader(image))
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Progs) != 2 || f.Progs[0].Type != elf.PT_LOAD || f.Progs[1].Type != elf.PT_DYNAMIC || f.Progs[0].Flags&elf.PF_X != 0 {
		t.Errorf("segments: %v", f.Progs)
	}
	s := vdso.symbols[1]
	if elf.ST_TYPE(s.info) != elf.STT_FUNC || elf.ST_BIND(s.info) != elf.STB_GLOBAL {
		t.Errorf("symbol is %v %v", elf.ST_TYPE(s.info), elf.ST_BIND(s.info))
	}
	if got := vdsoBase() + uintptr(s.value); got != vdsoFunction() {
		t.Errorf("the symbol leads to %#x, want %#x", got, vdsoFunction())
	}
	if got := cString(image[vdso.dynamic[1].value+uint64(s.name):]); got != vdsoSymbol {
		t.Errorf("symbol %q, want %q", got, vdsoSymbol)
	}
	if got := cString(image[vdso.dynamic[1].value+uint64(vdso.version.auxName):]); got != vdsoVersion {
		t.Errorf("version %q, want %q", got, vdsoVersion)
	}
	if got := elfHash(vdsoVersion); got != vdsoVersionHash {
		t.Errorf("the hash of %s is %#x, not %#x", vdsoVersion, got, vdsoVersionHash)
	}
}

func cString(b []byte) string {
	b, _, _ = bytes.Cut(b, []byte{0})
	return string(b)
}

// elfHash is the hash function of the ELF specification, chapter 5.
func elfHash(name string) (h uint32) {
	for _, c := range []byte(name) {
		h = h<<4 + uint32(c)
		h ^= h >> 24 & 0xf0
		h &= 0x0fffffff
	}
	return h
}
