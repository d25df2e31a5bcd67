package gitdir

import (
	"testing"

	"cairn/store"
	"cairn/store/storetest"
)

func TestSuite(t *testing.T) {
	storetest.Test(t, func(t *testing.T) store.Backend { return newDir(t, Options{}) })
}
