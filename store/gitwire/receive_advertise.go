package gitwire

import (
	"context"
	"io"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
)

// reportStatusV2 is a capability that go-git does not list.
const reportStatusV2 capability.Capability = "report-status-v2"

// receiveCapabilities is what receive-pack offers (gitprotocol-capabilities).
var receiveCapabilities = strings.Join([]string{
	capability.ReportStatus.String(),
	reportStatusV2.String(),
	capability.DeleteRefs.String(),
	capability.Sideband64k.String(),
	capability.Quiet.String(),
	capability.Atomic.String(),
	capability.OFSDelta.String(),
	capability.PushOptions.String(),
	capability.ObjectFormat.String() + "=sha1",
	capability.Agent.String() + "=" + agent,
}, " ")

// advertiseReceive lists the refs and what a push may ask for. There is no HEAD
// and there are no peeled tags in it.
func advertiseReceive(ctx context.Context, v *View, proto int, out io.Writer) error {
	w := newPktWriter(out)
	refs, err := shownRefs(ctx, v)
	if err != nil {
		w.line("ERR " + clientText(err) + "\n")
		w.send()
		return err
	}
	if proto == 1 {
		w.line("version 1\n")
	}
	ad := &advertisement{w: w, caps: receiveCapabilities}
	for _, ref := range refs {
		ad.ref(ref.Hash, ref.Name)
	}
	ad.end()
	return w.send()
}
