package self

import (
	"errors"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"slices"
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
		return &deviceList{Devices: x.user.AppPasswords, Base: x.base(x.r), Calendars: x.Collections != nil, Mail: x.mail(x.r, x.user)}, nil
	},
	actions: map[string]action{"devices/make": makeDevice, "devices/revoke": revokeDevice},
}

type deviceList struct {
	Devices   []accounts.AppPassword
	Base      string
	Calendars bool
	Mail      *Mail // nil: none
}

// mail is how somebody's mail is reached, nil where there is none.
func (h *handler) mail(r *http.Request, u *accounts.User) *Mail {
	if h.Mail == nil {
		return nil
	}
	return h.Mail(r.Context(), u)
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
func (h *handler) base(r *http.Request) string {
	if h.Base != "" {
		return strings.TrimSuffix(h.Base, "/")
	}
	scheme := "http"
	if h.secure(r) {
		scheme = "https"
	}
	return (&url.URL{Scheme: scheme, Host: r.Host}).String()
}

// A newDevice is what is shown once.
type newDevice struct {
	Name, User, Password, Base string
	Calendars                  bool
	Mail                       *Mail        // nil: none
	Link                       template.URL // for programs such as DAVx⁵
	Code                       template.HTML
	Profile                    string // for Apple's, below the prefix
	ProfileCode                template.HTML
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
	d := &newDevice{Name: name, User: x.user.Name, Password: password, Base: x.base(x.r), Calendars: x.Collections != nil, Mail: x.mail(x.r, x.user)}
	if d.Calendars {
		link := deviceLink(d)
		d.Link = template.URL(link) // html/template does not know the scheme
		if d.Code, err = qrCode(link, "the address, the name and the password"); err != nil {
			return "", "", err
		}
	}
	if d.Calendars || d.Mail != nil {
		if err := x.offerProfile(d); err != nil {
			return "", "", err
		}
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

// offerProfile makes the link of a device's profile, and a code to scan it from.
func (x *visit) offerProfile(d *newDevice) error {
	sealed, err := x.profiles.seal(sealedProfile{User: x.user.Name, Device: d.Name, Password: d.Password, Until: x.Now().Add(profileFor).Unix()})
	if err != nil {
		return err
	}
	d.Profile = "devices/profile?" + url.Values{"for": {sealed}}.Encode()
	d.ProfileCode, err = qrCode(d.Base+x.Prefix+"/"+d.Profile, "the address of the profile")
	return err
}

// sendProfile answers with a profile that sets up Apple's devices. Whoever has the link may
// have it: a telephone that has scanned it has not logged in.
func (h *handler) sendProfile(w http.ResponseWriter, r *http.Request) {
	const over = "This profile can no longer be downloaded. Make a new password for the device."
	var p sealedProfile
	if h.profiles.open(r.URL.Query().Get("for"), &p) != nil || h.Now().Unix() > p.Until {
		h.plain(w, r, http.StatusUnprocessableEntity, over)
		return
	}
	u, err := h.Accounts.User(r.Context(), p.User)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !slices.ContainsFunc(u.AppPasswords, func(a accounts.AppPassword) bool { return a.Name == p.Device }) {
		h.plain(w, r, http.StatusUnprocessableEntity, over)
		return
	}
	if err != nil {
		h.fail(w, r, err)
		return
	}
	data, err := (&setUp{base: h.base(r), user: p.User, device: p.Device, password: p.Password, calendars: h.Collections != nil, mail: h.mail(r, u)}).profile()
	if err != nil {
		h.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/x-apple-aspen-config")
	w.Header().Set("Content-Disposition", `attachment; filename="cairn.mobileconfig"`)
	w.Write(data) // nobody is left to tell of an error
}
