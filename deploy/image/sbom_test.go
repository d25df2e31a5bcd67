package image

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"

	cyclonedx "github.com/CycloneDX/cyclonedx-go"
)

func TestBill(t *testing.T) {
	f := Facts{
		Program: "example.org/Shop/cmd/till",
		Go:      "go1.26.3",
		Module:  Module{Path: "example.org/Shop", Version: "(devel)"},
		Modules: []Module{
			{Path: "example.org/Lib/v2", Version: "v2.0.1+incompatible", Sum: "h1:" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32))},
			{Path: "example.org/fork", Version: "v1.0.0", Replaces: "example.org/lost"},
		},
	}
	data, err := bill(f)
	if err != nil {
		t.Fatal(err)
	}
	var b cyclonedx.BOM
	if err := cyclonedx.NewBOMDecoder(bytes.NewReader(data), cyclonedx.BOMFileFormatJSON).Decode(&b); err != nil {
		t.Fatal(err)
	}
	if b.SpecVersion != cyclonedx.SpecVersion1_6 || b.Metadata.Timestamp != "" || !strings.HasPrefix(b.SerialNumber, "urn:uuid:") || len(b.SerialNumber) != 45 {
		t.Errorf("got version %v, time %q, serial number %q", b.SpecVersion, b.Metadata.Timestamp, b.SerialNumber)
	}
	if c := b.Metadata.Component; c.Name != f.Program || c.PackageURL != "pkg:golang/example.org/shop" {
		t.Errorf("got program %+v", c)
	}
	var got []string
	for _, c := range *b.Components {
		got = append(got, c.PackageURL)
	}
	want := "pkg:golang/std@1.26.3 pkg:golang/example.org/lib/v2@v2.0.1%2Bincompatible pkg:golang/example.org/fork@v1.0.0"
	if strings.Join(got, " ") != want {
		t.Errorf("got %v, want %v", got, want)
	}
	if h := (*(*b.Components)[1].Hashes)[0]; h.Value != hex.EncodeToString(bytes.Repeat([]byte{7}, 32)) {
		t.Errorf("got hash %+v", h)
	}
	again, err := bill(f)
	if err != nil || !bytes.Equal(again, data) {
		t.Errorf("the bill is another one the second time: %v", err)
	}
	f.Modules[0].Version = "v2.0.2+incompatible"
	if other, err := bill(f); err != nil || bytes.Contains(other, []byte(b.SerialNumber)) {
		t.Errorf("another bill has the same serial number: %v", err)
	}
}
