package self

import (
	"errors"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"cairn/services/accounts"
)

// devices is the section of app passwords.
var devices = &section{
	path: "", title: "Devices", template: "devices.html", tab: "Devices",
	show: func(x *visit) (any, error) {
		return &deviceList{Devices: x.user.AppPasswords, Base: x.base(), Calendars: x.Collections != nil}, nil
	},
	actions: map[string]action{"devices/make": makeDevice, "devices/revoke": revokeDevice},
	files:   map[string]action{"devices/profile": sendProfile},
}

type deviceList struct {
	Devices   []accounts.AppPassword
	Base      string
	Calendars bool
}

// maxName bounds names that people give, in characters.
const maxName = 60

// named returns a name from a form, without what cannot stand in one.
func named(s string) (string, error) {
	s = strings.Join(strings.Fields(s), " ")
	switch {
	case s == "":
		return "", &Refusal{"Please give it a name."}
	case utf8.RuneCountInString(s) > maxName:
		return "", &Refusal{"The name is too long."}
	case !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) || r == '<' || r == '>' }):
		return "", &Refusal{"The name holds characters that cannot be in one."}
	}
	return s, nil
}

// base is the address under which devices find calendars and contacts, without a
// slash at its end.
func (x *visit) base() string {
	if x.Base != "" {
		return strings.TrimSuffix(x.Base, "/")
	}
	scheme := "http"
	if x.secure(x.r) {
		scheme = "https"
	}
	return (&url.URL{Scheme: scheme, Host: x.r.Host}).String()
}

// A newDevice is what is shown once.
type newDevice struct {
	Name, User, Password, Base string
	Calendars                  bool
	Link                       template.URL // for programs such as DAVx⁵
	Code                       template.HTML
	Profile                    string // for Apple's
}

func makeDevice(x *visit) (string, string, error) {
	name, err := named(x.field("name"))
	if err != nil {
		return "", "", err
	}
	password, err := x.Accounts.NewAppPassword(x.ctx(), x.user.Signature(), x.user.Name, name)
	if err != nil {
		if errors.Is(err, fs.ErrExist) {
			err = &Refusal{"There is a device of that name already. Revoke it first, or choose another name."}
		}
		return "", "", err
	}
	d := &newDevice{Name: name, User: x.user.Name, Password: password, Base: x.base(), Calendars: x.Collections != nil}
	if d.Calendars {
		link := deviceLink(d)
		d.Link = template.URL(link) // html/template does not know the scheme
		if d.Code, err = qrCode(link); err != nil {
			return "", "", err
		}
		sealed, err := x.profiles.seal(sealedProfile{User: x.user.Name, Device: name, Password: password, Until: x.Now().Add(profileFor).Unix()})
		if err != nil {
			return "", "", err
		}
		d.Profile = "devices/profile?" + url.Values{"for": {sealed}}.Encode()
	}
	x.render(http.StatusOK, "device.html", "Connect "+name, "", d)
	return "", "", nil
}

// deviceLink is the address that DAVx⁵ and others open their log-in with, filled in:
// caldavs://user:password@host/ (DAVx⁵ manual, Integration).
func deviceLink(d *newDevice) string {
	u, err := url.Parse(d.Base)
	if err != nil {
		return ""
	}
	u.Scheme = strings.Replace(u.Scheme, "http", "caldav", 1)
	u.User = url.UserPassword(d.User, d.Password)
	u.Path = "/"
	return u.String()
}

func revokeDevice(x *visit) (string, string, error) {
	return "revoked", "", x.Accounts.RemoveAppPassword(x.ctx(), x.user.Signature(), x.user.Name, x.field("name"))
}

// profileFor is how long a profile can be downloaded after its password was made.
const profileFor = 15 * time.Minute

// A sealedProfile is what is in a profile's address, sealed.
type sealedProfile struct {
	User, Device, Password string
	Until                  int64 // Unix time
}

// sendProfile answers with a profile that sets up Apple's devices.
func sendProfile(x *visit) (string, string, error) {
	var p sealedProfile
	if x.profiles.open(x.r.URL.Query().Get("for"), &p) != nil || p.User != x.user.Name || x.Now().Unix() > p.Until {
		return "", "", &Refusal{"This profile can no longer be downloaded. Make a new password for the device."}
	}
	data, err := profile(x.base(), p.User, p.Device, p.Password)
	if err != nil {
		return "", "", err
	}
	x.w.Header().Set("Content-Type", "application/x-apple-aspen-config")
	x.w.Header().Set("Content-Disposition", `attachment; filename="cairn.mobileconfig"`)
	x.w.Write(data) // nobody is left to tell of an error
	return "", "", nil
}
