package libos

import "slices"

// A Manifest says what a service needs of the machine it runs on and which
// arguments it takes. It is a literal of plain data, so that it can be read
// without running the service; what it does not name is refused:
//
//	var manifest = libos.Manifest{
//		Name:  "echo",
//		About: "Echo says again what it is told.",
//		Ports: []libos.Port{{Name: "listen", Host: "127.0.0.1:7007", Own: ":7", Help: "Where to listen."}},
//		Args:  []libos.Arg{{Name: "shout", Kind: libos.Bool, Help: "In capitals."}},
//	}
//
// As JSON it is what `PROGRAM --manifest` prints and images carry.
type Manifest struct {
	Name  string `json:"name"`  // of the program, as a person types it: "unipi", "cairn up"
	About string `json:"about"` // one or two sentences

	Ports []Port  `json:"ports,omitempty"` // where it listens
	Peers []Peer  `json:"peers,omitempty"` // whom it dials
	State *Folder `json:"state,omitempty"` // what it keeps on the machine; nil: nothing
	Disks []Disk  `json:"disks,omitempty"` // which disks it reads and writes
	Args  []Arg   `json:"args,omitempty"`  // what else is to be said to it
}

// A Port is a place to listen, which an argument of the same name can change:
// --http HOST:PORT. Port 0 takes a free one.
type Port struct {
	Name    string `json:"name"`
	Network string `json:"network,omitempty"` // "tcp", "udp" and so on; empty: "tcp"
	Help    string `json:"help"`

	// Host is where it listens on the host's own network, which it shares with other
	// programs; when that is taken, and nothing was said, a free port of the same
	// address. Empty: it does not listen unless told to.
	Host string `json:"host,omitempty"`

	// Own is where it listens on a network of its own. Empty: as for Host.
	Own string `json:"own,omitempty"`
}

// A Peer is somebody the service dials.
type Peer struct {
	// Address is a pattern host:port as Limits has it: "*" stands for any host,
	// any port or both.
	Address string `json:"address,omitempty"`

	// Arg, in place of an Address, names an argument that says who it is: a URL, git's
	// user@host:path, or host:port up to a comma.
	Arg string `json:"arg,omitempty"`

	Why string `json:"why"`
}

// A Folder is one that the service keeps state in. An argument of that name says
// where it is.
type Folder struct {
	Name     string `json:"name"`
	Help     string `json:"help"`
	Env      string `json:"env,omitempty"` // as in Arg
	Required bool   `json:"required,omitempty"`
}

// A Disk is a Block that the service uses. An argument of that name says which: on
// a host a file or a block device, on a machine of its own the disk with that ID. There,
// when nothing is said, it is the disk whose ID is Name, or else the next one that nothing
// else names.
type Disk struct {
	Name     string `json:"name"`
	Help     string `json:"help"`
	Required bool   `json:"required,omitempty"`
	ReadOnly bool   `json:"readOnly,omitempty"`
}

// An Arg is one argument.
type Arg struct {
	Name    string `json:"name"`              // small letters, digits and hyphens; written --name VALUE or -name=VALUE
	Kind    Kind   `json:"kind,omitempty"`    // absent: String
	Help    string `json:"help"`              // one sentence
	Value   string `json:"value,omitempty"`   // what help calls the value, such as URL; empty: by the kind
	Default string `json:"default,omitempty"` // what holds when nothing is said; of a Repeated one, words apart
	Env     string `json:"env,omitempty"`     // a variable of the environment that says it where the command line does not, in worlds that have one
	Needs   string `json:"needs,omitempty"`   // another argument without which this one makes no sense

	Required bool `json:"required,omitempty"`
}

// All are the arguments that the manifest amounts to: its own, and those of its
// ports, folder and disks.
func (m Manifest) All() []Arg {
	var all []Arg
	if m.State != nil {
		all = append(all, Arg{Name: m.State.Name, Help: m.State.Help, Value: "DIR", Env: m.State.Env, Required: m.State.Required})
	}
	for _, p := range m.Ports {
		all = append(all, Arg{Name: p.Name, Help: p.Help, Value: "HOST:PORT"})
	}
	for _, d := range m.Disks {
		all = append(all, Arg{Name: d.Name, Help: d.Help, Value: "DISK"})
	}
	return slices.Concat(all, m.Args)
}
