package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"cairn/services/accounts"
)

type userCommands struct {
	Add    userAdd    `cmd:"" help:"Let somebody log in."`
	Passwd userPasswd `cmd:"" help:"Set a new password."`
	App    userApp    `cmd:"" help:"Make a password for one program or device."`
	Key    userKey    `cmd:"" help:"SSH keys."`

	Address userAddress `cmd:"" help:"E-mail addresses, by which a user may log in and is invited."`
	List    userList    `cmd:"" help:"Who may log in, and how."`
	Remove  userRemove  `cmd:"" help:"Let somebody no longer log in. What they made stays."`
}

// knownUser makes sure that a user exists, so that a slip of the pen is told.
func (h *house) knownUser(ctx context.Context, name string) (*accounts.User, error) {
	user, err := h.accounts.User(ctx, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no user %q: `cairn user list` shows who there is", name)
	}
	return user, err
}

// passwordFlag is how a password is handed to a command.
type passwordFlag struct {
	PasswordStdin bool `help:"Read the password from standard input instead of generating one."`
}

// password reads the password that is to be set, or generates one and says so.
func (f passwordFlag) password(term terminal) (password string, generated bool, err error) {
	if !f.PasswordStdin {
		return accounts.GeneratePassword(), true, nil
	}
	line, err := bufio.NewReader(io.LimitReader(term.in, 4096)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", false, fmt.Errorf("read the password: %w", err)
	}
	password = strings.TrimRight(line, "\r\n")
	if password == "" {
		return "", false, errors.New("standard input holds no password")
	}
	return password, false, nil
}

type userAdd struct {
	passwordFlag
	Name  string `arg:"" help:"Small letters, digits and hyphens."`
	Admin bool   `help:"May do everything."`
}

func (c *userAdd) Run(ctx context.Context, h home, term terminal) error {
	return withHouse(ctx, h, func(house *house) error {
		password, generated, err := c.password(term)
		if err != nil {
			return err
		}
		err = house.accounts.Add(ctx, operator(), c.Name, password, c.Admin)
		if errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("there is a user %q already: `cairn user passwd %s` sets a new password", c.Name, c.Name)
		}
		if err != nil {
			return err
		}
		return tellPassword(term, c.Name, password, generated)
	})
}

type userPasswd struct {
	passwordFlag
	Name string `arg:""`
}

func (c *userPasswd) Run(ctx context.Context, h home, term terminal) error {
	return withHouse(ctx, h, func(house *house) error {
		if _, err := house.knownUser(ctx, c.Name); err != nil {
			return err
		}
		password, generated, err := c.password(term)
		if err != nil {
			return err
		}
		if err := house.accounts.SetPassword(ctx, operator(), c.Name, password); err != nil {
			return err
		}
		return tellPassword(term, c.Name, password, generated)
	})
}

// tellPassword shows a generated password, the only time anybody sees it.
func tellPassword(term terminal, name, password string, generated bool) error {
	if !generated {
		return nil
	}
	_, err := fmt.Fprintf(term.out, "Password  %s (user %s; shown this once)\n", password, name)
	return err
}

type userApp struct {
	Name   string `arg:""`
	App    string `arg:"" help:"What it is for, such as phone."`
	Remove bool   `help:"Take it back."`
}

func (c *userApp) Run(ctx context.Context, h home, term terminal) error {
	return withHouse(ctx, h, func(house *house) error {
		user, err := house.knownUser(ctx, c.Name)
		if err != nil {
			return err
		}
		has := slices.ContainsFunc(user.AppPasswords, func(p accounts.AppPassword) bool { return p.Name == c.App })
		switch {
		case c.Remove && !has:
			return fmt.Errorf("%s has no app password %q: `cairn user list` shows those there are", c.Name, c.App)
		case c.Remove:
			return house.accounts.RemoveAppPassword(ctx, operator(), c.Name, c.App)
		case has:
			return fmt.Errorf("%s has an app password %q already: choose another name, or --remove that one first", c.Name, c.App)
		}
		password, err := house.accounts.NewAppPassword(ctx, operator(), c.Name, c.App)
		if err != nil {
			return err
		}
		return tellPassword(term, c.Name, password, true)
	})
}

type userKey struct {
	Add    userKeyAdd    `cmd:"" help:"Let a user log in with an SSH key."`
	Remove userKeyRemove `cmd:"" help:"Take a key back."`
}

type userKeyAdd struct {
	Name string `arg:""`
	File string `arg:"" help:"The public key, such as ~/.ssh/id_ed25519.pub; - for standard input."`
}

func (c *userKeyAdd) Run(ctx context.Context, h home, term terminal) error {
	return withHouse(ctx, h, func(house *house) error {
		line, err := readKey(c.File, term)
		if err != nil {
			return err
		}
		if _, err := house.knownUser(ctx, c.Name); err != nil {
			return err
		}
		return house.accounts.AddKey(ctx, operator(), c.Name, line)
	})
}

// readKey reads one public key from a file.
func readKey(file string, term terminal) (string, error) {
	in := term.in
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return "", err
		}
		defer f.Close()
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, 64<<10))
	if strings.Contains(string(data), "PRIVATE KEY") {
		return "", fmt.Errorf("%s is a private key, which belongs to nobody but you: give the .pub file beside it", file)
	}
	return strings.TrimSpace(string(data)), err
}

type userKeyRemove struct {
	Name string `arg:""`
	Key  string `arg:"" help:"The key as the list prints it."`
}

func (c *userKeyRemove) Run(ctx context.Context, h home) error {
	return withHouse(ctx, h, func(house *house) error {
		if _, err := house.knownUser(ctx, c.Name); err != nil {
			return err
		}
		return house.accounts.RemoveKey(ctx, operator(), c.Name, c.Key)
	})
}

type userList struct{}

func (c *userList) Run(ctx context.Context, h home, term terminal) error {
	return withHouse(ctx, h, func(house *house) error {
		users, err := house.accounts.Users(ctx)
		for _, u := range users {
			fmt.Fprintln(term.out, describeUser(u))
			for _, address := range u.Addresses {
				fmt.Fprintln(term.out, "    address", address)
			}
			for _, key := range u.SSHKeys {
				fmt.Fprintln(term.out, "    key", key)
			}
			for _, app := range u.AppPasswords {
				fmt.Fprintln(term.out, "    app", app.Name)
			}
		}
		return err
	})
}

func describeUser(u *accounts.User) string {
	text := u.Name
	if u.Admin {
		text += " (administrator)"
	}
	return text
}

type userRemove struct {
	Name string `arg:""`
}

func (c *userRemove) Run(ctx context.Context, h home) error {
	return withHouse(ctx, h, func(house *house) error {
		if _, err := house.knownUser(ctx, c.Name); err != nil {
			return err
		}
		return house.accounts.Remove(ctx, operator(), c.Name)
	})
}
