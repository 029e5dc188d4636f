"""A file system that is full when the test wants it to be: a small tmpfs, in mounts of the test's own."""
import errno
import os
import subprocess


class SmallDisk:
    def __init__(self, path, size, inodes=4000, mode="755"):
        self.path = path
        self.filler = os.path.join(path, "filler")
        os.makedirs(path, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},nr_inodes={inodes},mode={mode}", "filled", path],
                       check=True)

    def free(self):
        """Bytes and inodes that are left."""
        state = os.statvfs(self.path)
        return state.f_bavail * state.f_frsize, state.f_favail

    def fill(self, leave=0):
        """Takes all the room there is, but `leave` bytes."""
        with open(self.filler, "ab") as out:
            take_all(lambda: os.write(out.fileno(), bytes(65536)), lambda: os.write(out.fileno(), bytes(4096)))
            if leave:
                os.truncate(self.filler, os.stat(self.filler).st_size - leave)

    def fill_inodes(self, leave=0):
        os.mkdir(self.filler + "s")
        numbers = iter(range(1_000_000))
        take_all(lambda: os.close(os.open(f"{self.filler}s/{next(numbers)}", os.O_CREAT | os.O_WRONLY)))
        for name in os.listdir(self.filler + "s")[:leave]:
            os.unlink(f"{self.filler}s/{name}")

    def empty(self):
        """Gives back what was taken."""
        subprocess.run(["rm", "-rf", self.filler, self.filler + "s"], check=True)


def take_all(*ways):
    """Each until the disk is full."""
    for way in ways:
        try:
            while True:
                way()
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
