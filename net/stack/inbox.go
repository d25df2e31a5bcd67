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

const (
	smallFrame = 16 << 10 // of what is copied, in bytes
	headers    = 128      // what Ethernet, IP and TCP headers usually fit, in bytes
)

// space returns libos.MaxFrame bytes.
func (in *inbox) space() []byte {
	if in.view == nil {
		in.view = buffer.NewViewSize(libos.MaxFrame)
	}
	return in.view.AsSlice()
}

// take returns the n bytes that have come. The headers lie by themselves: netstack
// copies the whole piece of memory that a header lies in when others share it.
func (in *inbox) take(n int) (b buffer.Buffer) {
	frame := in.view.AsSlice()[:n]
	if n <= smallFrame {
		return buffer.MakeWithData(frame)
	}
	b = buffer.MakeWithData(frame[:headers])
	payload := in.view
	in.view = nil
	payload.CapLength(n)
	payload.TrimFront(headers)
	b.Append(payload)
	return b
}
