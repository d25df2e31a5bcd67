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
type Manifest struct {
	Name  string // of the program, as a person types it: "unipi", "cairn up"
	About string // one or two sentences

	Ports []Port  // where it listens
	Peers []Peer  // whom it dials
	State *Folder // what it keeps on the machine; nil: nothing
	Args  []Arg   // what else is to be said to it
}

// A Port is a place to listen, which an argument of the same name can change:
// --http HOST:PORT. Port 0 takes a free one.
type Port struct {
	Name    string
	Network string // "tcp", "udp" and so on; empty: "tcp"
	Help    string

	// Host is where it listens on the host's own network, which it shares with other
	// programs; when that is taken, and nothing was said, a free port of the same
	// address. Empty: it does not listen unless told to.
	Host string

	// Own is where it listens on a network of its own. Empty: as for Host.
	Own string
}

// A Peer is somebody the service dials.
type Peer struct {
	// Address is a pattern host:port as Limits has it: "*" stands for any host,
	// any port or both.
	Address string

	// Arg, in place of an Address, names an argument that says who it is: a URL, git's
	// user@host:path, or host:port up to a comma.
	Arg string

	Why string
}

// A Folder is one that the service keeps state in. An argument of that name says
// where it is.
type Folder struct {
	Name     string
	Help     string
	Env      string // as in Arg
	Required bool
}

// An Arg is one argument.
type Arg struct {
	Name    string // small letters, digits and hyphens; written --name VALUE or -name=VALUE
	Kind    Kind
	Help    string // one sentence
	Value   string // what help calls the value, such as FILE; empty: by the kind
	Default string // what holds when nothing is said; of a Repeated one, words apart
	Env     string // a variable of the environment that says it where the command line does not, in worlds that have one
	Needs   string // another argument without which this one makes no sense

	Required bool
}

// Kind is what an argument's value is.
type Kind int

const (
	String   Kind = iota // any text
	Bool                 // --name, --name=true, --name=false
	Duration             // as time.ParseDuration has it: 90s, 5m
	Repeated             // any text, any number of times
)

// All are the arguments that the manifest amounts to: its own, and those of its
// ports and folder.
func (m Manifest) All() []Arg {
	var all []Arg
	if m.State != nil {
		all = append(all, Arg{Name: m.State.Name, Help: m.State.Help, Value: "DIR", Env: m.State.Env, Required: m.State.Required})
	}
	for _, p := range m.Ports {
		all = append(all, Arg{Name: p.Name, Help: p.Help, Value: "HOST:PORT"})
	}
	return slices.Concat(all, m.Args)
}
