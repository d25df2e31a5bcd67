package gitwire

import (
	"bytes"
	"io"
	"strings"
	"sync"
	"time"
	"unicode"
)

// keepAlive is how often a client that waits for an answer is sent an empty
// line, so that neither it nor a proxy between gives up; as often as git does.
const keepAlive = 5 * time.Second

// report writes what became of the push (gitprotocol-pack, "Report Status"):
// "unpack ok" or a reason, then for each ref "ok" or "ng" and a reason. The second version adds
// lines about refs that the server moved by itself; there are none here.
func (p *receiving) report() error {
	if p.request.status == 0 {
		return nil
	}
	var buf bytes.Buffer
	w := newPktWriter(&buf)
	w.linef("unpack %s\n", oneLine(p.unpacked))
	for _, c := range p.commands {
		if c.moved {
			w.linef("ok %s\n", c.Name)
		} else {
			w.linef("ng %s %s\n", oneLine(c.Name), oneLine(c.refused))
		}
	}
	w.flush()
	if err := w.send(); err != nil {
		return err
	}
	_, err := p.reportTo().Write(buf.Bytes())
	return err
}

func (p *receiving) reportTo() io.Writer {
	if p.bands == nil {
		return p.out
	}
	return p.bands.band(bandData)
}

// oneLine makes text fit for a status line: no control characters, and short.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.TrimSpace(s))
	return cut(s, 1000)
}

// progress is what the checks write to: shown to the pusher as "remote: …",
// or to nobody when the client cannot tell it from the report.
func (p *receiving) progress() io.Writer {
	if p.bands == nil {
		return io.Discard
	}
	return p.bands.band(bandProgress)
}

// beAlive keeps the client waiting until the returned function is called.
func (p *receiving) beAlive() (stop func()) {
	if p.bands == nil {
		return func() {}
	}
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(keepAlive)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				p.bands.write(bandData, nil)
			}
		}
	})
	return func() {
		close(done)
		wg.Wait()
	}
}

// fatal tells the client that its request cannot be answered at all.
func (p *receiving) fatal(text string) {
	if p.request != nil && p.request.bands {
		newSideband(p.out, false).write(bandError, []byte(text+"\n"))
		return
	}
	w := newPktWriter(p.out)
	w.line("ERR " + text + "\n")
	w.send()
}
