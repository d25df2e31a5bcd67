package image

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// nobody is the user, and the group, that a container runs as.
const nobody = "65534:65534"

// OCI returns an image as containers know it (OCI Image Format 1.1): nothing in it but the file, which
// listens on every address of the container, as a user who owns nothing. The same file makes the same image.
func OCI(file []byte) (v1.Image, error) {
	i, err := Inspect(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return nil, err
	}
	program := i.Program()
	made := commitTime(i.Facts)
	content, err := oneFile(program, file, made)
	if err != nil {
		return nil, err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil },
		tarball.WithMediaType(types.OCILayer), tarball.WithCompressionLevel(9))
	if err != nil {
		return nil, err
	}
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	image, err = mutate.Append(image, mutate.Addendum{Layer: layer, History: v1.History{Created: v1.Time{Time: made}, CreatedBy: "cairn image oci"}})
	if err != nil {
		return nil, err
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.Architecture, config.OS, config.Created = "amd64", "linux", v1.Time{Time: made}
	config.Config = containerConfig(i, program)
	return mutate.ConfigFile(image, config)
}

// Program is the last part of the program's import path: "unipi".
func (i *Info) Program() string {
	base := path.Base(path.Clean("/" + i.Facts.Program))
	if base == "/" {
		return "program"
	}
	return base
}

// commitTime is when the source was committed, 1970 where that is not known.
func commitTime(f Facts) time.Time {
	if t, err := time.Parse(time.RFC3339, f.Time()); err == nil {
		return t.UTC()
	}
	return time.Unix(0, 0).UTC()
}

// oneFile is an archive with one program in it.
func oneFile(name string, data []byte, made time.Time) ([]byte, error) {
	var b bytes.Buffer
	t := tar.NewWriter(&b)
	h := &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o555, Size: int64(len(data)), ModTime: made, Format: tar.FormatUSTAR}
	if err := t.WriteHeader(h); err != nil {
		return nil, err
	}
	if _, err := t.Write(data); err != nil {
		return nil, err
	}
	err := t.Close()
	return b.Bytes(), err
}

// containerConfig makes the program listen where other containers and published
// ports reach it. Arguments of the person who starts it come after those, and win.
func containerConfig(i *Info, program string) v1.Config {
	c := v1.Config{
		Entrypoint:   append([]string{"/" + program}, commandOf(i.Manifest)...),
		User:         nobody,
		WorkingDir:   "/",
		ExposedPorts: map[string]struct{}{},
		Labels: map[string]string{
			"org.opencontainers.image.title":       i.Manifest.Name,
			"org.opencontainers.image.description": i.Manifest.About,
		},
	}
	for _, p := range i.Manifest.Ports {
		_, port, err := net.SplitHostPort(p.Host)
		if err != nil {
			continue
		}
		network := p.Network
		if network == "" {
			network = "tcp"
		}
		c.Entrypoint = append(c.Entrypoint, "--"+p.Name+"=:"+port)
		c.ExposedPorts[port+"/"+network] = struct{}{}
	}
	if revision := i.Facts.Revision(); revision != "" {
		c.Labels["org.opencontainers.image.revision"] = revision
	}
	if i.Facts.Module.Version != "" {
		c.Labels["org.opencontainers.image.version"] = i.Facts.Module.Version
	}
	return c
}

// WriteOCI writes an image for containers: to a new folder in the OCI image layout, or, where the name ends in .tar,
// to a file as `docker load` and `podman load` take it. tag is its name there.
func WriteOCI(image v1.Image, to, tag string) error {
	ref, err := name.NewTag(tag)
	if err != nil {
		return fmt.Errorf("a container image is not named %q: %w", tag, err)
	}
	if strings.HasSuffix(to, ".tar") {
		return tarball.WriteToFile(to, ref, image)
	}
	if _, err := os.Stat(to); err == nil {
		return fmt.Errorf("%s is there already: name a new folder, or a file that ends in .tar", to)
	} else if !errors.Is(err, os.ErrNotExist) {
		return err
	}
	folder, err := layout.Write(to, empty.Index)
	if err != nil {
		return err
	}
	return folder.AppendImage(image, layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": ref.TagStr()}))
}
