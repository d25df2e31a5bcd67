package stack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"

	glog "gvisor.dev/gvisor/pkg/log"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/link/loopback"
	"gvisor.dev/gvisor/pkg/tcpip/network/arp"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv6"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	protocoltcp "gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	protocoludp "gvisor.dev/gvisor/pkg/tcpip/transport/udp"

	"cairn/libos"
)

// The two network cards.
const (
	cardID     tcpip.NICID = 1
	loopbackID tcpip.NICID = 2
)

// A Stack is a libos.Net on a Link. Safe for concurrent use.
type Stack struct {
	net      *stack.Stack
	card     *card
	config   *config
	resolver libos.Resolver
	log      *slog.Logger

	stop context.CancelFunc // ends work
	work sync.WaitGroup     // the stack's own goroutines

	bounds   bounds
	sweeper  *sweeper
	closes   atomic.Uint64 // of connections
	accepted atomic.Int64  // connections that are open

	mu    sync.Mutex
	owned map[io.Closer]bool // listeners, datagram sockets and dials; nil after Close
}

var _ libos.Net = (*Stack)(nil)

// New takes the link over: Close closes it. It returns before the stack has its
// addresses; see Wait.
func New(link libos.Link, o Options) (*Stack, error) {
	if err := o.check(); err != nil {
		return nil, fmt.Errorf("configure the network: %w", err)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Random != nil {
		o.Random = newSource(o.Random)
	}
	quiet()
	s := &Stack{card: newCard(link), log: o.Log, bounds: boundsOf(o.Memory), owned: make(map[io.Closer]bool)}
	s.card.whole, s.card.only4 = !s.bounds.fragments, !o.ipv6()
	s.config = newConfig(o)
	s.config.linkMTU = s.card.mtu
	s.card.failed = s.fail
	s.net = stack.New(netOptions(o, s.config))
	s.boundBuffers()
	s.sweeper = newSweeper(s)
	s.config.net = s.net
	s.resolver = s.newResolver(o)
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	client := s.newClient(o)
	if err := s.attach(); err != nil {
		s.Close()
		return nil, fmt.Errorf("attach the network card: %w", err)
	}
	s.work.Go(func() { s.config.run(ctx) })
	s.work.Go(func() { s.sweeper.run(ctx) })
	if client != nil {
		s.work.Go(func() { client.Run(ctx) })
	}
	return s, nil
}

// netOptions are what netstack is made of.
func netOptions(o Options, c *config) stack.Options {
	dad := stack.DefaultDADConfigurations()
	if o.NoProbes {
		dad.DupAddrDetectTransmits = 0
	}
	ndp := ipv6.DefaultNDPConfigurations()
	ndp.AutoGenTempGlobalAddresses = false // a service wants to be found again
	if !o.SLAAC {
		ndp.HandleRAs = ipv6.HandlingRAsDisabled
	}
	so := stack.Options{
		NetworkProtocols: []stack.NetworkProtocolFactory{
			ipv4.NewProtocol,
			ipv6.NewProtocolWithOptions(ipv6.Options{NDPConfigs: ndp, AutoGenLinkLocal: o.ipv6(), NDPDisp: c, DADConfigs: dad}),
			arp.NewProtocolWithOptions(arp.Options{DADConfigs: dad}),
		},
		TransportProtocols: []stack.TransportProtocolFactory{protocoltcp.NewProtocol, protocoludp.NewProtocol},
		HandleLocal:        true,
		IPTables:           new(stack.IPTables), // without rules all packets pass
	}
	if o.Random != nil {
		so.SecureRNG = o.Random
		so.RandSource = o.Random.(*source)
	}
	return so
}

// attach connects the cards and takes the addresses that are given into use.
func (s *Stack) attach() error {
	if err := s.net.CreateNIC(loopbackID, loopback.New()); err != nil {
		return callError("loopback", err)
	}
	if err := s.probeNobody(loopbackID); err != nil {
		return callError("loopback", err)
	}
	for _, a := range []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()} {
		bits := a.BitLen()
		if a.Is4() {
			bits = 8
		}
		address := tcpip.ProtocolAddress{Protocol: protocolOf(a), AddressWithPrefix: toPrefix(netip.PrefixFrom(a, bits))}
		if err := s.net.AddProtocolAddress(loopbackID, address, stack.AddressProperties{}); err != nil {
			return callError("loopback", err)
		}
	}
	if err := s.net.CreateNIC(cardID, s.card); err != nil {
		return callError("card", err)
	}
	return s.config.start()
}

// probeNobody has a card take IPv6 addresses into use at once: nobody else can have them.
func (s *Stack) probeNobody(card tcpip.NICID) tcpip.Error {
	endpoint, err := s.net.GetNetworkEndpoint(card, header.IPv6ProtocolNumber)
	if err != nil {
		return err
	}
	if d, ok := endpoint.(stack.DuplicateAddressDetector); ok {
		d.SetDADConfigurations(stack.DADConfigurations{})
	}
	return nil
}

// own remembers what Close has to close. It returns false when that is over.
func (s *Stack) own(c io.Closer) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.owned == nil {
		return false
	}
	s.owned[c] = true
	return true
}

func (s *Stack) disown(c io.Closer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.owned, c)
}

// fail is called when the link has failed. Nothing will come any more.
func (s *Stack) fail(err error) {
	s.log.Error("the network card has failed", "error", err)
	s.config.fail(fmt.Errorf("the network card has failed: %w", err))
}

// Resolver returns Options.Resolver, or else one that asks the name servers.
func (s *Stack) Resolver() libos.Resolver { return s.resolver }

// Addrs returns the addresses that are in use on the link, the given ones
// first. Loopback and link-local ones are not among them.
func (s *Stack) Addrs() []netip.Addr { return s.config.addrs() }

// Servers returns the name servers.
func (s *Stack) Servers() []netip.AddrPort { return s.config.servers() }

// Wait waits until the stack has an address from each source that its Options
// name. The error is ctx's, or says why that will never be.
func (s *Stack) Wait(ctx context.Context) error {
	if err := s.config.wait(ctx); err != nil {
		return fmt.Errorf("wait for an address: %w", err)
	}
	return nil
}

// Close gives a leased address back, ends all listeners and connections, and closes the
// link. It returns when no goroutine of the stack is left.
func (s *Stack) Close() error {
	s.mu.Lock()
	owned := s.owned
	s.owned = nil
	s.mu.Unlock()
	if owned == nil {
		return net.ErrClosed
	}
	for c := range owned {
		c.Close()
	}
	s.drain()
	s.stop()
	s.work.Wait()
	s.net.Close()
	err := s.card.link.Close()
	s.card.Wait() // netstack waits for it with a lock held that receiving may need
	s.net.Wait()
	return err
}

// quiet stops netstack from writing to standard error what hostile packets are like. Parts of
// it have remembered the logger that there was at first, so that one is silenced.
var quiet = sync.OnceFunc(func() { glog.Log().Emitter = &glog.Writer{Next: io.Discard} })

// errClosed is why Wait ends when the stack is closed.
var errClosed = errors.New("the stack has been closed")
