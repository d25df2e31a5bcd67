package sealed

// folderCalls work with files. Landlock keeps them in the folder: what opens, makes,
// names or removes a file elsewhere gets EACCES. Reading of names and sizes it does
// not keep in (stat, readlink).
func folderCalls(s self) []Rule {
	return append(descriptorCalls(s), []Rule{
		{"openat", []limit{within(2, "flags", value{"O_WRONLY", 0o1}, value{"O_RDWR", 0o2}, value{"O_CREAT", 0o100},
			value{"O_EXCL", 0o200}, value{"O_TRUNC", 0o1000}, value{"O_APPEND", 0o2000}, value{"O_NONBLOCK", 0o4000},
			value{"O_DIRECTORY", 0o200000}, value{"O_NOFOLLOW", 0o400000}, value{"O_CLOEXEC", 0o2000000})}},
		{"fcntl", []limit{is(1, "op", value{"F_GETFL", 3}, value{"F_SETFL", 4})}},
		{"fstat", nil},
		{"newfstatat", nil},
		{"readlinkat", nil},
		{"getdents64", nil},
		{"pread64", nil},
		{"pwrite64", nil},
		{"mmap", []limit{
			{arg: 2, name: "prot", wide: true, oneOf: []value{{"PROT_READ", 1}}},
			{arg: 3, name: "flags", wide: true, oneOf: []value{{"MAP_SHARED", 0x01}}},
		}},
		{"fsync", nil},
		{"mkdirat", nil},
		{"linkat", nil},
		{"renameat", nil},
		{"unlinkat", nil},

		// Whose a lock is: this machine's, and a process that is there.
		{"flock", nil},
		{"uname", nil},
		{"kill", []limit{is(1, "sig", value{"0", 0})}},
	}...)
}

// descriptorCalls are those on descriptors that come and go.
func descriptorCalls(s self) []Rule {
	return []Rule{
		{"read", nil},
		{"write", nil},
		{"close", nil},
		{"epoll_ctl", []limit{s.polls()}},
	}
}
