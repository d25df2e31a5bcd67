package remote

import (
	"os"
	"testing"

	"cairn/internal/githost"
	"cairn/store"
	"cairn/store/storetest"
)

func TestBackend(t *testing.T) {
	kinds := []githost.Kind{githost.Cairn}
	if os.Getenv("CAIRN_LONG") == "1" {
		kinds = append(kinds, githost.HTTPBackend, githost.SSHD)
	}
	for _, kind := range kinds {
		t.Run(string(kind), func(t *testing.T) {
			storetest.Test(t, func(t *testing.T) store.Backend {
				h := githost.New(t, kind)
				if kind.Stock() {
					h.Config("receive.denyDeleteCurrent", "ignore")
				}
				return open(t, h, inMemory(512<<20)).Backend
			})
		})
	}
}
