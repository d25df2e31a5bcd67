package image

import (
	"archive/tar"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

func TestOCI(t *testing.T) {
	made, err := OCI(tiny(t).Image)
	if err != nil {
		t.Fatal(err)
	}
	again, err := OCI(tiny(t).Image)
	if err != nil {
		t.Fatal(err)
	}
	want, err := made.Digest()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := again.Digest(); err != nil || got != want {
		t.Errorf("made again it is %v, %v, not %v", got, err, want)
	}
	for name, read := range map[string]func(string) v1.Image{"folder": fromFolder(t), "file.tar": fromTar(t)} {
		to := filepath.Join(t.TempDir(), name)
		if err := WriteOCI(made, to, "cairn/tiny:1"); err != nil {
			t.Fatal(err)
		}
		checkContainer(t, read(to))
	}
}

func fromFolder(t *testing.T) func(string) v1.Image {
	return func(name string) v1.Image {
		t.Helper()
		index, err := layout.ImageIndexFromPath(name)
		if err != nil {
			t.Fatal(err)
		}
		list, err := index.IndexManifest()
		if err != nil || len(list.Manifests) != 1 || list.Manifests[0].Annotations["org.opencontainers.image.ref.name"] != "1" {
			t.Fatalf("got %+v, %v", list, err)
		}
		image, err := index.Image(list.Manifests[0].Digest)
		if err != nil {
			t.Fatal(err)
		}
		return image
	}
}

func fromTar(t *testing.T) func(string) v1.Image {
	return func(name string) v1.Image {
		t.Helper()
		image, err := tarball.ImageFromPath(name, nil)
		if err != nil {
			t.Fatal(err)
		}
		return image
	}
}

// checkContainer makes sure that there is nothing in a container but the file.
func checkContainer(t *testing.T, image v1.Image) {
	t.Helper()
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	c := config.Config
	if want := []string{"/tiny", "--listen=:8080"}; !reflect.DeepEqual(c.Entrypoint, want) {
		t.Errorf("got %v, want %v", c.Entrypoint, want)
	}
	if _, exposed := c.ExposedPorts["8080/tcp"]; !exposed || len(c.ExposedPorts) != 1 || c.User != nobody || c.Labels["org.opencontainers.image.title"] != "tiny" {
		t.Errorf("got %+v", c)
	}
	if config.Architecture != "amd64" || config.OS != "linux" || !config.Created.Time.Equal(commitTime(tiny(t).Facts)) {
		t.Errorf("got %+v", config)
	}
	layers, err := image.Layers()
	if err != nil || len(layers) != 1 {
		t.Fatalf("got %d layers, %v", len(layers), err)
	}
	content, err := layers[0].Uncompressed()
	if err != nil {
		t.Fatal(err)
	}
	defer content.Close()
	r := tar.NewReader(content)
	h, err := r.Next()
	if err != nil || h.Name != "tiny" || h.Mode != 0o555 || h.Uid != 0 {
		t.Fatalf("got %+v, %v", h, err)
	}
	if data, err := io.ReadAll(r); err != nil || !bytes.Equal(data, tiny(t).Image) {
		t.Errorf("the program is another one: %v", err)
	}
	if _, err := r.Next(); err != io.EOF {
		t.Errorf("there is something else in it: %v", err)
	}
}

func TestWriteOCIRefuses(t *testing.T) {
	made, err := OCI(smallImage(t))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := WriteOCI(made, dir, "cairn/tiny"); err == nil || !strings.Contains(err.Error(), "is there already") {
		t.Errorf("a folder that is there: got %v", err)
	}
	if err := WriteOCI(made, filepath.Join(dir, "x"), "Not a name"); err == nil {
		t.Error("any name will do")
	}
}

// TestSkopeo lets another implementation read both forms.
func TestSkopeo(t *testing.T) {
	judge(t, "skopeo")
	made, err := OCI(tiny(t).Image)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	folder, file, copied := filepath.Join(dir, "folder"), filepath.Join(dir, "file.tar"), filepath.Join(dir, "copy")
	for _, to := range []string{folder, file} {
		if err := WriteOCI(made, to, "cairn/tiny:1"); err != nil {
			t.Fatal(err)
		}
	}
	for _, from := range []string{"oci:" + folder + ":1", "docker-archive:" + file} {
		out := ask(t, "skopeo", "inspect", "--config", from)
		if !strings.Contains(out, `"/tiny"`) || !strings.Contains(out, nobody) {
			t.Errorf("%s: skopeo says %s", from, out)
		}
	}
	ask(t, "skopeo", "--insecure-policy", "copy", "oci:"+folder+":1", "dir:"+copied)
	list, err := os.ReadDir(copied)
	if err != nil || len(list) != 4 { // manifest, version, configuration, layer
		t.Errorf("got %v, %v", list, err)
	}
}
