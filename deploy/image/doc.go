// Package image makes one file out of a program that runs in three worlds: as a process, as a process that has
// sealed itself, and as a virtual machine with nothing under it.
//
//	built, err := image.Build(ctx, image.Options{Program: "unipi"})
//	err = os.WriteFile("unipi.img", built.Image, 0o755)
//
// # What an image is
//
// An image is the ELF file that the unmodified Go toolchain makes for linux/amd64, with a note for virtual machine
// monitors that boot by PVH (libos/metal/pvh), and three more sections that are never loaded into memory:
//
//	.cairn.manifest  what the program needs and can be told, as it says itself (PROGRAM --manifest)
//	.cairn.build     toolchain, modules with their sums, settings, revision of the source
//	.cairn.sbom      the bill of material that follows from that (CycloneDX 1.6)
//
// So Inspect tells what somebody else's image is without running it. What is read is bounded, and damage is an
// error, never more.
//
// # The same source is the same file
//
// Build runs the toolchain in an environment that has nothing of the builder's in it (environment.go), and in which the source's
// repository has no tags (tags.go): two people who build the same revision with the same version of Go, and with the cairn of that revision,
// have the same bytes, whatever their folders, time zones, settings and tags. Verify builds again and names the first difference.
//
// # Caveats
//
// The facts and the bill are the builder's word: only Verify compares them with a source. Building needs Linux on x86-64, and
// a source that is trusted: the program itself is run and asked for its manifest. The command lines for Firecracker and cloud-hypervisor follow their documentation and
// have not been tried.
package image
