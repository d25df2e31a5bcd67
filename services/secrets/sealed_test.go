package secrets

import (
	"bytes"
	"errors"
	"testing"
)

func TestSeal(t *testing.T) {
	s := open(t, newBranch(), seed)
	for _, want := range [][]byte{nil, []byte("a message"), bytes.Repeat([]byte("x"), 2*MaxSecret)} {
		file, err := s.Seal("queue/a", want)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.HasPrefix(file, []byte(sealedMagic)) || bytes.Contains(file, []byte("a message")) {
			t.Errorf("sealed %.20q: got %.60q", want, file)
		}
		got, err := open(t, newBranch(), seed).Unseal("queue/a", file)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("unseal: got %.20q, %v, want %.20q", got, err, want)
		}
		if _, err := s.Unseal("queue/b", file); !errors.Is(err, ErrDamaged) {
			t.Errorf("unseal under another name: got %v, want ErrDamaged", err)
		}
		if _, err := open(t, newBranch(), [32]byte{9}).Unseal("queue/a", file); !errors.Is(err, ErrWrongSeed) {
			t.Errorf("unseal with another seed: got %v, want ErrWrongSeed", err)
		}
		file[len(file)-1] ^= 1
		if _, err := s.Unseal("queue/a", file); !errors.Is(err, ErrDamaged) {
			t.Errorf("unseal what was changed: got %v, want ErrDamaged", err)
		}
	}
	if _, err := s.Seal("big", make([]byte, MaxSealed+1)); !errors.Is(err, ErrSealedTooLarge) {
		t.Errorf("seal too much: got %v, want ErrSealedTooLarge", err)
	}
}

// TestSealedIsNoSecret: what was sealed does not pass for a secret of the same name, nor the
// other way round.
func TestSealedIsNoSecret(t *testing.T) {
	s := open(t, newBranch(), seed)
	file, err := s.Seal("a", []byte("a message"))
	if err != nil {
		t.Fatal(err)
	}
	secret := s.box.seal("a", []byte("a secret"))
	if bytes.HasPrefix(secret, []byte(sealedMagic)) {
		t.Error("a secret looks as if it were sealed")
	}
	for _, swap := range []bool{false, true} {
		a, b := bytes.Clone(file), bytes.Clone(secret)
		if swap { // with the other's head
			copy(a, magic)
			copy(b, sealedMagic)
		}
		if _, err := s.box.open("a", a); !errors.Is(err, ErrDamaged) {
			t.Errorf("open what was sealed as a secret: got %v, want ErrDamaged", err)
		}
		if _, err := s.Unseal("a", b); !errors.Is(err, ErrDamaged) {
			t.Errorf("unseal a secret: got %v, want ErrDamaged", err)
		}
	}
}
