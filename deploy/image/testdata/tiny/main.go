// Tiny is the smallest program that can be an image.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"

	"cairn/libos"
	"cairn/libos/metal/kernel"
)

var manifest = libos.Manifest{
	Name:  "tiny",
	About: "Ends as it is told to. Does nothing else.",
	Ports: []libos.Port{{Name: "listen", Host: "127.0.0.1:8080", Own: ":80", Help: "Where it would listen."}},
	State: &libos.Folder{Name: "home", Help: "Where it would keep things."},
	Disks: []libos.Disk{{Name: "data", Help: "What it would read.", ReadOnly: true}},
	Args: []libos.Arg{
		{Name: "status", Help: "How to end."},
		{Name: "key", Kind: libos.File, Help: "What it would read."},
		{Name: "keys", Kind: libos.Files, Help: "What else it would read."},
		{Name: "seal", Kind: libos.Bool, Help: "As every service has it."},
		{Name: "net", Help: "As every service has it."},
		{Name: "mac", Help: "As every service has it."},
		{Name: "files", Help: "As every service has it."},
	},
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == "--manifest" {
		if err := json.NewEncoder(os.Stdout).Encode(manifest); err != nil {
			panic(err)
		}
		return
	}
	args, err := manifest.Parse(os.Args[1:], nil)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	fmt.Println("the machine is its own:", kernel.Running())
	status, err := strconv.Atoi(args.String("status"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	os.Exit(status)
}
