// Cairn runs small network services that keep all their state in git. See the
// README for what to type; `cairn help` lists the commands.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/alecthomas/kong"

	"cairn/cmd/setup"
	"cairn/libos/boot"
	"cairn/services/mail/domain"
)

// commands is the command line: a field a command, its Run method beside it.
type commands struct {
	Home string `help:"Where everything is kept." placeholder:"DIR" env:"CAIRN_HOME"`

	Up   passedOn     `cmd:"" passthrough:"" help:"Start; the first time makes the home."`
	User userCommands `cmd:"" help:"Who may log in."`
	Site siteCommands `cmd:"" help:"Websites: add, list, history, rollback."`

	Backup  backupCommands `cmd:"" help:"Copies in repositories elsewhere, kept at every commit."`
	Restore restoreCommand `cmd:"" help:"Calendars and contacts as they were (PLACE --at WHEN); or a whole home from a backup (URL --seed-file FILE)."`

	Calendar calendarCommands `cmd:"" help:"Calendars: list, import, export."`
	Contacts contactsCommands `cmd:"" help:"Address books: list, import, export."`
	History  historyCommand   `cmd:"" help:"Who changed what in calendars and contacts, and when."`

	Mail   mailCommands   `cmd:"" help:"Mail: smarthost, quotas, what was deleted."`
	Queue  queueCommands  `cmd:"" help:"Mail on its way out: list, retry, drop, hold."`
	Domain domainCommands `cmd:"" help:"Domains whose mail is served: add, records, check, aliases, keys."`

	Image imageCommands `cmd:"" help:"Services as one file that runs as a process, sealed, and as a virtual machine."`

	Signers signersCommand `cmd:"" help:"Whom git is to trust for the commits made here, as an allowed-signers file."`

	Version versionCommand   `cmd:"" help:"Which build this is."`
	Which   kong.VersionFlag `name:"version" help:"Which build this is."`
}

type versionCommand struct{}

func (versionCommand) Run(term terminal) error {
	_, err := fmt.Fprintln(term.out, boot.Version("cairn"))
	return err
}

// passedOn are arguments that another parser reads.
type passedOn struct {
	Args []string `arg:"" optional:""`
}

// terminal is what a command sees of the outside.
type terminal struct {
	in       io.Reader
	out, err io.Writer
}

func main() {
	ctx, stop := boot.Context()
	defer stop()
	os.Exit(run(ctx, os.Args[1:], terminal{os.Stdin, os.Stdout, os.Stderr}))
}

// run is main without the process around it. It returns the exit status.
func run(ctx context.Context, args []string, term terminal) int {
	var c commands
	exit := -1
	parser, err := kong.New(&c,
		kong.Name("cairn"),
		kong.Description("Websites served from a git push, calendars and contacts, and mail, with all their state in one git repository."),
		kong.Writers(term.out, term.err),
		kong.Exit(func(code int) { exit = code }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Vars{"version": boot.Version("cairn"), "outward": domain.DefaultOutward},
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(term),
	)
	if err != nil {
		fmt.Fprintln(term.err, "cairn:", err)
		return 1
	}
	if len(args) > 0 && args[0] == "help" {
		args = append(args[1:], "--help")
	}
	k, err := parser.Parse(oneDash(args))
	if exit >= 0 { // --help has been answered
		return exit
	}
	if err != nil {
		fmt.Fprintf(term.err, "cairn: %v\nTry: %s --help\n", err, asked(err))
		return 2
	}
	if k.Selected().Name == "up" {
		return up(ctx, c.Home, c.Up.Args, term)
	}
	dir, err := setup.HomeDir(c.Home)
	if err == nil {
		err = k.Run(home(dir))
	}
	if status, ok := statusOf(err); ok {
		return status
	}
	if err != nil {
		fmt.Fprintln(term.err, "cairn:", err)
		return 1
	}
	return 0
}

// asked is the command that was asked for, as far as it was understood.
func asked(err error) string {
	text := "cairn"
	wrong, ok := errors.AsType[*kong.ParseError](err)
	if !ok || wrong.Context == nil {
		return text
	}
	for _, p := range wrong.Context.Path {
		if p.Command != nil {
			text += " " + p.Command.Name
		}
	}
	return text
}

// oneDash lets long flags be written with one dash, as Go's own tools do.
func oneDash(args []string) []string {
	out := make([]string, len(args))
	for i, a := range args {
		if a == "--" {
			return append(out[:i], args[i:]...)
		}
		if len(a) > 2 && a[0] == '-' && a[1] != '-' {
			a = "-" + a
		}
		out[i] = a
	}
	return out
}
