package sealed

import "slices"

// Calls are the system calls that a process with all this attached may make, those
// that are made most first. Any other ends it with SIGSYS.
func Calls(a Attached) []Rule { return calls(a, self{}) }

// A self is what rules say of the process itself, which is known once it runs.
type self struct {
	pid    uint32
	poller int // the descriptor of the runtime's epoll
	waker  int // the descriptor of the event that ends its waiting
}

func calls(a Attached, s self) []Rule {
	var rules []Rule
	for _, l := range a.Links {
		rules = append(rules, on(l, "writev"), on(l, "readv"))
	}
	rules = append(rules, runtimeCalls(s)...)
	for _, c := range a.Consoles {
		rules = append(rules, on(c, "write"))
	}
	for _, l := range a.Links {
		rules = append(rules, closing(l, s)...)
	}
	for _, b := range a.Blocks {
		rules = append(rules, blockCalls(b)...)
	}
	if a.Folder != "" {
		rules = append(rules, folderCalls(s)...)
	}
	if a.Host != nil {
		rules = append(rules, hostCalls(*a.Host, s)...)
	}
	return simplify(rules)
}

// blockCalls read and write a disk. It stays open to the end.
func blockCalls(b Disk) []Rule {
	rules := []Rule{on(b.Descriptor, "pread64")}
	if !b.ReadOnly {
		rules = append(rules, on(b.Descriptor, "pwrite64"), on(b.Descriptor, "fsync"))
	}
	return append(rules, on(b.Descriptor, "close"))
}

// closing a descriptor that the runtime waits for.
func closing(d Descriptor, s self) []Rule {
	return []Rule{
		{"epoll_ctl", []limit{s.polls(), is(1, "op", value{"EPOLL_CTL_DEL", 2}), is(2, "fd", d.value())}},
		on(d, "close"),
	}
}

// on allows a call on one descriptor, which is its first argument.
func on(d Descriptor, call string) Rule { return Rule{call, []limit{is(0, "fd", d.value())}} }

func (d Descriptor) value() value { return value{d.Name, uint32(d.FD)} }

// is limits an int to some values.
func is(arg int, name string, values ...value) limit {
	return limit{arg: arg, name: name, oneOf: values}
}

// within limits an int to some bits.
func within(arg int, name string, may ...value) limit { return limit{arg: arg, name: name, may: may} }

// simplify drops rules beside one of the same call that has no limits, and makes one of
// those that differ in the values of one argument.
func simplify(rules []Rule) []Rule {
	var simple []Rule
	for _, r := range rules {
		i := slices.IndexFunc(simple, func(s Rule) bool {
			return s.Call == r.Call && (len(s.limits) == 0 || len(r.limits) == 0 || joins(s, r) >= 0)
		})
		switch {
		case i < 0:
			simple = append(simple, r)
		case len(simple[i].limits) == 0:
		case len(r.limits) == 0:
			simple = slices.DeleteFunc(simple, func(s Rule) bool { return s.Call == r.Call })
			simple = append(simple, r)
		default:
			simple[i] = join(simple[i], r)
		}
	}
	return simple
}

// joins returns the only limit in which two rules of one call differ, if that is one of
// values on both sides; else -1.
func joins(a, b Rule) int {
	if len(a.limits) != len(b.limits) {
		return -1
	}
	differs := -1
	for i, l := range a.limits {
		m := b.limits[i]
		if l.arg != m.arg || l.wide != m.wide || !slices.Equal(l.with, m.with) || !slices.Equal(l.may, m.may) {
			return -1
		}
		if slices.Equal(l.oneOf, m.oneOf) {
			continue
		}
		if differs >= 0 || len(l.oneOf) == 0 || len(m.oneOf) == 0 {
			return -1
		}
		differs = i
	}
	return max(differs, 0)
}

// join makes one rule of two for which joins has an answer.
func join(a, b Rule) Rule {
	i := joins(a, b)
	limits := slices.Clone(a.limits)
	for _, v := range b.limits[i].oneOf {
		if !slices.Contains(limits[i].oneOf, v) {
			limits[i].oneOf = append(slices.Clone(limits[i].oneOf), v)
		}
	}
	return Rule{a.Call, limits}
}
