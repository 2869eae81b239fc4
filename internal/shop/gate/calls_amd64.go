package gate

import "golang.org/x/sys/unix"

const arch = unix.AUDIT_ARCH_X86_64

// ofOld are the calls that newer machines have only with a folder's descriptor.
var ofOld = []kind{
	{unix.SYS_OPEN, "open", byPath, 0},
	{unix.SYS_CREAT, "creat", byPath, 0},
	{unix.SYS_UNLINK, "unlink", byPath, 0},
	{unix.SYS_RENAME, "rename", byPath, 1},
	{unix.SYS_MKDIR, "mkdir", byPath, 0},
	{unix.SYS_RMDIR, "rmdir", byPath, 0},
	{unix.SYS_LINK, "link", byPath, 1},
	{unix.SYS_SYMLINK, "symlink", byPath, 1},
}

// openFlags are those of an open, and whether it is one.
func openFlags(k kind, args [6]uint64) (uint64, bool) {
	switch k.name {
	case "open":
		return args[1], true
	case "openat":
		return args[2], true
	case "creat":
		return unix.O_CREAT | unix.O_TRUNC, true
	}
	return 0, false
}
