"""A block device's log in the format of Linux's dm-log-writes, and the disks that it can leave behind.

The log is a superblock of one sector and entries in the order in which the device was told: a header
of one sector (first sector, number of sectors, flags, length of a mark; 64 bits each, little-endian),
and after a write its data.  Linux describes it in admin-guide/device-mapper/log-writes.

A flush says that all that was written before it is on the medium.  What came after the last flush is
in the disk's cache: a power cut may drop it, keep it, or keep some sectors of it, in any mixture.
"""
import mmap
import os
import random
import struct

MAGIC = 0x6a736677736872
VERSION = 1
FLUSH, FUA, DISCARD, MARK = 1, 2, 4, 8
HEADER = struct.Struct("<QQQQ")
COPY_SIZE = 1 << 20


class Entry:
    __slots__ = ("end", "data", "first", "count", "flags")

    def __init__(self, end, data, first, count, flags):
        self.end = end      # where it ends in the log
        self.data = data    # where its data begins there; 0 for what has none
        self.first = first  # in sectors, like count
        self.count = count
        self.flags = flags


class BlockLog:
    def __init__(self, path):
        with open(path, "rb") as log:
            self.bytes = mmap.mmap(log.fileno(), 0, access=mmap.ACCESS_READ)
        magic, version, announced = struct.unpack_from("<QQQ", self.bytes)
        self.sector_size, = struct.unpack_from("<I", self.bytes, 24)
        if (magic, version) != (MAGIC, VERSION) or self.sector_size not in (512, 4096):
            raise ValueError(f"{path}: not a log of block writes")
        self.entries = []
        end = self.sector_size
        for _ in range(announced):
            end = self._read_entry(end)
        if end != len(self.bytes):
            raise ValueError(f"{path}: {announced} entries end at {end} of {len(self.bytes)} bytes")

    def _read_entry(self, begin):
        first, count, flags, mark = HEADER.unpack_from(self.bytes, begin)
        data = begin + self.sector_size
        if flags & ~(FLUSH | FUA | DISCARD | MARK):
            raise ValueError(f"an entry with the flags {flags:#x} at {begin}")
        length = mark if flags & MARK else 0 if flags & DISCARD else count * self.sector_size
        end = data + -(-length // self.sector_size) * self.sector_size
        if end > len(self.bytes):
            raise ValueError(f"the entry at {begin} is cut off")
        changes = count and not flags & MARK
        self.entries.append(Entry(end, data if changes and not flags & DISCARD else 0,
                                  first, count if changes else 0, flags))
        return end

    def upto(self, position):
        """How many entries a log of that many bytes has, rounded up: all that was in it, whole."""
        low, high = 0, len(self.entries)
        while low < high:
            middle = (low + high) // 2
            if self.entries[middle].end < position:
                low = middle + 1
            else:
                high = middle
        return min(low + 1, len(self.entries))

    def flushes(self):
        """The numbers of entries up to and with each flush."""
        return [number + 1 for number, entry in enumerate(self.entries) if entry.flags & FLUSH]

    def write(self, image, entry, begin=0, end=None):
        """Writes an entry, or its sectors begin..end-1, into an image."""
        end = entry.count if end is None else end
        offset, length = (entry.first + begin) * self.sector_size, (end - begin) * self.sector_size
        if entry.data:
            start = entry.data + begin * self.sector_size
            os.pwrite(image, self.bytes[start:start + length], offset)
        else:  # a discarded sector reads as zeros here
            for done in range(0, length, COPY_SIZE):
                os.pwrite(image, bytes(min(COPY_SIZE, length - done)), offset + done)


class Cut:
    """A moment, as a number of entries; and how much of the cache survives it: 0 to 1."""

    def __init__(self, at, kept):
        self.at = at
        self.kept = kept

    def __str__(self):
        return f"entry {self.at}, {self.kept:.0%} of the cache kept"


class Replayer:
    """Makes the images that cuts leave.  They must come in ascending order."""

    def __init__(self, log, path, size):
        self.log = log
        self.size = size
        self.done = 0
        self.path = path
        self.durable = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        os.ftruncate(self.durable, size)

    def close(self):
        os.close(self.durable)

    def leave(self, cut, path, seed):
        """Writes the disk after the cut to a new file; the same seed makes the same disk."""
        entries = self.log.entries[:cut.at]
        flushed = max((number + 1 for number in range(self.done, cut.at) if entries[number].flags & FLUSH),
                      default=self.done)
        for entry in entries[self.done:flushed]:
            self.log.write(self.durable, entry)
        self.done = flushed
        image = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        os.ftruncate(image, self.size)
        copy_sparse(self.durable, image, self.size)
        chance = random.Random(seed)
        for entry in entries[flushed:]:
            if entry.flags & FUA:
                self.log.write(image, entry)
            elif entry.count:
                self._keep_some(image, entry, cut.kept, chance)
        os.close(image)
        return cut.at - flushed

    def _keep_some(self, image, entry, kept, chance):
        """Whole writes mostly; every fourth is torn in sectors."""
        if kept in (0, 1) or chance.random() < 0.75 or entry.count > 1024:
            if chance.random() < kept:
                self.log.write(image, entry)
            return
        for sector in range(entry.count):
            if chance.random() < kept:
                self.log.write(image, entry, sector, sector + 1)


def copy_sparse(source, target, size):
    """Copies what is not a hole."""
    position = 0
    while position < size:
        try:
            begin = os.lseek(source, position, os.SEEK_DATA)
        except OSError:  # only a hole is left
            return
        position = os.lseek(source, begin, os.SEEK_HOLE)
        while begin < position:
            begin += os.copy_file_range(source, target, position - begin, begin, begin)
