package unipi

import "strings"

// A head is the header of a response in order. Names are canonical. The
// values are slices so that they can be shared with an http.Header without
// an allocation for each response.
type head []field

type field struct {
	name   string
	values []string
}

func (h *head) find(name string) int {
	for i := range *h {
		if (*h)[i].name == name {
			return i
		}
	}
	return -1
}

func (h *head) value(name string) string {
	if i := h.find(name); i >= 0 {
		return (*h)[i].values[0]
	}
	return ""
}

func (h *head) set(name, value string) {
	if i := h.find(name); i >= 0 {
		(*h)[i].values = []string{value}
		return
	}
	*h = append(*h, field{name, []string{value}})
}

func (h *head) add(name, value string) {
	if i := h.find(name); i >= 0 {
		(*h)[i].values = append((*h)[i].values[:len((*h)[i].values):len((*h)[i].values)], value)
		return
	}
	h.set(name, value)
}

// join adds value to a list header, unless it is in the list.
func (h *head) join(name, value string) {
	i := h.find(name)
	if i < 0 {
		h.set(name, value)
		return
	}
	for item := range strings.SplitSeq((*h)[i].values[0], ",") {
		if strings.EqualFold(strings.TrimSpace(item), value) {
			return
		}
	}
	(*h)[i].values = []string{(*h)[i].values[0] + ", " + value}
}

func (h *head) remove(name string) {
	if i := h.find(name); i >= 0 {
		*h = append((*h)[:i:i], (*h)[i+1:]...)
	}
}

// with returns a copy with name set to value.
func (h head) with(name, value string) head {
	c := append(make(head, 0, len(h)+1), h...)
	c.set(name, value)
	return c
}
