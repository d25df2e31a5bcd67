package kernel

// What a system call returns when it fails: the negated number.
const (
	eperm     = ^uintptr(0)
	enoent    = ^uintptr(2 - 1)
	esrch     = ^uintptr(3 - 1)
	eintr     = ^uintptr(4 - 1)
	ebadf     = ^uintptr(9 - 1)
	eagain    = ^uintptr(11 - 1)
	enomem    = ^uintptr(12 - 1)
	eacces    = ^uintptr(13 - 1)
	efault    = ^uintptr(14 - 1)
	ebusy     = ^uintptr(16 - 1)
	eexist    = ^uintptr(17 - 1)
	enodev    = ^uintptr(19 - 1)
	einval    = ^uintptr(22 - 1)
	emfile    = ^uintptr(24 - 1)
	enotty    = ^uintptr(25 - 1)
	enosys    = ^uintptr(38 - 1)
	etimedout = ^uintptr(110 - 1)
)
