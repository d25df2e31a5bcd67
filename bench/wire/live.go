package wire

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"cairn/bench/measure"
	"cairn/bench/stock"
)

// Live measures at each size how long it takes from git push to the page that
// shows the change, with the command that people run.
func Live(ctx context.Context, room *measure.Room) error {
	b := bench{room}
	for _, size := range room.Sizes {
		if err := room.Stage(ctx, "live", size, b.live); err != nil {
			return err
		}
	}
	return nil
}

// live pushes changes of one file to a site that is served, and the same to a
// git http-backend that nothing is served from. Both ask for a password, as
// stock git wants it of a server that takes pushes.
func (b *bench) live(ctx context.Context, dir string, size int) error {
	corpus := stock.Corpus{Files: size, Size: 2000}
	var history stock.Stream
	history.Tree(corpus)
	client, err := stock.New(ctx, filepath.Join(dir, "client"), history.Data)
	if err != nil {
		return err
	}
	site, err := up(ctx, dir)
	if err != nil {
		return err
	}
	defer site.stop()
	bare, err := stock.New(ctx, filepath.Join(dir, git), nil)
	if err != nil {
		return err
	}
	theirs, err := start(ctx, gitLogin, bare.Dir)
	if err != nil {
		return err
	}
	defer theirs.stop()
	login, err := withLogin(theirs.url, "owner", password)
	if err != nil {
		return err
	}

	edits := corpus.Edits(4*b.room.Rounds+2, 2)
	t := turns{client: client, edits: edits}
	ours := func() (float64, error) {
		e, err := t.next(ctx, "cairn")
		if err != nil {
			return 0, err
		}
		began := time.Now()
		if err = push(ctx, client, site.push); err == nil {
			err = shows(ctx, site.http+"/"+e.Path, e.Data)
		}
		return time.Since(began).Seconds(), err
	}
	peer := func() (float64, error) {
		if _, err := t.next(ctx, "git"); err != nil {
			return 0, err
		}
		began := time.Now()
		err := push(ctx, client, login)
		return time.Since(began).Seconds(), err
	}
	first, firstPeer, err := measure.InTurn(1, ours, peer)
	if err != nil {
		return err
	}
	b.add("first push of a site, until it is live", size, measure.Seconds, first, firstPeer, measure.Goal{})
	if _, _, err := measure.InTurn(1, ours, peer); err != nil {
		return err
	}
	took, took2, err := measure.InTurn(4*b.room.Rounds, ours, peer)
	b.add("push of a change, until it is live", size, measure.Seconds, took, took2, measure.Goal{Ratio: 1.3})
	return err
}

// shows waits until the page has this content.
func shows(ctx context.Context, url string, want []byte) error {
	for range 1000 {
		got, err := get(ctx, url)
		if err != nil || string(got) == string(want) {
			return err
		}
	}
	return fmt.Errorf("%s does not show the change", url)
}

func get(ctx context.Context, url string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	return io.ReadAll(answer.Body)
}

// A site is a running `cairn up`.
type site struct {
	http string // base URL of the first site
	push string // where to push it, with user and password
	cmd  *exec.Cmd
}

// up builds cairn and starts it on a new home.
func up(ctx context.Context, dir string) (*site, error) {
	program, home := filepath.Join(dir, "cairn.exe"), filepath.Join(dir, "home")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", program, "cairn/cmd/cairn").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build cairn: %w: %s", err, out)
	}
	said, err := os.Create(filepath.Join(dir, "up.log"))
	if err != nil {
		return nil, err
	}
	defer said.Close()
	s := &site{cmd: exec.CommandContext(ctx, program, "up", "--home", home,
		"--http", "127.0.0.1:0", "--git", "127.0.0.1:0", "--ssh", "127.0.0.1:0")}
	s.cmd.Stdout = said
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	if err := s.find(ctx, home, said.Name()); err != nil {
		s.stop()
		return nil, fmt.Errorf("start cairn: %w", err)
	}
	return s, nil
}

func (s *site) stop() {
	s.cmd.Process.Signal(os.Interrupt)
	s.cmd.Wait()
}

// find waits until the site is up and learns where it is.
func (s *site) find(ctx context.Context, home, said string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		text, err := os.ReadFile(said)
		if err != nil {
			return err
		}
		_, rest, ok := strings.Cut(string(text), "Password")
		words := strings.Fields(rest)
		if !ok || !strings.Contains(rest, "\n") || len(words) == 0 {
			continue
		}
		var where struct{ HTTP, Git string }
		data, err := os.ReadFile(filepath.Join(home, "run.json"))
		if err == nil {
			err = json.Unmarshal(data, &where)
		}
		if err == nil {
			s.http = where.HTTP
			s.push, err = withLogin(where.Git+"/site", "owner", words[0])
		}
		return err
	}
}

func withLogin(address, user, password string) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", err
	}
	u.User = url.UserPassword(user, password)
	return u.String(), nil
}

// password is the one that the git server asks for.
const password = "correct horse"

// login lets those in who know the password.
func login(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, given, _ := r.BasicAuth(); given != password {
			w.Header().Set("WWW-Authenticate", `Basic realm="git"`)
			http.Error(w, "log in first", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}
