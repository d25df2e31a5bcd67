package remote

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"strconv"

	"cairn/bench/measure"
	"cairn/bench/stock"
	"cairn/store"
)

// largeFiles of 1 MiB are 10 GB.
const largeFiles = 10 << 10

// largeMemory is what the process that serves them may take, and largeBytes what of that
// is for objects.
const (
	largeMemory = 200 << 20
	largeBytes  = 48 << 20
)

// large reads all of a repository that is fifty times as large as the memory there is.
func (b *bench) large(ctx context.Context, dir string, _ int) error {
	files := max(1, largeFiles*b.room.Work/1000)
	repo, err := stock.Large(ctx, filepath.Join(dir, "large.git"), files)
	if err != nil {
		return err
	}
	if _, err := repo.Run(ctx, nil, "config", "uploadpack.allowFilter", "true"); err != nil {
		return err
	}
	url, stop, err := serve(ctx, repo.Dir)
	if err != nil {
		return err
	}
	defer stop()
	seconds, resident, err := coldStart(ctx, url, "blob:none", largeBytes, strconv.Itoa(files))
	if err != nil {
		return err
	}
	b.add("reading files of 1 MiB once", files, measure.Seconds, []float64{seconds}, nil, "", measure.Goal{})
	b.add("reading files of 1 MiB once, resident memory", files, measure.Bytes, []float64{resident}, nil, "", measure.Goal{Value: largeMemory})
	return nil
}

func readLarge(tree *store.Tree, files int) error {
	for i := range files {
		data, _, err := tree.Blob(stock.LargePath(i))
		if err != nil {
			return err
		}
		if !bytes.Equal(data, stock.LargeContent(i)) {
			return fmt.Errorf("%s is wrong", stock.LargePath(i))
		}
	}
	return nil
}
