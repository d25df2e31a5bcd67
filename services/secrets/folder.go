package secrets

import (
	"context"
	"path"

	"cairn/store/object"
)

// A Folder is the secrets below one path, as somebody sees them who knows of no
// branch: net/acme keeps its account and certificates in one.
type Folder struct {
	Secrets *Secrets
	Path    string           // such as "acme"
	By      object.Signature // the author of changes
}

// Load is Secrets.Get.
func (f Folder) Load(ctx context.Context, key string) ([]byte, error) {
	return f.Secrets.Get(ctx, path.Join(f.Path, key))
}

// Update is Secrets.Update.
func (f Folder) Update(ctx context.Context, key string, edit func(old []byte) ([]byte, error)) error {
	return f.Secrets.Update(ctx, f.By, path.Join(f.Path, key), edit)
}
