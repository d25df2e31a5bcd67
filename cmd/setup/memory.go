package setup

import (
	"fmt"

	"cairn/libos"
)

// loginMemory is with how much memory, in bytes, people can log in by their passwords: a hash alone
// takes 19 MiB while it is computed.
const loginMemory = 28 << 20

// MayLogin says what is wrong where there is too little memory for people to log in, before
// somebody's attempt ends the program.
func MayLogin(env libos.Env) error {
	if env.Memory != 0 && env.Memory < loginMemory {
		return fmt.Errorf("%d MiB of memory are left, and a log-in by password takes 19 of them: %d are the least", env.Memory>>20, loginMemory>>20)
	}
	return nil
}
