package image

import "encoding/json"

// The parts of Firecracker's configuration file that are needed (docs/getting-started.md and
// src/firecracker/swagger/firecracker.yaml of its source).
type firecrackerConfig struct {
	Boot     firecrackerBoot      `json:"boot-source"`
	Machine  firecrackerMachine   `json:"machine-config"`
	Drives   []firecrackerDrive   `json:"drives"`
	Networks []firecrackerNetwork `json:"network-interfaces"`
	Entropy  struct{}             `json:"entropy"`
}

type firecrackerBoot struct {
	Kernel string `json:"kernel_image_path"`
	Args   string `json:"boot_args"`
}

type firecrackerMachine struct {
	Processors int `json:"vcpu_count"`
	MiB        int `json:"mem_size_mib"`
}

type firecrackerDrive struct {
	ID       string `json:"drive_id"`
	File     string `json:"path_on_host"`
	Root     bool   `json:"is_root_device"`
	ReadOnly bool   `json:"is_read_only"`
}

type firecrackerNetwork struct {
	ID  string `json:"iface_id"`
	TAP string `json:"host_dev_name"`
	MAC string `json:"guest_mac"`
}

// firecracker is a configuration file for Firecracker from 1.12 on, the first that boots by PVH, and the
// command that reads it. Its disks have no ID that could be chosen: the machine
// takes them in this order.
func (v *machine) firecracker() (*Plan, error) {
	c := firecrackerConfig{
		Boot:     firecrackerBoot{v.File, v.line},
		Machine:  firecrackerMachine{1, v.MiB},
		Drives:   []firecrackerDrive{},
		Networks: []firecrackerNetwork{},
	}
	for _, d := range v.inOrder() {
		c.Drives = append(c.Drives, firecrackerDrive{ID: d.name, File: d.file, ReadOnly: d.readOnly})
	}
	p := &v.plan
	if v.networked() {
		c.Networks = append(c.Networks, firecrackerNetwork{"net0", v.tap(), v.mac})
		p.Notes = append(p.Notes, tapNote(v.tap()))
	}
	config, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return nil, err
	}
	p.ConfigName, p.Config = configFile, append(config, '\n')
	p.Command = []string{"firecracker", "--no-api", "--config-file", configFile}
	p.Notes = append(p.Notes, "Written after Firecracker's documentation (1.12 or later, which boots by PVH); not tried.")
	return p, nil
}

// tap is the network device, by the name that people give to the first where none was said.
func (v *machine) tap() string {
	if v.TAP == "" {
		return "tap0"
	}
	return v.TAP
}

// inOrder are the disks as the manifest has them, with that of files last.
func (v *machine) inOrder() []disk {
	var list []disk
	for _, declared := range v.Manifest.Disks {
		for _, d := range v.disks {
			if d.name == declared.Name {
				list = append(list, d)
			}
		}
	}
	for _, d := range v.disks {
		if d.name == "files" {
			list = append(list, d)
		}
	}
	return list
}
