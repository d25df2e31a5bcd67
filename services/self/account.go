package self

import (
	"errors"
	"io/fs"
	"net/http"

	"cairn/services/accounts"

	"golang.org/x/crypto/ssh"
)

// account is the section of the password and the SSH keys.
var account = &section{
	path: "account", title: "Account", template: "account.html", tab: "Account",
	show: func(x *visit) (any, error) { return keysOf(x.user), nil },
	actions: map[string]action{
		"account/password": setPassword, "account/addkey": addKey, "account/removekey": removeKey, "logout": logout,
	},
}

// A shownKey is an SSH key as people recognize it.
type shownKey struct{ Line, Kind, Print, Comment string }

func keysOf(u *accounts.User) []shownKey {
	var list []shownKey
	for _, line := range u.SSHKeys {
		if k, err := accounts.ParseKey(line); err == nil {
			list = append(list, shownKey{line, k.Type(), ssh.FingerprintSHA256(k.PublicKey), k.Comment})
		}
	}
	return list
}

func setPassword(x *visit) (string, string, error) {
	if x.field("new") != x.field("again") {
		return "", "", &Refusal{"The new password was not typed twice alike."}
	}
	_, _, err := x.authenticate(x.ctx(), x.r, x.user.Name, x.field("old"))
	if errors.Is(err, accounts.ErrBadCredentials) || errors.Is(err, accounts.ErrAppPassword) {
		return "", "", &Refusal{"That is not your current password."}
	}
	if err != nil {
		return "", "", err
	}
	err = x.Accounts.SetPassword(x.ctx(), x.user.Signature(), x.user.Name, x.field("new"))
	if errors.Is(err, accounts.ErrPassword) {
		return "", "", &Refusal{"The new password is too short: it has to have 8 characters or more."}
	}
	if err != nil {
		return "", "", err
	}
	// This browser stays, with a session of the new password.
	u, stamp, err := x.authenticate(x.ctx(), x.r, x.user.Name, x.field("new"))
	if err != nil {
		return "", "", err
	}
	return "password", "account", x.begin(x.w, x.r, u, stamp)
}

func addKey(x *visit) (string, string, error) {
	key, err := accounts.ParseKey(x.field("key"))
	if err != nil {
		return "", "", &Refusal{"This key cannot be used: " + err.Error() + "."}
	}
	err = x.Accounts.AddKey(x.ctx(), x.user.Signature(), x.user.Name, key.String())
	switch {
	case errors.Is(err, fs.ErrExist):
		err = &Refusal{"This key is here already."}
	case errors.Is(err, accounts.ErrKeyTaken):
		err = &Refusal{"This key cannot be used: it is somebody else's."}
	}
	return "keyadded", "account", err
}

func removeKey(x *visit) (string, string, error) {
	if _, err := accounts.ParseKey(x.field("key")); err != nil {
		x.plain(x.w, x.r, http.StatusBadRequest, "This form cannot be read.")
		return "", "", nil
	}
	return "keygone", "account", x.Accounts.RemoveKey(x.ctx(), x.user.Signature(), x.user.Name, x.field("key"))
}
