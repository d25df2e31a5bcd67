package main

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"cairn/libos"
)

// TestFileArguments makes sure that what names a file says so: elsewhere than on a host nothing
// else is a file.
func TestFileArguments(t *testing.T) {
	for _, a := range manifest.All() {
		named := strings.Contains(a.Value, "FILE") || strings.HasSuffix(a.Name, "-file")
		if named && a.Kind != libos.File && a.Kind != libos.Files {
			t.Errorf("--%s %s is of kind %v, want file", a.Name, a.Value, a.Kind)
		}
	}
}

func TestManifestIsPlain(t *testing.T) {
	text, err := json.Marshal(manifest)
	if err != nil {
		t.Fatal(err)
	}
	var got libos.Manifest
	if err := json.Unmarshal(text, &got); err != nil || !reflect.DeepEqual(got, manifest) {
		t.Errorf("got %+v, %v, want %+v", got, err, manifest)
	}
}
