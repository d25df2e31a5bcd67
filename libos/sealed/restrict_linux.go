//go:build amd64 && !cgo

package sealed

import (
	"errors"
	"fmt"

	"github.com/landlock-lsm/go-landlock/landlock"
	ll "github.com/landlock-lsm/go-landlock/landlock/syscall"
)

// inFolder is what may be done with files of the folder.
const inFolder = ll.AccessFSReadFile | ll.AccessFSWriteFile | ll.AccessFSTruncate | ll.AccessFSReadDir |
	ll.AccessFSMakeReg | ll.AccessFSMakeDir | ll.AccessFSRemoveFile | ll.AccessFSRemoveDir | ll.AccessFSRefer

// leastABI is the version of Landlock from which on files can move within the folder.
// Ports need version 4, of Linux 6.7: before, only the libos.Net guards them.
const leastABI = 2

// restrict leaves of the machine's files only the folder, and of its ports those that
// are listened on and dialled.
func restrict(a Attached) error {
	if a.Folder == "" && a.Host == nil {
		return nil // there is no call that could
	}
	// Signals are the filter's to keep in: the domains of two threads would keep them from each other.
	config := landlock.Config{HandledAccessFS: landlock.V7.HandledAccessFS}
	var rules []landlock.Rule
	if a.Folder != "" {
		if abi, err := ll.LandlockGetABIVersion(); err != nil || abi < leastABI {
			return errors.Join(fmt.Errorf("a folder needs Landlock of version %d, which this kernel (before Linux 5.19, or set so) has not", leastABI), err)
		}
		rules = append(rules, landlock.PathAccess(inFolder, a.Folder))
	}
	if a.Host != nil {
		if ports, all := bindPorts(a.Host.Listen); !all {
			config.HandledAccessNet |= ll.AccessNetBindTCP
			for _, p := range ports {
				rules = append(rules, landlock.BindTCP(p))
			}
		}
		if ports, all := portsOf(a.Host.Dial); !all {
			config.HandledAccessNet |= ll.AccessNetConnectTCP
			for _, p := range ports {
				rules = append(rules, landlock.ConnectTCP(p))
			}
		}
	}
	if err := config.BestEffort().Restrict(rules...); err != nil {
		return fmt.Errorf("restrict files and ports: %w", err)
	}
	return nil
}
