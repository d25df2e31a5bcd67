package caldav

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const cyrusBin = "/usr/lib/cyrus/bin/"

// cyrus runs Cyrus IMAP, as its own user, and puts the events there.
func cyrus(ctx context.Context, dir string, size int) (*server, error) {
	conf := filepath.Join(dir, "imapd.conf")
	if err := writeAll(map[string]string{
		conf:                               strings.ReplaceAll(cyrusConf, "DIR", dir),
		filepath.Join(dir, "cyrus.conf"):   strings.NewReplacer("CONF", conf, "BIN", cyrusBin, "IMAP", strconv.Itoa(imapPort), "HTTP", strconv.Itoa(cyrusPort)).Replace(cyrusServices),
		filepath.Join(dir, "conf", ".new"): "", filepath.Join(dir, "part", ".new"): "",
	}); err != nil {
		return nil, err
	}
	for _, name := range []string{"cyrus", owner} {
		cmd := exec.CommandContext(ctx, "saslpasswd2", "-f", filepath.Join(dir, "sasldb2"), "-c", "-p", name)
		cmd.Stdin = strings.NewReader(secret)
		if out, err := cmd.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("saslpasswd2: %w: %s", err, out)
		}
	}
	if err := give(dir, "cyrus"); err != nil {
		return nil, err
	}
	s, err := launch("cyrus", cyrusPort, dir, "/dav/calendars/user/"+owner+"/home/", nil,
		cyrusBin+"master", "-C", conf, "-M", filepath.Join(dir, "cyrus.conf"), "-p", filepath.Join(dir, "pid"))
	if err != nil {
		return nil, err
	}
	if err := s.await(ctx); err != nil {
		return s, err
	}
	if err := makeMailbox(); err != nil {
		return s, err
	}
	if err := s.expect(ctx, "MKCALENDAR", s.calendar, "", 201, ""); err != nil {
		return s, err
	}
	return s, s.fill(ctx, size)
}

const cyrusConf = `configdirectory: DIR/conf
partition-default: DIR/part
admins: cyrus
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: DIR/sasldb2
sasl_mech_list: PLAIN
allowplaintext: yes
httpmodules: caldav
caldav_allowscheduling: off
unixhierarchysep: yes
`

const cyrusServices = `START { recover cmd="BINctl_cyrusdb -C CONF -r" }
SERVICES {
  imap cmd="BINimapd -C CONF" listen="127.0.0.1:IMAP" prefork=0
  http cmd="BINhttpd -C CONF" listen="127.0.0.1:HTTP" prefork=2
}
EVENTS { }
`

// makeMailbox makes the owner's mailbox, without which there is no calendar.
func makeMailbox() error {
	c, err := net.Dial("tcp", "127.0.0.1:"+strconv.Itoa(imapPort))
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		return err
	}
	r := bufio.NewReader(c)
	for _, line := range []string{"a LOGIN cyrus " + secret, "a CREATE user/" + owner} {
		if _, err := c.Write([]byte(line + "\r\n")); err != nil {
			return err
		}
		for {
			answer, err := r.ReadString('\n')
			if err != nil {
				return err
			}
			if strings.HasPrefix(answer, "a OK") {
				break
			}
			if strings.HasPrefix(answer, "a ") {
				return fmt.Errorf("%s: %s", line, answer)
			}
		}
	}
	return nil
}

// radicale runs Radicale on events that lie there already.
func radicale(ctx context.Context, dir string, size int) (*server, error) {
	home := filepath.Join(dir, "data", "collection-root", owner, "home")
	files := map[string]string{
		filepath.Join(home, ".Radicale.props"): `{"tag": "VCALENDAR"}`,
		filepath.Join(dir, "config"): "[server]\nhosts = 127.0.0.1:" + strconv.Itoa(radicalePort) +
			"\n[auth]\ntype = none\n[storage]\nfilesystem_folder = " + filepath.Join(dir, "data") + "\n[rights]\ntype = owner_only\n",
	}
	if err := addEvents(files, home, size); err != nil {
		return nil, err
	}
	s, err := launch("radicale", radicalePort, dir, "/"+owner+"/home/", nil, "radicale", "--config", filepath.Join(dir, "config"))
	if err != nil {
		return nil, err
	}
	return s, s.await(ctx)
}

// xandikos runs Xandikos on a repository with the events in it.
func xandikos(ctx context.Context, dir string, size int) (*server, error) {
	home := filepath.Join(dir, "data", owner, "calendars", "calendar")
	s, err := launch("xandikos", xandikosPort, dir, "/"+owner+"/calendars/calendar/", nil,
		"xandikos", "-d", filepath.Join(dir, "data"), "-l", "127.0.0.1", "-p", strconv.Itoa(xandikosPort),
		"--current-user-principal", "/"+owner+"/", "--defaults")
	if err != nil {
		return nil, err
	}
	if err := s.await(ctx); err != nil {
		return s, err
	}
	if err := addEvents(map[string]string{}, home, size); err != nil {
		return s, err
	}
	for _, args := range [][]string{{"add", "-A"}, {"-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "-q", "-m", "events"}} {
		if out, err := exec.CommandContext(ctx, "git", append([]string{"-C", home}, args...)...).CombinedOutput(); err != nil {
			return s, fmt.Errorf("git: %w: %s", err, out)
		}
	}
	return s, nil
}

// addEvents writes files and, in a folder, the events.
func addEvents(files map[string]string, folder string, size int) error {
	for i := range size {
		files[filepath.Join(folder, name(i))] = event(i)
	}
	return writeAll(files)
}

func writeAll(files map[string]string) error {
	for name, text := range files {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// give gives a folder, and a way to it, to a user of the system.
func give(dir, name string) error {
	u, err := user.Lookup(name)
	if err != nil {
		return err
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return err
	}
	gid, err := strconv.Atoi(u.Gid)
	if err != nil {
		return err
	}
	for up := filepath.Dir(dir); up != filepath.Dir(up) && up != os.TempDir(); up = filepath.Dir(up) {
		if err := os.Chmod(up, 0o755); err != nil {
			return err
		}
	}
	return filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chown(path, uid, gid)
	})
}
