package pack

import "bytes"

// ApplyStream is Apply by the way that large objects take.
func ApplyStream(base, delta []byte, limit int64) ([]byte, error) {
	r := bytes.NewReader(delta)
	baseSize, err := readDeltaSize(r)
	if err != nil {
		return nil, err
	}
	size, err := readDeltaSize(r)
	if err != nil {
		return nil, err
	}
	if size > limit || baseSize != int64(len(base)) {
		return nil, errDelta
	}
	w := &appender{}
	err = applyStream(w, bytes.NewReader(base), baseSize, size, r)
	if err != nil {
		return nil, err
	}
	return w.b, nil
}
