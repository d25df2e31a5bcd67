package dhcp

import (
	"context"
	"encoding/binary"
	"io"
	"net/netip"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
)

// message returns a message of that type, with a transaction of its own.
func (c *Client) message(kind dhcpv4.MessageType) *dhcpv4.DHCPv4 {
	m := &dhcpv4.DHCPv4{
		OpCode:        dhcpv4.OpcodeBootRequest,
		HWType:        1, // Ethernet
		ClientHWAddr:  c.MAC,
		TransactionID: c.transaction(),
		ClientIPAddr:  nobody.AsSlice(),
		YourIPAddr:    nobody.AsSlice(),
		ServerIPAddr:  nobody.AsSlice(),
		GatewayIPAddr: nobody.AsSlice(),
		Options:       make(dhcpv4.Options),
	}
	m.UpdateOption(dhcpv4.OptMessageType(kind))
	if kind == dhcpv4.MessageTypeDiscover || kind == dhcpv4.MessageTypeRequest {
		m.UpdateOption(dhcpv4.OptParameterRequestList(
			dhcpv4.OptionSubnetMask, dhcpv4.OptionRouter, dhcpv4.OptionDomainNameServer, dhcpv4.OptionInterfaceMTU,
			dhcpv4.OptionClasslessStaticRoute, dhcpv4.OptionRenewTimeValue, dhcpv4.OptionRebindingTimeValue))
		m.UpdateOption(dhcpv4.OptMaxMessageSize(maxMessage))
		if c.Hostname != "" {
			m.UpdateOption(dhcpv4.OptHostName(c.Hostname))
		}
	}
	return m
}

// maxMessage is the size of the largest reply, in bytes with IP and UDP headers.
const maxMessage = 1500

func (c *Client) transaction() (id dhcpv4.TransactionID) {
	io.ReadFull(c.Random, id[:])
	return id
}

// fuzz returns a second more or less (§4.1).
func (c *Client) fuzz() time.Duration {
	var b [2]byte
	io.ReadFull(c.Random, b[:])
	return time.Duration(binary.BigEndian.Uint16(b[:]))*2*time.Second/65535 - time.Second
}

func (c *Client) send(m *dhcpv4.DHCPv4, from, to netip.Addr) {
	if err := c.Send(from, to, m.ToBytes()); err != nil {
		c.Log.Warn("a DHCP message cannot be sent", "to", to, "error", err)
	}
}

// ask sends m until an answer that is wanted comes, tries times at most; 0: for ever.
func (c *Client) ask(ctx context.Context, m *dhcpv4.DHCPv4, tries int, from, to netip.Addr, wanted func(*reply) bool) *reply {
	wait := firstWait
	for i := 0; ctx.Err() == nil && (tries == 0 || i < tries); i++ {
		c.send(m, from, to)
		if r := c.await(ctx, m, time.Now().Add(wait+c.fuzz()), wanted); r != nil {
			return r
		}
		wait = min(2*wait, longestWait)
	}
	return nil
}

// await waits for an answer to m that is wanted.
func (c *Client) await(ctx context.Context, m *dhcpv4.DHCPv4, until time.Time, wanted func(*reply) bool) *reply {
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
			return nil
		case b := <-c.Messages:
			if r := answer(m, b, time.Now()); r != nil && wanted(r) {
				return r
			}
		}
	}
}

// idle waits, and throws away what nobody has asked for. The zero time never comes.
func (c *Client) idle(ctx context.Context, until time.Time) {
	var over <-chan time.Time
	if !until.IsZero() {
		timer := time.NewTimer(time.Until(until))
		defer timer.Stop()
		over = timer.C
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-over:
			return
		case <-c.Messages:
		}
	}
}
