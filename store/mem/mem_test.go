package mem_test

import (
	"os"
	"testing"

	"cairn/store"
	"cairn/store/mem"
	"cairn/store/storetest"
)

func TestBackend(t *testing.T) {
	rounds := 1
	if os.Getenv("CAIRN_LONG") == "1" {
		rounds = 20
	}
	for range rounds {
		storetest.Test(t, func(*testing.T) store.Backend { return mem.New() })
	}
}
