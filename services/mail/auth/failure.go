package auth

import (
	"errors"
	"fmt"
)

// A failure is why something did not pass, and what that is called.
type failure struct {
	verdict Verdict
	reason  string
}

func (f *failure) Error() string { return f.reason }

func failed(v Verdict, format string, args ...any) error {
	return &failure{v, fmt.Sprintf(format, args...)}
}

// judged returns what an error of this package means.
func judged(err error) (Verdict, string) {
	if err == nil {
		return Pass, ""
	}
	if f := (*failure)(nil); errors.As(err, &f) {
		return f.verdict, f.reason
	}
	return PermError, err.Error()
}
