package main

import (
	"errors"
	"fmt"
	"strings"

	"cairn/cmd/setup"
	"cairn/libos"
	"cairn/services/unipi"
)

const webhookPath = unipi.WebhookPath

// A remoteHook takes webhooks of the host that keeps everything. They come to the
// address of any site that does not follow a remote of its own.
type remoteHook struct {
	remote *setup.Remote
	key    []byte
}

// newRemoteHook reads what the host signs with. Without, there is no hook.
func newRemoteHook(env libos.Env, r *setup.Remote) (*remoteHook, error) {
	file := env.Args.String("webhook-secret-file")
	if file == "" {
		return &remoteHook{}, nil
	}
	data, err := env.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("--webhook-secret-file: %w", err)
	}
	key := strings.TrimSpace(string(data))
	if key == "" {
		return nil, errors.New("--webhook-secret-file: " + file + " is empty")
	}
	return &remoteHook{r, []byte(key)}, nil
}

// secret is what a site's webhook is signed with: own says it of sites that
// follow a remote.
func (h *remoteHook) secret(own func(site string) ([]byte, bool)) func(site string) ([]byte, bool) {
	return func(site string) ([]byte, bool) {
		if key, ok := own(site); ok || h.key == nil {
			return key, ok
		}
		return h.key, true
	}
}

// pushed wakes whoever follows.
func (h *remoteHook) pushed(own func(site string)) func(site string) {
	return func(site string) {
		own(site)
		if h.key != nil {
			h.remote.Wake()
		}
	}
}
