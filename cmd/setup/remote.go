package setup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"golang.org/x/crypto/ssh"

	"cairn/libos"
	"cairn/store"
	"cairn/store/gitdir"
	"cairn/store/gitwire"
	"cairn/store/observe"
	"cairn/store/remote"
	"cairn/store/sign"
	"cairn/store/trust"
)

// A Remote is an open repository somewhere else.
type Remote struct {
	*remote.Backend
	host   *gitwire.Remote
	folder *gitdir.Dir   // nil: in memory
	poll   time.Duration // how often the host is asked
	policy *trust.Policy
}

// Guarded is the repository, in which nothing is written that with --trust other
// replicas would not follow.
func (r *Remote) Guarded() observe.Backend { return trust.Guard(r.Backend, r.policy) }

// String is its URL, without a password.
func (r *Remote) String() string { return r.host.String() }

// Settle is how long other replicas may take to see what was written here.
func (r *Remote) Settle() time.Duration { return 2*r.poll + time.Second }

// RemoteOptions are what is to be known beside RemoteArgs.
type RemoteOptions struct {
	Seed    *Seed                 // nil: none
	Folder  string                // where to keep what has been fetched; empty: nowhere but in memory
	Own     ssh.PublicKey         // whose signatures count in any case; nil: nobody's
	Free    func(ref string) bool // refs whose writers may rewrite them; nil: none
	Observe func(remote.Event)
}

// OpenRemote opens the repository of --remote. The caller closes it.
func OpenRemote(ctx context.Context, env libos.Env, o RemoteOptions) (_ *Remote, err error) {
	client, url, err := Client(env, o.Seed)
	if err != nil {
		return nil, err
	}
	settings := remote.Options{Poll: env.Args.Duration("poll"), Observe: o.Observe, Log: env.Log}
	if settings.Bytes, err = remoteMemory(env); err != nil {
		return nil, err
	}
	limitMemory(env, settings.Bytes)
	client.Stall = stall
	if env.Args.Bool("remote-lazy") {
		settings.Filter = "blob:none"
	}
	whom, err := policy(env, o)
	if err != nil {
		return nil, err
	}
	settings.Follow = whom.Follow
	if settings.Expect, err = commits(env.Args, "expect"); err != nil {
		return nil, err
	}
	if settings.Accept, err = commits(env.Args, "accept"); err != nil {
		return nil, err
	}
	r := &Remote{poll: settings.Poll, policy: whom}
	if r.host, err = client.Remote(url); err != nil {
		return nil, fmt.Errorf("--remote: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, r.closeBelow())
		}
	}()
	settings.Host = r.host
	if o.Folder != "" {
		if r.folder, err = openFolder(o.Folder, env); err != nil {
			return nil, err
		}
		settings.Folder = r.folder
	}
	r.Backend, err = remote.Open(ctx, settings)
	return r, err
}

// openFolder opens the repository of what has been fetched, and makes it first.
func openFolder(name string, env libos.Env) (*gitdir.Dir, error) {
	if _, err := os.Stat(name); errors.Is(err, fs.ErrNotExist) {
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			return nil, err
		}
		if err := gitdir.InitPartial(name); err != nil {
			return nil, err
		}
	}
	folder, err := gitdir.Open(name, gitdir.Options{Partial: true, Log: env.Log})
	if err != nil {
		return nil, fmt.Errorf("open the folder of copies: %w", err)
	}
	return folder, nil
}

// stall is how long a host may stand still when it is its turn. Stock git says something
// every five seconds, whatever it does.
const stall = 20 * time.Second

// limitMemory has the garbage collector keep the process near what objects, the
// trees and files that are kept unpacked, and requests need, unless that has been
// said otherwise (GOMEMLIMIT).
func limitMemory(env libos.Env, objects int64) {
	if env.Memory == 0 {
		debug.SetMemoryLimit(3*objects + 192<<20)
	}
}

// remoteMemory is what the repository may take of the memory, in bytes.
func remoteMemory(env libos.Env) (int64, error) {
	text := env.Args.String("remote-memory")
	if text == "" {
		return env.Share(64<<20, 3), nil
	}
	mib, err := strconv.ParseInt(text, 10, 32)
	if err != nil || mib < 1 {
		return 0, fmt.Errorf("--remote-memory is a number of MiB, not %q", text)
	}
	return mib << 20, nil
}

// policy is whom a branch follows where. Without --trust our own signature is
// asked for only where commits have been taken away.
func policy(env libos.Env, o RemoteOptions) (*trust.Policy, error) {
	p := &trust.Policy{Free: o.Free}
	var text []byte
	var err error
	if o.Own != nil {
		text = ssh.MarshalAuthorizedKey(o.Own)
		if p.Rewriters, err = sign.ParseKeys(text); err != nil {
			return nil, err
		}
	}
	for _, file := range env.Args.Strings("trust") {
		keys, err := env.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("--trust: %w", err)
		}
		if _, err := sign.ParseKeys(keys); err != nil {
			return nil, fmt.Errorf("--trust: %s: %w", file, err)
		}
		text = append(append(text, '\n'), keys...)
		p.Signed = true
	}
	if len(text) == 0 {
		return p, nil
	}
	p.Keys, err = sign.ParseKeys(text)
	return p, err
}

// commits reads the names of commits.
func commits(args libos.Args, arg string) ([]store.Hash, error) {
	var list []store.Hash
	for _, name := range args.Strings(arg) {
		if !plumbing.IsHash(name) {
			return nil, fmt.Errorf("--%s is the whole name of a commit, 40 hexadecimal digits, not %q", arg, name)
		}
		list = append(list, plumbing.NewHash(name))
	}
	return list, nil
}

// Close ends everything that is under way.
func (r *Remote) Close() error { return errors.Join(r.Backend.Close(), r.closeBelow()) }

func (r *Remote) closeBelow() error {
	err := r.host.Close()
	if r.folder != nil {
		err = errors.Join(err, r.folder.Close())
	}
	return err
}
