//go:build processes

package powercut

import (
	"context"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// entry is one thing that happened to the disk, or that somebody was told while it stood so.
type entry struct {
	off   int64
	data  []byte // of a write
	flush bool
	ack   string
}

// disk is a file whose every write and flush is kept in the order in which they were answered. A loop device on it is
// what a file system is mounted from.
type disk struct {
	fs.Inode
	mu    sync.Mutex
	image []byte
	log   []entry

	dies  int  // planted: it dies with that promise; 0: never
	alone bool // planted: what is dead answers EIO to flushes alone, and takes writes
	acks  int
}

// dead says whether it has died. The lock is held.
func (d *disk) dead() bool { return d.dies > 0 && d.acks >= d.dies }

var (
	_ fs.NodeOpener    = (*disk)(nil)
	_ fs.NodeReader    = (*disk)(nil)
	_ fs.NodeWriter    = (*disk)(nil)
	_ fs.NodeFsyncer   = (*disk)(nil)
	_ fs.NodeGetattrer = (*disk)(nil)
	_ fs.NodeSetattrer = (*disk)(nil)
)

// Open opens the one file.
func (d *disk) Open(context.Context, uint32) (fs.FileHandle, uint32, syscall.Errno) { return nil, 0, 0 }

// Getattr says how large it is.
func (d *disk) Getattr(_ context.Context, _ fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	out.Mode, out.Size, out.Blksize = 0o600, uint64(len(d.image)), 4096
	return 0
}

// Setattr changes nothing: a disk keeps its size.
func (d *disk) Setattr(ctx context.Context, f fs.FileHandle, _ *fuse.SetAttrIn, out *fuse.AttrOut) syscall.Errno {
	return d.Getattr(ctx, f, out)
}

// Read answers what was written last.
func (d *disk) Read(_ context.Context, _ fs.FileHandle, dest []byte, off int64) (fuse.ReadResult, syscall.Errno) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if off >= int64(len(d.image)) {
		return fuse.ReadResultData(nil), 0
	}
	n := copy(dest, d.image[off:])
	return fuse.ReadResultData(dest[:n]), 0
}

func (d *disk) Write(_ context.Context, _ fs.FileHandle, data []byte, off int64) (uint32, syscall.Errno) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.dead() && !d.alone:
		return 0, syscall.EIO
	case off < 0 || off+int64(len(data)) > int64(len(d.image)):
		return 0, syscall.ENOSPC
	}
	copy(d.image[off:], data)
	d.log = append(d.log, entry{off: off, data: append([]byte(nil), data...)})
	return uint32(len(data)), 0
}

// Fsync is the flush of the disk's cache: what was answered before it stays.
func (d *disk) Fsync(context.Context, fs.FileHandle, uint32) syscall.Errno {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.dead() {
		return syscall.EIO
	}
	d.log = append(d.log, entry{flush: true})
	return 0
}

// told notes that somebody was promised something.
func (d *disk) told(what string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.acks++
	d.log = append(d.log, entry{ack: what})
}

// serve shows the disk as a file and answers that file's path and how to take it away.
func serve(t *testing.T, d *disk) (path string, end func()) {
	t.Helper()
	dir := t.TempDir()
	root := &fs.Inode{}
	s, err := fs.Mount(dir, root, &fs.Options{
		MountOptions: fuse.MountOptions{DirectMountStrict: true, FsName: "powercut", Name: "powercut", MaxWrite: 128 << 10},
		OnAdd: func(ctx context.Context) {
			root.AddChild("disk", root.NewPersistentInode(ctx, d, fs.StableAttr{Mode: fuse.S_IFREG}), false)
		},
	})
	if err != nil {
		t.Fatalf("show the disk through FUSE: %v", err)
	}
	return filepath.Join(dir, "disk"), func() {
		if err := s.Unmount(); err != nil {
			t.Errorf("take the disk away: %v", err)
		}
	}
}
