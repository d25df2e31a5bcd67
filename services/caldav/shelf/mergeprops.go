package shelf

import "reflect"

// mergeProps takes of each property what one side has changed; where both have, ours.
// Shares, looks and dead properties are told apart by user or name.
func mergeProps(base, ours, theirs *Props) *Props {
	merged := ours.Clone()
	b, t := reflect.ValueOf(base.Clone()).Elem(), reflect.ValueOf(theirs.Clone()).Elem()
	o := reflect.ValueOf(merged).Elem()
	for i := range o.NumField() {
		if reflect.DeepEqual(o.Field(i).Interface(), b.Field(i).Interface()) {
			o.Field(i).Set(t.Field(i))
		}
	}
	merged.Shares = mergeMaps(base.Shares, ours.Shares, theirs.Shares)
	merged.Looks = mergeMaps(base.Looks, ours.Looks, theirs.Looks)
	dead := mergeMaps(byName(base.Dead), byName(ours.Dead), byName(theirs.Dead))
	merged.Dead = nil
	for _, list := range [][]Dead{ours.Dead, theirs.Dead} {
		for _, d := range list {
			name := deadName{d.Space, d.Name}
			if d, ok := dead[name]; ok {
				merged.Dead = append(merged.Dead, d)
				delete(dead, name)
			}
		}
	}
	return merged.Clone()
}

type deadName struct{ space, name string }

func byName(list []Dead) map[deadName]Dead {
	m := make(map[deadName]Dead, len(list))
	for _, d := range list {
		m[deadName{d.Space, d.Name}] = d
	}
	return m
}

func mergeMaps[K, V comparable](base, ours, theirs map[K]V) map[K]V {
	merged := map[K]V{}
	take := func(k K) {
		b, inBase := base[k]
		o, inOurs := ours[k]
		t, inTheirs := theirs[k]
		if inOurs == inBase && o == b {
			o, inOurs = t, inTheirs
		}
		if inOurs {
			merged[k] = o
		}
	}
	for _, m := range []map[K]V{ours, theirs} {
		for k := range m {
			take(k)
		}
	}
	return merged
}
