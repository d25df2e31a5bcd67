package accounts

import (
	"encoding/base64"
	"testing"
)

// The exchange of RFC 7677 §3: user "user", password "pencil".
func TestScramRFC7677(t *testing.T) {
	salt, err := base64.StdEncoding.DecodeString("W22ZaJ0SNY7soEsUEjb6gQ==")
	if err != nil {
		t.Fatal(err)
	}
	k, err := newScram("pencil", salt)
	if err != nil {
		t.Fatal(err)
	}
	const auth = "n=user,r=rOprNGfwEbeRWgbNEkqO," +
		"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096," +
		"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
	got := base64.StdEncoding.EncodeToString(mac(k.server, auth))
	if want := "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="; got != want {
		t.Errorf("server signature: got %s, want %s", got, want)
	}
	back, err := parseScram(k.String())
	if err != nil || back.String() != k.String() {
		t.Errorf("got %v, %v, want %v", back, err, k)
	}
}

func TestScramRefused(t *testing.T) {
	const zero = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
	for _, s := range []string{
		"", "SCRAM-SHA-256", "SCRAM-SHA-256$4096:$" + zero + ":" + zero,
		"SCRAM-SHA-256$1:AAAAAAAAAAAAAAAAAAAAAA==$" + zero + ":" + zero,
		"SCRAM-SHA-256$999999999:AAAAAAAAAAAAAAAAAAAAAA==$" + zero + ":" + zero,
		"SCRAM-SHA-1$4096:AAAAAAAAAAAAAAAAAAAAAA==$" + zero + ":" + zero,
		"SCRAM-SHA-256$4096:AAAAAAAAAAAAAAAAAAAAAA==$" + zero + ":",
		"SCRAM-SHA-256$4096:AAAAAAAAAAAAAAAAAAAAAA==$" + zero + ":" + zero + "\n",
	} {
		if _, err := parseScram(s); err == nil {
			t.Errorf("%q was accepted", s)
		}
	}
}
