"""A loop device that logs each write and each flush that a file system sends it.

The parts are Debian's: qemu-storage-daemon writes the log (its driver blklogwrites) and shows the
disk as a file (FUSE), which the kernel makes a block device of (loop).
"""
import os
import shutil
import subprocess

from tern import check, wait_for

MAKE = {"ext4": ["mkfs.ext4", "-q"], "xfs": ["mkfs.xfs", "-q"]}
VERIFY = {"ext4": ["e2fsck", "-f", "-n"], "xfs": ["xfs_repair", "-n"]}
# A cut disk bears the uuid of the one that it was made of.
MOUNT_OPTIONS = {"ext4": "loop", "xfs": "loop,nouuid"}


def lacks():
    """Why there can be no such disk on this machine; empty when there can."""
    if os.getuid() != 0:
        return "only root can mount file systems"
    for program in ("qemu-storage-daemon", "mkfs.ext4", "e2fsck", "mkfs.xfs", "xfs_repair", "losetup"):
        if not shutil.which(program):
            return f"{program} is not installed: tests/packages clients"
    for device in ("/dev/fuse", "/dev/loop-control"):
        if not os.path.exists(device):
            return f"there is no {device}"
    with open("/proc/filesystems") as file:
        known = file.read().split()
    return next((f"the kernel has no {name}" for name in ("ext4", "xfs", "fuse") if name not in known), "")


class RecordedDisk:
    def __init__(self, directory, file_system, size):
        os.makedirs(directory)
        self.image = os.path.join(directory, "disk")
        self.log = os.path.join(directory, "log")
        self.export = os.path.join(directory, "export")
        self.file_system = file_system
        for path, length in ((self.image, size), (self.log, 0), (self.export, 0)):
            with open(path, "wb") as file:
                file.truncate(length)
        # The host's own syncs cost time and prove nothing here.
        unsynced = "cache.no-flush=on"
        self.daemon = subprocess.Popen(
            ["qemu-storage-daemon",
             "--blockdev", f"driver=file,node-name=disk,filename={self.image},discard=unmap,{unsynced}",
             "--blockdev", f"driver=file,node-name=log,filename={self.log},{unsynced}",
             "--blockdev", "driver=blklogwrites,node-name=logged,file=disk,log=log,log-super-update-interval=1",
             "--export", f"type=fuse,id=export,node-name=logged,mountpoint={self.export},writable=on,allow-other=off"])
        wait_for("the exported disk", lambda: os.stat(self.export).st_size == size)
        # Without direct I/O: the export has no cache anyway, and its direct writes go astray.
        self.device = run("losetup", "--find", "--show", self.export).strip()
        run(*MAKE[file_system], self.device)

    def mount(self, where):
        os.makedirs(where, exist_ok=True)
        run("mount", self.device, where)
        run("losetup", "--detach", self.device)  # when it is not mounted any more
        self.where = where

    def position(self):
        """How long the log is.  What is durable at this moment is so by entries before it."""
        return os.stat(self.log).st_size

    def finish(self):
        """Ends the recording; the log and the disk are then complete."""
        run("umount", self.where)
        self.daemon.terminate()
        check(self.daemon.wait(60) == 0, "qemu-storage-daemon did not end well")


def verify(file_system, image):
    """Checks a file system that was unmounted."""
    result = subprocess.run([*VERIFY[file_system], image], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    check(result.returncode == 0, f"the replayed {file_system} is damaged: {result.stdout}")


def mount_image(file_system, image, where):
    run("mount", "-t", file_system, "-o", MOUNT_OPTIONS[file_system], image, where)


def unmount(where):
    run("umount", where)


def run(*words):
    result = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    check(result.returncode == 0, f"{' '.join(words)}: {result.stderr or result.stdout}")
    return result.stdout
