package gate

import "golang.org/x/sys/unix"

const arch = unix.AUDIT_ARCH_AARCH64

// ofOld: a machine of this kind has none.
var ofOld []kind

// openFlags are those of an open, and whether it is one.
func openFlags(k kind, args [6]uint64) (uint64, bool) { return args[2], k.name == "openat" }
