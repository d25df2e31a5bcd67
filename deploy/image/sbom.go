package image

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"

	cyclonedx "github.com/CycloneDX/cyclonedx-go"
)

// bill returns the bill of material that follows from the facts: CycloneDX 1.6 as
// JSON. It has no time, and its serial number follows from what it says, so that the same image
// has the same bill.
func bill(f Facts) ([]byte, error) {
	b := cyclonedx.NewBOM()
	b.SpecVersion = cyclonedx.SpecVersion1_6
	b.JSONSchema = "http://cyclonedx.org/schema/bom-1.6.schema.json"
	program := component(cyclonedx.ComponentTypeApplication, f.Module)
	program.Name, program.BOMRef = f.Program, "pkg:golang/"+escape(f.Program)
	b.Metadata = &cyclonedx.Metadata{Component: &program}
	list := []cyclonedx.Component{component(cyclonedx.ComponentTypeLibrary, Module{Path: "std", Version: strings.TrimPrefix(f.Go, "go")})}
	for _, m := range f.Modules {
		list = append(list, component(cyclonedx.ComponentTypeLibrary, m))
	}
	b.Components = &list
	uses := []cyclonedx.Dependency{{Ref: program.BOMRef, Dependencies: references(list)}}
	b.Dependencies = &uses
	unnumbered, err := encodeBill(b)
	if err != nil {
		return nil, err
	}
	b.SerialNumber = serial(unnumbered)
	return encodeBill(b)
}

// component describes a module. Its hash is go.sum's, which is one of a list of its files' hashes
// (golang.org/x/mod/sumdb/dirhash), not of an archive.
func component(kind cyclonedx.ComponentType, m Module) cyclonedx.Component {
	c := cyclonedx.Component{Type: kind, Name: m.Path, Version: m.Version, PackageURL: purl(m)}
	c.BOMRef = c.PackageURL
	if raw, ok := strings.CutPrefix(m.Sum, "h1:"); ok {
		if sum, err := base64.StdEncoding.DecodeString(raw); err == nil {
			c.Hashes = &[]cyclonedx.Hash{{Algorithm: cyclonedx.HashAlgoSHA256, Value: hex.EncodeToString(sum)}}
		}
	}
	if m.Replaces != "" {
		c.Properties = &[]cyclonedx.Property{{Name: "cdx:gomod:replaces", Value: m.Replaces}}
	}
	return c
}

// purl is a module's package URL, of type golang.
func purl(m Module) string {
	text := "pkg:golang/" + escape(m.Path)
	if m.Version != "" && m.Version != "(devel)" {
		text += "@" + url.QueryEscape(m.Version)
	}
	return text
}

// escape is an import path in a package URL, where those of Go are in small letters.
func escape(path string) string {
	parts := strings.Split(strings.ToLower(path), "/")
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return strings.Join(parts, "/")
}

func references(list []cyclonedx.Component) *[]string {
	var refs []string
	for _, c := range list {
		refs = append(refs, c.BOMRef)
	}
	return &refs
}

func encodeBill(b *cyclonedx.BOM) ([]byte, error) {
	var out bytes.Buffer
	if err := cyclonedx.NewBOMEncoder(&out, cyclonedx.BOMFileFormatJSON).SetEscapeHTML(false).Encode(b); err != nil {
		return nil, fmt.Errorf("write the bill of material: %w", err)
	}
	return out.Bytes(), nil
}

// serial is a UUID that follows from a content (RFC 9562 §5.8, version 8).
func serial(content []byte) string {
	sum := sha256.Sum256(content)
	u := sum[:16]
	u[6] = u[6]&0x0f | 0x80
	u[8] = u[8]&0x3f | 0x80
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", u[:4], u[4:6], u[6:8], u[8:10], u[10:])
}
