package unipi

import (
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// An AccessLog writes one line a request in the combined format:
//
//	host - user [time] "request" status bytes "referer" "agent"
//
// Lines are gathered and written whole: when 64 KiB have come together, a
// second after the first of them, or on Flush. Bytes that could end a line
// or a field early are written as \xHH. Safe for concurrent use.
type AccessLog struct {
	// W takes the lines. Errors of writing are ignored: a full disk must not
	// stop the site.
	W io.Writer

	mu      sync.Mutex
	buf     []byte
	second  int64 // that stamp is of
	stamp   []byte
	pending bool // a flush is on its way
}

const accessLogBuffer = 64 << 10

// Flush writes what has been gathered.
func (l *AccessLog) Flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pending = false
	l.write()
}

func (l *AccessLog) write() {
	if len(l.buf) > 0 {
		_, _ = l.W.Write(l.buf)
		l.buf = l.buf[:0]
	}
}

// record adds the line of one request.
func (l *AccessLog) record(r *http.Request, user string, status int, bytes int64, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.buf == nil {
		l.buf = make([]byte, 0, accessLogBuffer+4096)
	}
	b := appendLogField(l.buf, clientHost(r.RemoteAddr))
	b = append(b, " - "...)
	b = appendLogField(b, user)
	b = append(b, ' ')
	if sec := now.Unix(); sec != l.second {
		l.second = sec
		l.stamp = now.AppendFormat(l.stamp[:0], "[02/Jan/2006:15:04:05 -0700]")
	}
	b = append(b, l.stamp...)
	b = append(b, ` "`...)
	b = appendLogText(b, r.Method)
	b = append(b, ' ')
	b = appendLogText(b, r.RequestURI)
	b = append(b, ' ')
	b = appendLogText(b, r.Proto)
	b = append(b, `" `...)
	b = strconv.AppendInt(b, int64(status), 10)
	b = append(b, ' ')
	b = strconv.AppendInt(b, bytes, 10)
	b = append(b, ` "`...)
	b = appendLogText(b, headerOrDash(r.Header["Referer"]))
	b = append(b, `" "`...)
	b = appendLogText(b, headerOrDash(r.Header["User-Agent"]))
	l.buf = append(b, '"', '\n')
	if len(l.buf) >= accessLogBuffer {
		l.write()
	} else if !l.pending {
		l.pending = true
		time.AfterFunc(time.Second, l.Flush)
	}
}

func clientHost(remote string) string {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		return remote
	}
	return host
}

func headerOrDash(v []string) string {
	if len(v) == 0 || v[0] == "" {
		return "-"
	}
	return v[0]
}

// appendLogField is appendLogText for a field without quotes: spaces are
// escaped and nothing is "-".
func appendLogField(b []byte, s string) []byte {
	if s == "" {
		return append(b, '-')
	}
	start := len(b)
	b = appendLogText(b, s)
	for i := start; i < len(b); i++ {
		if b[i] == ' ' {
			b = append(b[:i], append([]byte(`\x20`), b[i+1:]...)...)
		}
	}
	return b
}

// appendLogText appends s with quotes, backslashes and all that is not
// printable ASCII escaped, cut at 2 KiB.
func appendLogText(b []byte, s string) []byte {
	s = s[:min(len(s), 2048)]
	clean := true
	for i := 0; i < len(s); i++ {
		clean = clean && s[i] >= ' ' && s[i] < 0x7f && s[i] != '"' && s[i] != '\\'
	}
	if clean {
		return append(b, s...)
	}
	const hex = "0123456789abcdef"
	for i := 0; i < len(s); i++ {
		if c := s[i]; c >= ' ' && c < 0x7f && c != '"' && c != '\\' {
			b = append(b, c)
		} else {
			b = append(b, '\\', 'x', hex[c>>4], hex[c&15])
		}
	}
	return b
}
