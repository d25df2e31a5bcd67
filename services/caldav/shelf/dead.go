package shelf

// DecodeDead returns the dead properties in a file that Props.Encode has written,
// for what else is on a person's branch.
func DecodeDead(data []byte) ([]Dead, error) {
	p, err := decodeProps(data, false)
	if err != nil {
		return nil, err
	}
	return p.Dead, nil
}
