package image

import (
	"fmt"
	"net"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"cairn/libos"
)

// Unit returns a systemd unit (systemd.service(5), systemd.exec(5); version 250 or later) that
// runs an image sealed. What systemd takes away is what the image takes away from
// itself a moment later, and what it needs until then stays.
func (s Start) Unit() (string, error) {
	if _, err := s.Manifest.Parse(s.Args, nil); err != nil {
		return "", fmt.Errorf("%s: %w", s.Manifest.Name, err)
	}
	if !filepath.IsAbs(s.File) {
		return "", fmt.Errorf("a unit needs the image's whole path, not %q", s.File)
	}
	u := &unit{Start: s, name: unitName(s.Manifest.Name)}
	u.arguments()
	var b strings.Builder
	fmt.Fprintf(&b, "# Save as /etc/systemd/system/%s.service; then: systemctl daemon-reload && systemctl enable --now %s\n", u.name, u.name)
	for _, c := range u.comments {
		fmt.Fprintf(&b, "# %s\n", printable(c))
	}
	fmt.Fprintf(&b, "[Unit]\nDescription=%s\nWants=network-online.target\nAfter=network-online.target\n\n[Service]\n", specifier(firstSentence(s.Manifest.About)))
	for _, line := range u.lines() {
		fmt.Fprintln(&b, line)
	}
	b.WriteString("\n[Install]\nWantedBy=multi-user.target\n")
	return b.String(), nil
}

type unit struct {
	Start
	name     string
	command  []string // as systemd reads it
	settings []string // that follow from the arguments
	devices  []string
	comments []string
}

// unitName is a name for a unit, a user and a folder.
func unitName(name string) string {
	return strings.Trim(regexp.MustCompile(`[^a-z0-9]+`).ReplaceAllString(strings.ToLower(name), "-"), "-")
}

// firstSentence is enough of a description.
func firstSentence(text string) string {
	text, _, _ = strings.Cut(text, ". ")
	text, _, _ = strings.Cut(text, ": ")
	return strings.TrimSuffix(printable(text), ".")
}

// specifier is text in a unit, where % has a meaning.
func specifier(text string) string { return strings.ReplaceAll(text, "%", "%%") }

// argument is text as a word of ExecStart (systemd.service(5), COMMAND LINES).
func argument(text string) string {
	text = specifier(text)
	text = strings.ReplaceAll(text, "$", "$$")
	if strings.ContainsAny(text, " \t\n\"'\\;") || text == "" {
		return strconv.Quote(text)
	}
	return text
}

// arguments are those of the service, with the folder and the files where systemd puts them.
func (u *unit) arguments() {
	kinds := map[string]libos.Kind{}
	for _, a := range u.Manifest.All() {
		kinds[a.Name] = a.Kind
	}
	u.command = []string{argument(u.File)}
	for _, w := range append(commandOf(u.Manifest), "--seal") {
		u.command = append(u.command, argument(w))
	}
	if u.TAP != "" {
		u.command = append(u.command, argument("--net="+u.TAP))
		u.devices = append(u.devices, "/dev/net/tun rw")
	}
	state := u.Manifest.State
	if state != nil {
		u.settings = append(u.settings, "StateDirectory="+u.name, "StateDirectoryMode=0700")
	}
	credentials := 0
	for _, w := range words(u.Manifest, u.Args) {
		switch kind := kinds[w.name]; {
		case w.name == "seal" || w.name == "net":
		case state != nil && w.name == state.Name:
			u.comments = append(u.comments, fmt.Sprintf("The state is kept in /var/lib/%s: move what is in %s there.", u.name, w.value))
		case kind == libos.File || kind == libos.Files:
			credentials++
			id := w.name
			if kind == libos.Files {
				id += "-" + strconv.Itoa(credentials)
			}
			u.settings = append(u.settings, "LoadCredential="+id+":"+specifier(w.value))
			u.command = append(u.command, "--"+w.name+"=%d/"+id)
		case u.isDisk(w.name) || w.name == "files":
			u.device(w)
		default:
			u.command = append(u.command, argument(w.String()))
		}
	}
	if state != nil {
		u.command = append(u.command, "--"+state.Name+"=%S/"+u.name)
	}
	u.listening()
}

// device lets the service at a disk.
func (u *unit) device(w word) {
	u.command = append(u.command, argument(w.String()))
	rights, paths := " rw", "ReadWritePaths="
	if u.disk(w).readOnly {
		rights, paths = " r", "ReadOnlyPaths="
	}
	if strings.HasPrefix(w.value, "/dev/") {
		u.devices = append(u.devices, specifier(w.value)+rights)
		return
	}
	u.settings = append(u.settings, paths+specifier(w.value))
}

// listening says what a sealed process cannot do on the host's network.
func (u *unit) listening() {
	if u.TAP != "" {
		return
	}
	for _, w := range words(u.Manifest, u.Args) {
		_, port, err := net.SplitHostPort(w.value)
		n, convErr := strconv.Atoi(port)
		if err == nil && convErr == nil && n > 0 && n < 1024 && u.isPort(w.name) {
			u.comments = append(u.comments, fmt.Sprintf("--%s: a sealed process may not take ports below 1024 unless everybody may (sysctl net.ipv4.ip_unprivileged_port_start=%d); with a network of its own (--tap NAME) it may.", w.name, n))
		}
	}
}

func (u *unit) isPort(name string) bool {
	for _, p := range u.Manifest.Ports {
		if p.Name == name {
			return true
		}
	}
	return false
}

// lines are the settings of the service.
func (u *unit) lines() []string {
	lines := []string{"ExecStart=" + strings.Join(u.command, " "), "Restart=on-failure", "DynamicUser=yes", "User=" + u.name}
	families := "AF_INET AF_INET6"
	if u.TAP != "" {
		families = "AF_INET" // a socket asks for the device's address
		lines = append(lines,
			"# The network device, for this service's user; connect it to a bridge, or route to it.",
			fmt.Sprintf("ExecStartPre=+/bin/sh -c 'ip link show %[1]s >/dev/null 2>&1 || ip tuntap add dev %[1]s mode tap user %[2]s vnet_hdr'", u.TAP, u.name),
			fmt.Sprintf("ExecStartPre=+/bin/sh -c 'ip link set dev %s up'", u.TAP))
	}
	lines = append(lines, u.settings...)
	if len(u.devices) == 0 {
		lines = append(lines, "PrivateDevices=yes")
	} else {
		lines = append(lines, "DevicePolicy=closed")
		for _, d := range u.devices {
			lines = append(lines, "DeviceAllow="+d)
		}
	}
	home := "yes"
	if strings.HasPrefix(u.File, "/home/") || strings.HasPrefix(u.File, "/root/") {
		home = "read-only" // the image lies there
	}
	return append(lines,
		"ProtectSystem=strict", "ProtectHome="+home, "PrivateTmp=yes", "PrivateIPC=yes", "UMask=0077",
		"NoNewPrivileges=yes", "CapabilityBoundingSet=", "AmbientCapabilities=",
		"ProtectClock=yes", "ProtectControlGroups=yes", "ProtectHostname=yes", "ProtectKernelLogs=yes",
		"ProtectKernelModules=yes", "ProtectKernelTunables=yes", "ProtectProc=invisible", "ProcSubset=pid",
		"LockPersonality=yes", "MemoryDenyWriteExecute=yes", "RestrictRealtime=yes", "RestrictSUIDSGID=yes",
		"RestrictNamespaces=yes", "RestrictAddressFamilies="+families, "KeyringMode=private", "RemoveIPC=yes",
		"SystemCallArchitectures=native", "SystemCallFilter=@system-service seccomp landlock_create_ruleset landlock_add_rule landlock_restrict_self",
	)
}
