package boot

import (
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"strconv"
	"time"

	"cairn/libos"
	"cairn/libos/sealed"
	"cairn/net/certs"
)

var sealArgs = []libos.Arg{
	{Name: "seal", Kind: libos.Bool, Help: "Give up, before serving, all that is not attached by then: no other file, program or network can be opened any more (Linux: seccomp, Landlock)."},
	{Name: "seal-user", Value: "UID", Needs: "seal", Help: "With --seal and as root: whom to become. By itself the owner of the folder, or nobody."},
}

// warmUp has read what programs read when they first need it, and cannot once they are sealed.
func warmUp(more []func()) {
	_, _ = time.Now().Zone() // reads /etc/localtime
	certs.Roots()
	for _, f := range more {
		f()
	}
}

// readFiles reads all files that arguments name, for good.
func (d *devices) readFiles(args libos.Args) error {
	files := map[string][]byte{}
	for _, name := range args.Files() {
		data, err := d.readFile(name)
		if err != nil {
			return err
		}
		files[name] = data
	}
	d.readFile = func(name string) ([]byte, error) { return files[name], nil }
	return nil
}

// seal locks the process in, if the arguments ask for that, with what env and the devices are,
// and the name servers of the host.
func (p program) seal(d *devices, env *libos.Env, limits libos.Limits, servers []netip.AddrPort) error {
	if !env.Args.Bool("seal") {
		return nil
	}
	warmUp(p.warm)
	a := d.attached
	if d.card == nil {
		for _, s := range servers {
			limits.Dial = append(limits.Dial, netip.AddrPortFrom(s.Addr().WithZone(""), s.Port()).String())
		}
		a.Host = &limits
	}
	if env.State != "" {
		dir, err := filepath.Abs(env.State)
		if err != nil {
			return err
		}
		env.State, a.Folder = dir, dir
	} else {
		env.Alone = true // none can be chosen any more
	}
	if text := env.Args.String("seal-user"); text != "" {
		id, err := strconv.ParseUint(text, 10, 32)
		if err != nil || id == 0 {
			return fmt.Errorf("--seal-user is the number of a user, and not root's, not %q", text)
		}
		a.User = uint32(id)
	}
	return sealed.Seal(a)
}

// errNoSeal says why a machine of its own takes no --seal.
var errNoSeal = errors.New("--seal is for a process on a host: this machine holds nothing but what is attached")
