package virtio

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Features of a disk (virtio 1.2, 5.2.3).
const (
	blockSizeMax  = 1 << 1
	blockReadOnly = 1 << 5
	blockBlkSize  = 1 << 6
	blockFlush    = 1 << 9
	blockAccepts  = EventIndex | Version1 | AnyLayout | blockSizeMax | blockReadOnly | blockBlkSize | blockFlush
)

// A blockPlan is what a disk says of itself, and how its memory is divided.
type blockPlan struct {
	features uint64
	size     int64 // in bytes
	block    int
	piece    int // bytes of a request, a multiple of block
	requests int // under way at once
}

const (
	sector = 512 // what the protocol counts in

	// DefaultBlockMemory is how many bytes of memory a disk has for requests.
	DefaultBlockMemory = 256 << 10

	largestPiece  = 64 << 10
	largestBlock  = 64 << 10
	fewestPieces  = 4
	mostRequests  = 32
	requestMemory = 32 // bytes before a request's data: its header, and its status
)

// planBlock reads what a disk says of itself, once, each number as what it is
// (virtio 1.2, 2.5.1).
func planBlock(d Device, memory int) (p blockPlan, err error) {
	offers := d.Features()
	p.features = offers & blockAccepts
	number := func(off, width int) uint64 {
		var b [8]byte
		d.Config(off, b[:width])
		return binary.LittleEndian.Uint64(b[:])
	}
	sectors := number(0, 8)
	if sectors > math.MaxInt64/sector {
		return p, fmt.Errorf("a disk of %d sectors is not possible", sectors)
	}
	p.size = int64(sectors) * sector
	p.block = sector
	if offers&blockBlkSize != 0 {
		p.block = int(number(20, 4))
	}
	if p.block < sector || p.block > largestBlock || p.block&(p.block-1) != 0 {
		return p, fmt.Errorf("blocks of %d bytes are not possible", p.block)
	}
	p.size -= p.size % int64(p.block)
	p.piece = min(largestPiece, max(memory/fewestPieces, p.block))
	if offers&blockSizeMax != 0 {
		p.piece = min(p.piece, int(number(8, 4)))
	}
	if p.piece -= p.piece % p.block; p.piece == 0 {
		return p, fmt.Errorf("it takes no whole block of %d bytes at once", p.block)
	}
	p.requests = min(max(1, memory/p.piece), d.QueueMax(0)/3, mostRequests)
	return p, nil
}
