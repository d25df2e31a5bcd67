// Package arch tests the shape of the repository: which room may import which,
// who may hold ambient authority, and that the code is formatted and vetted.
package arch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "cairn/"

// rooms lists what each room may import of ours besides itself, and why no
// more. The longest matching prefix wins. As in Go's patterns, "store" is that
// package alone and "store/..." is all below it too.
var rooms = []struct{ room, may, why string }{
	{"store/object", "", "it is what git objects look like and knows of no storage"},
	{"store/pack", "store/object", "it is a file format"},
	{"store", "store/object", "the core sees its backends only through the seam in backend.go"},
	{"store/gitdir", "store store/object store/pack", "a backend sees the seam and the formats"},
	{"store/mem", "store store/object store/pack", "a backend sees the seam and the formats"},
	{"store/gitwire", "store store/object store/pack", "the wire works on any backend"},
	{"store/sign", "store store/object", "a program that signs nothing need not hold it"},
	{"store/storetest", "store store/object store/pack", "the suite works on any backend"},

	{"store/lazy", "store store/object store/pack", "it keeps objects and knows neither refs nor wire"},
	{"store/remote", "store store/object store/pack store/gitwire store/lazy", "a backend sees the seam; this one speaks the wire"},
	{"store/observe", "store store/object", "it stands before any backend"},
	{"store/mirror", "store store/object store/gitwire", "it carries a repository elsewhere, over the wire"},
	{"store/trust", "store store/object store/observe store/sign", "it judges commits, wherever they come from"},

	{"libos", "", "it is the vocabulary that everybody else speaks"},
	{"libos/unix", "libos", "it opens the host's devices"},
	{"libos/sealed", "libos libos/unix", "it knows what is attached, not who uses it"},
	{"libos/metal/kernel", "", "it stands below the runtime, and its sources are laid into a package of the standard library to test that on it"},
	{"libos/metal/pvh", "", "it is a file format"},
	{"libos/metal/virtio", "libos", "drivers are ordinary code that simulated devices test"},
	{"libos/metal", "libos libos/metal/...", "it makes the devices that the kernel found into those of the vocabulary"},
	{"libos/libostest", "libos", "the suites work on any device"},
	{"libos/boot", "libos libos/... net/...", "it finds out which world it is in and attaches the devices"},
	{"net", "libos", "the network knows of no store and no service"},
	{"net/stack", "libos net/dial net/dns net/dhcp", "it is a whole network, made of parts that know no other"},
	{"net/host", "libos net/dial net/dns", "the host's sockets, with names resolved as on a stack where asked to"},
	{"net/acme", "libos net/certs", "it is a source of certificates"},

	{"services/tomlfile", "", "it is a file format"},
	{"services/config", "store store/object services/tomlfile", "it is read by every service and knows none"},
	{"services/secrets", "store store/object", "it is read by every service and knows none"},
	{"services/accounts", "store store/object services/tomlfile", "it is read by every service and knows none"},
	{"services/monitor", "store store/observe", "it is told of commits and asked how things are"},
	{"services", "store store/object store/gitwire services/config services/secrets services/accounts",
		"services share data through the store, not code; who may do what is asked of accounts, config and secrets"},

	{"services/caldav", "store store/object services/accounts services/tomlfile", "calendars and contacts share data with other services through the store"},
	{"services/caldav/line", "", "it is a file format"},
	{"services/caldav/ical", "services/caldav/line", "it is a file format and what follows from it"},
	{"services/caldav/vcard", "services/caldav/line", "it is a file format and what follows from it"},
	{"services/caldav/dav", "services/caldav/line services/caldav/ical services/caldav/vcard", "it is a wire format and knows of no storage"},
	{"services/caldav/shelf", "store store/object services/tomlfile services/caldav/line services/caldav/ical services/caldav/vcard", "it keeps collections on a branch and knows of no protocol"},
	{"services/caldav/sched", "services/caldav/line services/caldav/ical", "it says what follows from a change of an event, and does nothing"},
	{"services/caldav/feed", "store store/object services/caldav/shelf services/caldav/ical services/caldav/vcard services/caldav/line", "it carries calendars in and out of the shelf"},
	{"services/caldav/past", "store services/caldav/line services/caldav/shelf", "it says what was done to the shelf, and takes it back"},
	{"services/caldav/page", "services/look services/caldav/line services/caldav/ical", "it shows a calendar and knows not where it lies"},
	{"services/caldav/publish", "services/accounts services/caldav/shelf services/caldav/feed services/caldav/ical services/caldav/page", "it puts public calendars of the shelf on pages"},
	{"services/mail", "store store/object services/config services/secrets services/accounts services/tomlfile", "it decides who gets a message; the rooms below know their part and not who asks"},
	{"services/mail/message", "", "it is a file format"},
	{"services/mail/mailbox", "store store/object services/tomlfile services/mail/message", "it keeps mail on a branch and knows of no protocol"},
	{"services/mail/search", "services/mail/message", "it finds words and knows not where messages lie"},
	{"services/mail/junk", "store store/object services/mail/message", "it judges text by what it was taught"},
	{"services/mail/auth", "services/mail/message", "it says who sent a message, and decides nothing"},
	{"services/mail/queue", "store store/object services/secrets services/tomlfile services/mail/message services/mail/queue/...", "it carries messages away and knows not who wrote them"},
	{"services/mail/srs", "", "it rewrites addresses and keeps nothing"},
	{"services/mail/sieve", "services/mail/message", "it is a language: it says what is to be done, and does nothing"},
	{"services/mail/scripts", "store store/object services/accounts services/mail services/mail/auth services/mail/mailbox services/mail/message services/mail/sieve", "it keeps people's scripts beside their mail, and tells the delivery what they want"},
	{"services/mail/managesieve", "services/accounts services/mail/login services/mail/scripts services/mail/sieve", "it is a protocol over the scripts"},
	{"services/mail/sealed", "services/mail/message", "it encrypts and keeps nothing"},
	{"services/mail/login", "services/accounts", "it is how mail programs log in, whatever they speak"},
	{"services/mail/imap", "store store/object services/accounts services/mail/mailbox services/mail/message services/mail/search services/mail/login", "it is a protocol over mailboxes"},
	{"services/mail/smtp", "services/accounts services/mail services/mail/message services/mail/auth services/mail/login", "it is a protocol before the delivery"},
	{"services/mail/reports", "store services/mail services/mail/auth", "it keeps what others report of our mail; the delivery hands it in"},
	{"services/mail/domain", "store/object services/config services/accounts services/secrets services/mail/auth", "it says what the world has to be told of a domain"},
	{"services/mail/imip", "services/mail/message", "it is a format: the mail around a calendar"},
	{"services/mail/transfer", "store services/mail/mailbox services/mail/message", "it carries mail in and out of mailboxes"},

	{"services/self", "store store/object services/look services/accounts", "what services offer a person there is handed in by cmd"},
	{"services/look", "", "it is a style sheet"},

	{"deploy", "libos/... store/...", "it places services, it does not know them"},
	{"deploy/image", "libos/...", "an image is a program and what it says of itself"},
	{"cmd", "libos/... store/... net/... services/... deploy/... cmd/setup/...", "it wires"},
	{"bench", "libos/... store/... net/... services/... deploy/... internal/... bench/...", "it measures all there is, in one way"},
	{"test", "cmd/... store/... services/... internal/...", "it drives whole programs"},
	{"internal", "store/... internal/...", "it serves the tests of every room"},
}

// ambient lists packages that grant authority which nobody passed in, and the
// rooms below that may have it.
var ambient = []struct{ room, but, imports string }{
	{"services", "", "os os/exec os/signal os/user flag syscall unsafe golang.org/x/sys/unix"},
	{"store", "store/gitdir", "os os/exec os/signal os/user flag syscall unsafe golang.org/x/sys/unix"},
	{"store/gitdir", "", "os/exec os/signal os/user flag"},
	{"libos", "libos/unix libos/sealed libos/metal libos/boot libos/libostest", "os os/exec os/signal os/user flag syscall"},
	{"net", "net/host net/stack", "os os/exec os/signal os/user flag syscall"},
	{"net/stack", "", "os/exec os/signal os/user flag"},
}

// values lists rooms that import a package which grants authority, for the sake of
// the values in it that grant none: errors that callers of package net compare with.
var values = []struct{ room, imports, only string }{
	{"net/stack", "os", "ErrDeadlineExceeded NewSyscallError SyscallError"},
	{"net/stack", "syscall", "Errno E[A-Z]*"},
}

// calls lists functions that reach for the network or the process by themselves.
var calls = map[string]string{
	"net":  "Listen ListenTCP ListenUDP ListenPacket ListenConfig Dial DialTimeout DialTCP DialUDP Dialer LookupHost LookupIP LookupAddr Resolver DefaultResolver",
	"http": "DefaultClient DefaultTransport Get Post PostForm Head ListenAndServe ListenAndServeTLS HandleFunc DefaultServeMux",
}

func TestRooms(t *testing.T) {
	eachFile(t, func(name string, f *ast.File) {
		for _, spec := range f.Imports {
			imp, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if why := judge(path.Dir(name), imp); why != "" {
				t.Errorf("%s imports %s: %s", name, imp, why)
			}
		}
	})
}

func TestNoAmbientCalls(t *testing.T) {
	eachFile(t, func(name string, f *ast.File) {
		dir := path.Dir(name)
		if dir == "net/host" || !slices.ContainsFunc([]string{"services", "store", "net", "cmd"}, func(room string) bool { return within(dir, room) }) {
			return
		}
		names := map[string]string{} // local name of an imported package → key in calls
		for _, spec := range f.Imports {
			for key, imp := range map[string]string{"net": `"net"`, "http": `"net/http"`} {
				if spec.Path.Value != imp {
					continue
				}
				names[key] = key
				if spec.Name != nil {
					delete(names, key)
					names[spec.Name.Name] = key
				}
			}
		}
		ast.Inspect(f, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			x, ok := sel.X.(*ast.Ident)
			if !ok || x.Obj != nil || names[x.Name] == "" {
				return true
			}
			if contains(calls[names[x.Name]], sel.Sel.Name) {
				t.Errorf("%s uses %s.%s: take a listener, a dialer or a client as an argument instead", name, x.Name, sel.Sel.Name)
			}
			return true
		})
	})
}

// TestValues makes sure that the rooms in values use only what is listed there.
func TestValues(t *testing.T) {
	eachFile(t, func(name string, f *ast.File) {
		for _, v := range values {
			if !within(path.Dir(name), v.room) {
				continue
			}
			ast.Inspect(f, func(n ast.Node) bool {
				sel, ok := n.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				x, ok := sel.X.(*ast.Ident)
				if !ok || x.Obj != nil || x.Name != v.imports {
					return true
				}
				if !slices.ContainsFunc(strings.Fields(v.only), func(p string) bool { ok, _ := path.Match(p, sel.Sel.Name); return ok }) {
					t.Errorf("%s uses %s.%s: of that package it may use only %s", name, v.imports, sel.Sel.Name, v.only)
				}
				return true
			})
		}
	})
}

// eachFile parses every Go file that is not a test. It parses rather than
// asking go list, so that files behind build tags are checked too, and so that
// go test's cache notices a change.
func eachFile(t *testing.T, visit func(name string, f *ast.File)) {
	t.Helper()
	root := os.DirFS("../..")
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && name != ".") {
			return fs.SkipDir
		}
		if d.IsDir() || path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		src, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, src, 0)
		if err != nil {
			return err
		}
		visit(name, f)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// judge returns why pkg may not import imp, or "" if it may.
func judge(pkg, imp string) string {
	room, may, why, ok := lookup(pkg)
	if !ok {
		return pkg + " is in no room; add it to the table in internal/arch"
	}
	rel, ours := strings.CutPrefix(imp, module)
	if !ours {
		for _, a := range ambient {
			if within(pkg, a.room) && !slices.ContainsFunc(strings.Fields(a.but), func(but string) bool { return within(pkg, but) }) && contains(a.imports, imp) {
				return "authority is handed in, never ambient; take what you need as an argument"
			}
		}
		return ""
	}
	if within(rel, pkg) && pkg != "store" || allowed(rel, may) {
		return ""
	}
	return room + " may import of ours only [" + may + "]: " + why
}

// lookup finds the room that pkg lies in.
func lookup(pkg string) (room, may, why string, ok bool) {
	for _, r := range rooms {
		if within(pkg, r.room) && len(r.room) > len(room) {
			room, may, why, ok = r.room, r.may, r.why, true
		}
	}
	return
}

func allowed(rel, may string) bool {
	for m := range strings.FieldsSeq(may) {
		tree, all := strings.CutSuffix(m, "/...")
		if rel == m || all && within(rel, tree) {
			return true
		}
	}
	return false
}

func within(p, dir string) bool    { return p == dir || strings.HasPrefix(p, dir+"/") }
func contains(list, s string) bool { return strings.Contains(" "+list+" ", " "+s+" ") }

func TestJudge(t *testing.T) {
	for _, c := range []struct {
		pkg, imp string
		ok       bool
	}{
		{"store", "cairn/store/object", true},
		{"store", "cairn/store/gitdir", false},
		{"store/object", "cairn/store", false},
		{"store/gitdir", "cairn/store/pack", true},
		{"store/gitwire", "cairn/store/gitdir", false},
		{"store/gitdir", "os", true},
		{"store/gitdir", "os/exec", false},
		{"store/mem", "os", false},
		{"services/unipi", "cairn/services/git", false},
		{"services/unipi", "cairn/services/unipi/x", true},
		{"services/git", "cairn/services/accounts", true},
		{"services/accounts", "cairn/services/git", false},
		{"services/unipi", "cairn/libos", false},
		{"services/unipi", "os", false},
		{"services/unipi", "net/http", true},
		{"cmd/cairn", "cairn/services/unipi", true},
		{"services/unipi", "cairn/store/gitdir", false},
		{"services/git", "cairn/store/gitwire", true},
		{"elsewhere", "fmt", false},
	} {
		if got := judge(c.pkg, c.imp) == ""; got != c.ok {
			t.Errorf("%s imports %s: allowed = %v, want %v", c.pkg, c.imp, got, c.ok)
		}
	}
}
