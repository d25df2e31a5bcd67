package setup

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"cairn/libos"
	"cairn/net/acme"
	"cairn/net/certs"
	"cairn/services/secrets"
	"cairn/store/object"
)

// TLSArgs say whether and with which certificates to serve over TLS.
var TLSArgs = []libos.Arg{
	{Name: "tls-cert", Kind: libos.File, Needs: "tls-key", Help: "Serve everything but SSH over TLS with this certificate chain (PEM), which is read again when it changes."},
	{Name: "tls-key", Kind: libos.File, Needs: "tls-cert", Help: "And its key."},
	{Name: "tls", Value: "seed", Help: "seed: serve over TLS with a certificate of our own that follows from the seed."},
	{Name: "acme", Kind: libos.Bool, Help: "Serve over TLS with certificates of an authority (Let's Encrypt), to whose terms you agree by this."},
	{Name: "acme-directory", Value: "URL", Default: acme.LetsEncrypt, Needs: "acme", Help: "Another authority than Let's Encrypt."},
	{Name: "acme-email", Value: "ADDRESS", Needs: "acme", Help: "Where the authority may write to."},
	{Name: "acme-ca", Kind: libos.File, Needs: "acme", Help: "Who else may vouch for the authority's own server (PEM)."},
	{Name: "acme-dns", Value: "HOST:PORT,KEY", Needs: "acme", Help: "Prove names by DNS updates (RFC 2136) at this server, with the key of that name. Certificates for *.DOMAIN need it."},
	{Name: "acme-dns-secret", Kind: libos.File, Needs: "acme-dns", Help: "The secret of that key, in base64."},
}

// TLSPeers are whom TLSArgs make a service dial.
var TLSPeers = []libos.Peer{
	{Arg: "acme-dns", Why: "names are proved there"},
	{Arg: "acme-directory", Why: "an authority gives certificates"},
}

// TLSOptions are what certificates are made for and from.
type TLSOptions struct {
	// Seed is what certificates of our own follow from, nil where there is none.
	Seed *Seed
	// Secrets keep what an authority gave; nil where there is no seed.
	Secrets *secrets.Secrets
	// Domain and its sites, and more names, that we are served under.
	Names []string
	// Local are names and addresses that no authority vouches for.
	Local []string
	// Plain says that port 80 leads here, to TLS.Challenge.
	Plain bool
	// Settle is how long other replicas take to see what was stored.
	Settle time.Duration
}

// A TLS has the certificates of a server.
type TLS struct {
	Config *tls.Config

	options TLSOptions
	own     ownSource
	acme    *acme.Manager // nil: no authority is asked
	wild    bool          // it can vouch for "*."
	files   *certs.Files  // nil: none were given
}

// ServerConfig is what a Server needs, nil for no TLS at all.
func (t *TLS) ServerConfig() *tls.Config {
	if t == nil {
		return nil
	}
	return t.Config
}

// LocalNames are the names and addresses that lead to this machine without anybody's
// doing.
func LocalNames(env libos.Env) []string {
	names := []string{"localhost", "*.localhost", "127.0.0.1", "::1"}
	for _, a := range env.Addrs {
		names = append(names, a.String())
	}
	return names
}

// OpenTLS returns what the arguments ask for, nil for no TLS at all.
func OpenTLS(ctx context.Context, env libos.Env, o TLSOptions) (*TLS, error) {
	args := env.Args
	if mode := args.String("tls"); mode != "" && mode != "seed" {
		return nil, fmt.Errorf("--tls is seed, or one of --tls-cert and --acme is meant; not %q", mode)
	}
	fromSeed := args.String("tls") != ""
	if !args.Given("tls-cert") && !fromSeed && !args.Bool("acme") {
		return nil, nil
	}
	if (fromSeed || args.Bool("acme")) && o.Seed == nil {
		return nil, errors.New("certificates of our own and those of an authority need a seed: give one with --seed-file or CAIRN_SEED")
	}
	if err := certs.CheckClock(); err != nil {
		return nil, err
	}
	t := &TLS{options: o}
	var chain certs.Chain
	if args.Given("tls-cert") {
		files, err := certs.OpenFiles(env.ReadFile, args.String("tls-cert"), args.String("tls-key"), env.Log)
		if err != nil {
			return nil, err
		}
		t.files, chain = files, append(chain, files)
	}
	if args.Bool("acme") {
		if err := t.openACME(ctx, env); err != nil {
			return nil, err
		}
		chain = append(chain, t.acme)
	}
	if fromSeed || args.Bool("acme") {
		if err := t.own.set(*o.Seed, slices.Concat(o.Names, o.Local)); err != nil {
			return nil, err
		}
		chain = append(chain, &t.own)
	}
	t.Config = certs.Config(chain, "h2", "http/1.1")
	if o.Settle > 0 && o.Seed != nil {
		certs.ShareTickets(t.Config, *o.Seed) // clients may go to another replica
	}
	return t, nil
}

// SetNames changes the names that we are served under.
func (t *TLS) SetNames(names []string) error {
	if t.own.authority.Load() != nil {
		if err := t.own.set(*t.options.Seed, slices.Concat(names, t.options.Local)); err != nil {
			return err
		}
	}
	if t.acme == nil {
		return nil
	}
	return t.acme.SetNames(t.public(names)...)
}

// Run gets and renews certificates until ctx ends. Without TLS it only waits.
func (t *TLS) Run(ctx context.Context) error {
	if t != nil && t.acme != nil {
		t.acme.Run(ctx)
	}
	<-ctx.Done()
	return nil
}

// Challenge is what port 80 answers: an authority's questions itself, everything
// else next.
func (t *TLS) Challenge(next http.Handler) http.Handler {
	if t.acme == nil {
		return next
	}
	return t.acme.Handler(next)
}

// Tell says how a certificate of our own is recognized, where clients may see it.
func (t *TLS) Tell(w io.Writer) {
	if t == nil || t.own.authority.Load() == nil {
		return
	}
	own := t.own.authority.Load()
	fmt.Fprintf(w, "TLS       our own certificate has the SHA-256 %s\n", certs.Fingerprint(own.Leaf()))
	fmt.Fprintf(w, "          curl --insecure --pinnedpubkey %s\n", certs.Pin(own.Leaf()))
}

// An ownSource is an authority of our own, whose names may change.
type ownSource struct {
	authority atomic.Pointer[certs.Authority]
}

func (s *ownSource) set(seed Seed, names []string) error {
	a, err := certs.FromSeed(seed, names...)
	if err == nil {
		s.authority.Store(a)
	}
	return err
}

// GetCertificate implements certs.Source.
func (s *ownSource) GetCertificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	return s.authority.Load().GetCertificate(hello)
}

// certificates is who writes down certificates.
var certificates = object.Signature{Name: "Cairn", Email: "cairn@localhost"}
