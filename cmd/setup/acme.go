package setup

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"strings"

	"cairn/libos"
	"cairn/net/acme"
	"cairn/net/certs"
	"cairn/services/secrets"
)

// openACME asks an authority for certificates, as --acme and its kin say.
func (t *TLS) openACME(ctx context.Context, env libos.Env) error {
	o := acme.Options{
		Net:       env.Net,
		Directory: env.Args.String("acme-directory"),
		Email:     env.Args.String("acme-email"),
		Storage:   secrets.Folder{Secrets: t.options.Secrets, Path: "acme", By: certificates},
		Key:       func(name string) (*ecdsa.PrivateKey, error) { return certs.NameKey(*t.options.Seed, name) },
		HTTP01:    t.options.Plain,
		TLSALPN01: true,
		Settle:    t.options.Settle,
		Log:       env.Log,
	}
	var err error
	if file := env.Args.String("acme-ca"); file != "" {
		if o.Roots, err = rootsAnd(env, file); err != nil {
			return fmt.Errorf("--acme-ca: %w", err)
		}
	}
	if env.Args.Given("acme-dns") {
		if o.DNS01, err = dns01(env); err != nil {
			return fmt.Errorf("--acme-dns: %w", err)
		}
		t.wild = true
	}
	o.Names = t.public(t.options.Names)
	t.acme, err = acme.New(ctx, o)
	return err
}

// dns01 is what --acme-dns says.
func dns01(env libos.Env) (*acme.DNS01, error) {
	text, file := env.Args.String("acme-dns"), env.Args.String("acme-dns-secret")
	server, key, ok := strings.Cut(text, ",")
	if !ok || strings.Contains(key, ",") {
		return nil, fmt.Errorf("expected HOST:PORT,KEY, not %q (the file with the secret is named by --acme-dns-secret)", text)
	}
	if file == "" {
		return nil, errors.New("--acme-dns-secret has to name the file with the key's secret")
	}
	secret, err := env.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return &acme.DNS01{Server: server, Key: key, Secret: strings.TrimSpace(string(secret))}, nil
}

// public are those of the names that the authority can vouch for.
func (t *TLS) public(names []string) []string {
	var list []string
	for _, name := range names {
		_, err := acme.CheckName(name)
		if err == nil && (t.wild || !strings.HasPrefix(name, "*.")) {
			list = append(list, name)
		}
	}
	return list
}
