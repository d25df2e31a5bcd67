package test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A device has a person's calendars and contacts as folders, which vdirsyncer keeps
// the same as the server's.
type device struct {
	*person
	dir     string
	command func(words ...string) *exec.Cmd // makes one where the device is
}

const vdirsyncerConfig = `[general]
status_path = "%[1]s/status/"

[pair cal]
a = "calhere"
b = "calthere"
collections = ["from a", "from b"]
metadata = ["displayname", "color"]
%[5]s

[storage calhere]
type = "filesystem"
path = "%[1]s/cal/"
fileext = ".ics"

[storage calthere]
type = "caldav"
url = "%[2]s/"
username = "%[3]s"
password = "%[4]s"

[pair card]
a = "cardhere"
b = "cardthere"
collections = ["from a", "from b"]
%[5]s

[storage cardhere]
type = "filesystem"
path = "%[1]s/card/"
fileext = ".vcf"

[storage cardthere]
type = "carddav"
url = "%[2]s/"
username = "%[3]s"
password = "%[4]s"
`

func newDevice(p *person) *device {
	p.t.Helper()
	program(p.t, "vdirsyncer")
	d := &device{p, p.t.TempDir(), func(words ...string) *exec.Cmd { return exec.Command(words[0], words[1:]...) }}
	mkdir(p.t, filepath.Join(d.dir, "cal"))
	mkdir(p.t, filepath.Join(d.dir, "card"))
	d.configure("")
	return d
}

// configure writes the configuration, with a line about conflicts.
func (d *device) configure(resolution string) {
	d.t.Helper()
	write(d.t, filepath.Join(d.dir, "config"), fmt.Appendf(nil, vdirsyncerConfig, d.dir, d.i.Dav, d.name, d.password, resolution))
}

// vdirsyncer runs one of its commands. To each question the answer is yes.
func (d *device) vdirsyncer(args ...string) (string, error) {
	cmd := d.command(append([]string{"vdirsyncer", "-c", filepath.Join(d.dir, "config")}, args...)...)
	cmd.Env = cleanEnv(d.dir)
	cmd.Stdin = strings.NewReader(strings.Repeat("y\n", 100))
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// sync makes both sides the same.
func (d *device) sync() {
	d.t.Helper()
	for _, command := range []string{"discover", "sync"} {
		if out, err := d.vdirsyncer(command); err != nil || strings.Contains(out, "error") {
			d.t.Fatalf("vdirsyncer %s: %v\n%s\nthe server says\n%s", command, err, out, d.i.said())
		}
	}
}

// holds lists the texts behind a property in all files below a folder.
func (d *device) holds(folder, property string) []string {
	d.t.Helper()
	names, err := filepath.Glob(filepath.Join(d.dir, folder, "*.*"))
	if err != nil {
		d.t.Fatal(err)
	}
	var list []string
	for _, name := range names {
		for line := range strings.Lines(read(d.t, name)) {
			if text, ok := strings.CutPrefix(strings.TrimSpace(line), property+":"); ok {
				list = append(list, text)
			}
		}
	}
	slices.Sort(list)
	return list
}

func (d *device) want(folder, property string, want ...string) {
	d.t.Helper()
	if got := d.holds(folder, property); !slices.Equal(got, want) {
		d.t.Errorf("%s: got %q, want %q", folder, got, want)
	}
}

// TestDavVdirsyncer keeps two devices the same: new, changed and deleted entries, new
// calendars and address books, their names and colours, and conflicts.
func TestDavVdirsyncer(t *testing.T) {
	i := up(t)
	alice := newPerson(t, i, "alice")
	laptop, phone := newDevice(alice), newDevice(alice)
	file := func(d *device, name, text string) {
		t.Helper()
		mkdir(t, filepath.Dir(filepath.Join(d.dir, name)))
		write(t, filepath.Join(d.dir, name), []byte(text))
	}

	file(laptop, "cal/work/standup.ics", event("standup", "Stand-up", "20261202T090000Z"))
	file(laptop, "cal/work/displayname", "Work")
	file(laptop, "cal/work/color", "#ff8800")
	file(laptop, "card/friends/bob.vcf", card("bob", "Bob"))
	laptop.sync()
	if out, err := laptop.vdirsyncer("metasync"); err != nil {
		t.Fatalf("metasync: %v\n%s", err, out)
	}
	phone.sync()
	phone.want("cal/work", "SUMMARY", "Stand-up")
	phone.want("card/friends", "FN", "Bob")
	if out, err := phone.vdirsyncer("metasync"); err != nil {
		t.Fatalf("metasync: %v\n%s", err, out)
	}
	if got := read(t, filepath.Join(phone.dir, "cal/work/displayname")) + " " + read(t, filepath.Join(phone.dir, "cal/work/color")); !strings.EqualFold(got, "Work #ff8800") {
		t.Errorf("name and colour: got %q, want Work #ff8800", got)
	}

	// Both sides have news.
	file(phone, "cal/work/lunch.ics", event("lunch", "Lunch", "20261203T120000Z"))
	file(phone, "card/friends/carol.vcf", card("carol", "Carol"))
	file(laptop, "cal/home/dentist.ics", event("dentist", "Dentist", "20261204T080000Z"))
	standup, err := filepath.Glob(filepath.Join(phone.dir, "cal/work/*standup*"))
	if err != nil || len(standup) != 1 {
		t.Fatalf("%q, %v", standup, err)
	}
	write(t, standup[0], []byte(event("standup", "Stand-up, later", "20261202T093000Z")))
	phone.sync()
	laptop.sync()
	phone.sync()
	for _, d := range []*device{laptop, phone} {
		d.want("cal/work", "SUMMARY", "Lunch", "Stand-up, later")
		d.want("cal/home", "SUMMARY", "Dentist")
		d.want("card/friends", "FN", "Bob", "Carol")
	}

	// What one deletes is gone at the other.
	for _, name := range []string{"cal/work/standup.ics", "card/friends/bob.vcf"} {
		if err := os.Remove(filepath.Join(laptop.dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	laptop.sync()
	phone.sync()
	phone.want("cal/work", "SUMMARY", "Lunch")
	phone.want("card/friends", "FN", "Carol")

	// Both change the same: the second is told, and decides.
	file(laptop, "cal/home/dentist.ics", event("dentist", "Dentist, of the laptop", "20261204T080000Z"))
	dentist, err := filepath.Glob(filepath.Join(phone.dir, "cal/home/*dentist*"))
	if err != nil || len(dentist) != 1 {
		t.Fatalf("%q, %v", dentist, err)
	}
	write(t, dentist[0], []byte(event("dentist", "Dentist, of the phone", "20261204T080000Z")))
	laptop.sync()
	if out, err := phone.vdirsyncer("sync"); err == nil || !strings.Contains(out, "conflict") {
		t.Errorf("a conflict: got %v\n%s\nwant it told", err, out)
	}
	phone.configure(`conflict_resolution = "a wins"`)
	phone.sync()
	laptop.sync()
	laptop.want("cal/home", "SUMMARY", "Dentist, of the phone")
}

const khalConfig = `[calendars]
[[home]]
path = %[1]s/cal/home
[locale]
timeformat = %%H:%%M
dateformat = %%Y-%%m-%%d
longdateformat = %%Y-%%m-%%d
datetimeformat = %%Y-%%m-%%d %%H:%%M
longdatetimeformat = %%Y-%%m-%%d %%H:%%M
local_timezone = Europe/Vienna
default_timezone = Europe/Vienna
[default]
default_calendar = home
[sqlite]
path = %[1]s/khal.db
`

const khardConfig = `[addressbooks]
[[contacts]]
path = %s/card/contacts
[general]
default_action = list
editor = /bin/true
merge_editor = /bin/true
`

// run runs khal or khard on the device's folders.
func (d *device) run(name string, args ...string) string {
	d.t.Helper()
	config := map[string]string{"khal": khalConfig, "khard": khardConfig}[name]
	write(d.t, filepath.Join(d.dir, name+".conf"), fmt.Appendf(nil, config, d.dir))
	cmd := exec.Command(program(d.t, name), append([]string{"-c", filepath.Join(d.dir, name+".conf")}, args...)...)
	cmd.Env, cmd.Dir = cleanEnv(d.dir), d.dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		d.t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// TestDavKhal writes an event with khal and a contact with khard on one device and reads
// them on another.
func TestDavKhal(t *testing.T) {
	i := up(t)
	alice := newPerson(t, i, "alice")
	laptop, phone := newDevice(alice), newDevice(alice)
	laptop.sync()
	phone.sync()
	laptop.run("khal", "new", "2026-12-02", "12:00", "13:00", "Lunch with Bob")
	laptop.run("khal", "new", "--repeat", "weekly", "--until", "2026-12-31", "2026-12-03", "18:00", "19:00", "Choir")
	bob := filepath.Join(laptop.dir, "bob.yaml")
	write(t, bob, []byte("First name : Bob\nLast name : Builder\nEmail :\n    home : bob@example.org\n"))
	laptop.run("khard", "new", "-a", "contacts", "-i", bob)
	laptop.sync()
	phone.sync()
	if got := phone.run("khal", "list", "2026-12-01", "14d"); !strings.Contains(got, "12:00-13:00 Lunch with Bob") || strings.Count(got, "Choir") != 2 {
		t.Errorf("khal shows\n%s\nwant the lunch and two rehearsals", got)
	}
	if got := phone.run("khard", "email", "--parsable", "bob"); !strings.Contains(got, "bob@example.org\tBob Builder") {
		t.Errorf("khard shows\n%s\nwant bob's address", got)
	}
}
