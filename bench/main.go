// The benchmarks of Cairn, each beside what somebody would use instead, on the
// same work and in the same run.
//
//	go run ./bench [-run store,wire/push] [-n 1000,10000,100000] [-rounds 5]
//
// They need git, and unipi also nginx, wrk and h2load; README.md here says what
// the figures mean.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/pprof"
	"strconv"
	"strings"

	"cairn/bench/caldav"
	"cairn/bench/image"
	"cairn/bench/mail"
	"cairn/bench/measure"
	"cairn/bench/remote"
	"cairn/bench/stack"
	"cairn/bench/store"
	"cairn/bench/unipi"
	"cairn/bench/wire"
)

// A part is a set of benchmarks.
type part struct {
	name string
	run  func(context.Context, *measure.Room) error
}

var parts = []part{
	{"store", store.Run},
	{"wire", wire.Run},
	{"site", wire.Live},
	{"unipi", unipi.Run},
	{"caldav", caldav.Run},
	{"mail", mail.Run},
	{"stack", stack.Run},
	{"remote", remote.Run},
	{"image", image.Run},
	{"suites", image.Suites},
}

func main() {
	if served, err := child(); served {
		exit(err)
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// child does the work of one of the processes that the benchmarks start from
// this same program, and says whether this is one.
func child() (bool, error) {
	if what := os.Getenv(store.ColdEnv); what != "" {
		return true, store.Cold(what)
	}
	if what := os.Getenv(wire.ServeEnv); what != "" {
		return true, wire.Serve(what)
	}
	if what := os.Getenv(unipi.ServeEnv); what != "" {
		return true, unipi.Serve(what)
	}
	if what := os.Getenv(stack.ChildEnv); what != "" {
		return true, stack.Child(what)
	}
	if what := os.Getenv(remote.ColdEnv); what != "" {
		return true, remote.Cold(what)
	}
	return false, nil
}

func run(ctx context.Context, args []string, out, log io.Writer) error {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(log)
	names := flags.String("run", allParts(), "which `parts`, or stages of them as in store/update")
	sizes := flags.String("n", "10000", "how many `files` a repository has, several with commas between")
	rounds := flags.Int("rounds", 5, "how often to repeat each")
	work := flags.Int("work", 1000, "how much a round does, as a part of a `thousand`")
	soak := flags.Duration("soak", 0, "how `long` image/soak keeps a machine under load (default: not at all)")
	profile := flags.String("cpuprofile", "", "write a profile of this process to `file`")
	dir := flags.String("dir", "", "the `folder` on whose disk to measure (default: that of temporary files)")
	if err := flags.Parse(args); err != nil {
		return err
	}
	temp, err := os.MkdirTemp(*dir, "bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	if temp, err = filepath.Abs(temp); err != nil {
		return err
	}
	room := &measure.Room{Dir: temp, Rounds: *rounds, Work: *work, Soak: *soak, Log: log}
	for s := range strings.SplitSeq(*sizes, ",") {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			return fmt.Errorf("-n %s: not a number of files", *sizes)
		}
		room.Sizes = append(room.Sizes, n)
	}
	if *profile != "" {
		f, err := os.Create(*profile)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	for name := range strings.SplitSeq(*names, ",") {
		if err := runPart(ctx, name, room, out); err != nil {
			return err
		}
	}
	return nil
}

// runPart prints a part's table, also when it ends too early.
func runPart(ctx context.Context, name string, room *measure.Room, out io.Writer) error {
	part, stage, _ := strings.Cut(name, "/")
	for _, p := range parts {
		if p.name != part {
			continue
		}
		room.Results, room.Only = nil, stage
		err := p.run(ctx, room)
		fmt.Fprintf(out, "\n%s\n\n", name)
		if printed := measure.Print(out, room.Results); err == nil {
			err = printed
		}
		return err
	}
	return fmt.Errorf("-run %s: there is %s", name, allParts())
}

func allParts() string {
	var names []string
	for _, p := range parts {
		names = append(names, p.name)
	}
	return strings.Join(names, ",")
}
