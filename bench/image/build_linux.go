package image

import (
	"context"
	"os"
	"path"
	"path/filepath"

	deploy "cairn/deploy/image"
)

// build makes an image of a program, as `cairn image build` does.
func build(ctx context.Context, dir, pkg string) (string, error) {
	built, err := deploy.Build(ctx, deploy.Options{Program: pkg})
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, path.Base(pkg)+".img")
	return file, os.WriteFile(file, built.Image, 0o755)
}
