package mem_test

import (
	"testing"

	"cairn/store"
	"cairn/store/mem"
	"cairn/store/storetest"
)

func TestBackend(t *testing.T) {
	storetest.Test(t, func(*testing.T) store.Backend { return mem.New() })
}
