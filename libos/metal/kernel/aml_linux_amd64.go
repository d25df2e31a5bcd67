package kernel

// The byte code of ACPI (AML; ACPI 6.5, 20) is not run. It is searched for devices,
// and these for the few names whose values are written out in full, as every
// monitor does: _HID, _CRS, and _CBA of a PCI host bridge. That finds what there is
// without an interpreter.

const (
	amlName    = 0x08
	amlByte    = 0x0a
	amlWord    = 0x0b
	amlDWord   = 0x0c
	amlString  = 0x0d
	amlQWord   = 0x0e
	amlBuffer  = 0x11
	amlPackage = 0x12
	amlNotify  = 0x86
	amlExt     = 0x5b // before the next two
	amlRegion  = 0x80
	amlDevice  = 0x82
	amlReturn  = 0xa4
)

// Names of objects, as numbers.
const (
	nameHID = '_' | 'H'<<8 | 'I'<<16 | 'D'<<24
	nameCRS = '_' | 'C'<<8 | 'R'<<16 | 'S'<<24
	nameCBA = '_' | 'C'<<8 | 'B'<<16 | 'A'<<24
	nameSEG = '_' | 'S'<<8 | 'E'<<16 | 'G'<<24
	nameS5  = '_' | 'S'<<8 | '5'<<16 | '_'<<24
)

// Kinds of devices (_HID): text as numbers, or compressed.
const (
	hidVirtio     = 'L' | 'N'<<8 | 'R'<<16 | 'O'<<24 | '0'<<32 | '0'<<40 | '0'<<48 | '5'<<56
	hidEvents     = 'A' | 'C'<<8 | 'P'<<16 | 'I'<<24 | '0'<<32 | '0'<<40 | '1'<<48 | '3'<<56
	hidController = 0x060ad041 // PNP0A06, which may be anything
	hidPCI        = 0x030ad041 // PNP0A03
	hidPCIe       = 0x080ad041 // PNP0A08
	textPCIe      = 'P' | 'N'<<8 | 'P'<<16 | '0'<<24 | 'A'<<32 | '0'<<40 | '8'<<48
	textPCI       = 'P' | 'N'<<8 | 'P'<<16 | '0'<<24 | 'A'<<32 | '0'<<40 | '3'<<48
)

// An amlObject is what a device says of itself; what it does not is 0.
type amlObject struct {
	hid       uint64
	crs, size uintptr // the resources, as bytes
	cba       uint64  // where PCI configuration is in memory
	segment   uint64
	region    uint64 // the first region of memory that it declares,
	width     uint64 // and its length
}

// amlDepth is how deep devices may be within each other; who is deeper is not seen.
const amlDepth = 8

// amlObjects are those that are being read, one for each depth.
var amlObjects [amlDepth + 1]amlObject

// readAML finds the devices in n bytes of byte code at a, soft-off and the power button.
func readAML(a, n uintptr) {
	amlObjects[0].read(a, a+n, 0)
}

// read reads what a device, whose contents are from a to end, says of itself. The
// devices within it are read on their own, and passed over: each byte is looked at once.
func (o *amlObject) read(a, end uintptr, depth int) {
	for i := a; i < end && end-i >= 5; i++ {
		if body, inner := amlDeviceAt(i, end); body != 0 {
			if depth < amlDepth {
				within := &amlObjects[depth+1]
				*within = amlObject{}
				within.read(body, inner, depth+1)
				within.add()
			}
			i = inner - 1
			continue
		}
		switch op, name := *p8(i), *p32(i + 1); {
		case op == amlName:
			o.readName(name, i+5, end)
		case op == amlNotify && i-a >= 2:
			readNotify(i, end)
		case op == amlExt && *p8(i + 1) == amlRegion && end-i >= 7 && *p8(i + 6) == 0 && o.region == 0:
			o.readRegion(i+7, end)
		case o.cba == 0 && *p32(i) == nameCBA && end-i >= 6 && *p8(i + 5) == amlReturn: // a method of no arguments
			o.cba, _ = amlInteger(i+6, end)
		}
	}
}

// readName reads the value of a name, which is at a.
func (o *amlObject) readName(name uint32, a, end uintptr) {
	switch name {
	case nameHID:
		o.hid = amlIdentity(a, end)
	case nameCRS:
		o.crs, o.size = amlBytes(a, end)
	case nameSEG:
		o.segment, _ = amlInteger(a, end)
	case nameCBA:
		o.cba, _ = amlInteger(a, end)
	case nameS5:
		readSoftOff(a, end)
	}
}

// add adds the device that has said all this to what the machine has.
func (o *amlObject) add() {
	switch o.hid {
	case hidVirtio:
		addACPI(o)
	case hidEvents:
		if r := readResources(o.crs, o.size); r.interrupt {
			events.interrupt, events.pin, events.level, events.low = true, r.pin, r.level, r.low
		}
		addEventRegion(o)
	case hidController:
		addEventRegion(o)
	case hidPCI, hidPCIe, textPCI, textPCIe:
		addHostBridge(o)
	}
}

// amlDeviceAt returns where the contents of the device that is declared at a
// begin and end; 0, 0 if none is.
func amlDeviceAt(a, limit uintptr) (body, end uintptr) {
	if limit-a < 8 || *p8(a) != amlExt || *p8(a + 1) != amlDevice {
		return 0, 0
	}
	body, end = amlLength(a+2, limit)
	if body == 0 || body == end {
		return 0, 0
	}
	for body < end && (*p8(body) == '\\' || *p8(body) == '^') {
		body++
	}
	if body == end {
		return 0, 0
	}
	segments := uintptr(1)
	switch *p8(body) {
	case 0x2e:
		segments, body = 2, body+1
	case 0x2f:
		if end-body < 2 {
			return 0, 0
		}
		segments, body = uintptr(*p8(body + 1)), body+2
	}
	if body >= end || end-body < 4*segments || !amlNameByte(*p8(body)) {
		return 0, 0
	}
	return body + 4*segments, end
}

func amlNameByte(c uint8) bool { return c >= 'A' && c <= 'Z' || c == '_' }

// readSoftOff reads the value of _S5, a package whose first two are numbers.
func readSoftOff(a, limit uintptr) {
	if a >= limit || *p8(a) != amlPackage {
		return
	}
	body, end := amlLength(a+1, limit)
	if body == 0 || end-body < 3 {
		return
	}
	t1, size := amlInteger(body+1, end)
	if size == 0 {
		return
	}
	t2, size2 := amlInteger(body+1+size, end)
	if size2 == 0 {
		t2 = t1
	}
	fadt.soft, fadt.softTypeA, fadt.softTypeB = true, uint8(t1&7), uint8(t2&7)
}

// readRegion reads where a region begins and how long it is.
func (o *amlObject) readRegion(a, limit uintptr) {
	v, size := amlInteger(a, limit)
	if size == 0 {
		return
	}
	if width, size := amlInteger(a+size, limit); size != 0 {
		o.region, o.width = v, width
	}
}
