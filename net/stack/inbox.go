package stack

import (
	"gvisor.dev/gvisor/pkg/buffer"

	"cairn/libos"
)

// An inbox is where frames are received into. A large frame is handed on with
// the memory it came in; a small one is copied, so that it does not hold 64 KiB for as
// long as it waits somewhere.
type inbox struct {
	view *buffer.View
}

// smallFrame is the size of what is copied, in bytes.
const smallFrame = libos.MaxFrame / 4

func newInbox() *inbox { return &inbox{} }

// space returns libos.MaxFrame bytes.
func (in *inbox) space() []byte {
	if in.view == nil {
		in.view = buffer.NewViewSize(libos.MaxFrame)
	}
	return in.view.AsSlice()
}

// take returns the n bytes that have come, nil for none.
func (in *inbox) take(n int) *buffer.View {
	if n <= 0 || n > libos.MaxFrame {
		return nil
	}
	if n > smallFrame {
		v := in.view
		in.view = nil
		v.CapLength(n)
		return v
	}
	return buffer.NewViewWithData(in.view.AsSlice()[:n])
}
