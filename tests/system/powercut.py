"""What a power cut leaves: trees of files rebuilt from the journal of the faults build.

The model.  fsync and fdatasync of a file make its bytes and its size durable, not its name.  fsync
of a directory makes its names durable.  A rename happens as a whole or not at all.  All else may be
there or not, each change for itself: bytes that no sync covered are dropped, kept, torn (a part of
them), some (written out of order: any of the changes), or zeros where the file grew; names are
dropped, kept, or some of each.
Zeros stand only where no synced bytes stood: a size can reach the disk before its blocks do, but
writing over a synced block in place (a recipient's mark) leaves the old sector or the new one, and
where blocks are never written in place, the old block or the new one.  Behind a truncation nothing
counts as synced: those blocks were given back.
The one exception: sendmail's drop directory may not be opened by those who add to it, so there a
file's sync after its link covers the name (libqueue/maildrop.cc; true of ext4, xfs, btrfs).
Owners and modes are durable at once.
"""
import os
import stat
from collections import namedtuple

Record = namedtuple("Record", "seq name program fields data")
O_CREAT, O_TRUNC, O_TMPFILE = os.O_CREAT, os.O_TRUNC, os.O_TMPFILE
SYNCS = ("fsync", "fdatasync", "nosync")
NAMES = ("dropped", "kept", "mixed")
DATA = ("dropped", "kept", "torn", "some", "zeros", "mixed")


def read_journal(directory):
    """All records of all processes, in their order."""
    records = []
    for name in os.listdir(directory):
        with open(os.path.join(directory, name), "rb") as journal:
            while line := journal.readline():
                words = line.decode().split()
                fields = dict(word.split("=", 1) for word in words[2:])
                data = journal.read(int(fields["data"]))
                journal.read(1)
                records.append(Record(int(words[0]), words[1], name.split(".")[0], fields, data))
    return sorted(records)


class File:
    def __init__(self, owner, content=b""):
        self.owner, self.durable, self.now, self.pending = owner, content, bytearray(content), []

    def change(self, kind, offset, data):
        self.pending.append((kind, offset, data))
        apply(self.now, kind, offset, data)

    def sync(self):
        self.durable, self.pending = bytes(self.now), []

    def after_cut(self, how, chance):
        if how == "mixed":
            how = chance.choice(DATA[:-1])
        if how == "dropped" or not self.pending:
            return self.durable
        if how == "kept":
            return bytes(self.now)
        content = bytearray(self.durable)
        if how == "some":
            for change in self.pending:
                if chance.random() < 0.5:
                    apply(content, *change)
            return bytes(content)
        if how == "zeros":
            synced = len(self.durable)
            for kind, offset, data in self.pending:
                if kind == "truncate":
                    synced = min(synced, offset)
                else:
                    data = self.durable[offset:min(offset + len(data), synced)].ljust(len(data), b"\0")
                apply(content, kind, offset, data)
            return bytes(content)
        whole = chance.randrange(len(self.pending))
        for kind, offset, data in self.pending[:whole]:
            apply(content, kind, offset, data)
        kind, offset, data = self.pending[whole]
        if kind == "write":
            apply(content, kind, offset, data[:chance.randrange(len(data) + 1)])
        return bytes(content)


def apply(content, kind, offset, data):
    if kind == "truncate":
        del content[offset:]
        content.extend(bytes(offset - len(content)))
    elif kind == "write" and data:
        if len(content) < offset:
            content.extend(bytes(offset - len(content)))
        content[offset:offset + len(data)] = data


class Folder:
    def __init__(self, owner):
        self.owner, self.durable, self.now = owner, {}, {}


class Tree:
    """Begins with what lies below the roots (all of it durable) and follows the records."""

    def __init__(self, roots, leave_out=()):
        self.roots, self.leave_out, self.by_id, self.pending = {}, leave_out, {}, []
        for root in roots:
            self.roots[root] = self.load(root)

    def load(self, path):
        status = os.lstat(path)
        owner = status.st_uid, status.st_gid, status.st_mode
        if stat.S_ISDIR(status.st_mode):
            node = Folder(owner)
            for name in os.listdir(path):
                if name not in self.leave_out:
                    child = self.load(os.path.join(path, name))
                    if child:
                        node.now[name] = child
            node.durable = dict(node.now)
        elif stat.S_ISREG(status.st_mode):
            with open(path, "rb") as file:
                node = File(owner, file.read())
        else:
            return None  # sockets are made anew at each start
        self.by_id[f"{status.st_dev}:{status.st_ino}"] = node
        return node

    def place(self, directory, path):
        """The folder and the name that a record means; (None, "") when it is not one of ours."""
        path = bytes.fromhex(path).decode(errors="replace")
        if path.startswith("/"):
            for root, folder in self.roots.items():
                if (path + "/").startswith(root + "/"):
                    words = [word for word in path[len(root):].split("/") if word]
                    break
            else:
                return None, ""
        else:
            folder, words = self.by_id.get(directory), [word for word in path.split("/") if word]
        for word in words[:-1]:
            folder = folder.now.get(word) if isinstance(folder, Folder) else None
        return (folder, words[-1]) if isinstance(folder, Folder) and words else (None, "")

    def follow(self, record):
        fields, node = record.fields, self.by_id.get(record.fields["fd"])
        owner = tuple(map(int, fields["owner"].split(":")))
        offset, length = int(fields["offset"]), int(fields["length"])
        if record.name in ("open", "mkdir"):
            self.follow_new(record, owner, length)
        elif record.name in ("write", "pwrite") and isinstance(node, File):
            node.change("write", offset, record.data)
        elif record.name == "ftruncate" and isinstance(node, File):
            node.change("truncate", length, b"")
        elif record.name == "punch_hole" and isinstance(node, File):
            node.change("write", offset, bytes(max(0, min(length, len(node.now) - offset))))
        elif record.name in ("fsync", "fdatasync") and node:
            self.sync(record, node)
        elif record.name in ("fchown", "fchmod") and node:
            node.owner = (offset, length, node.owner[2]) if record.name == "fchown" else (*node.owner[:2], length)
        elif record.name in ("link_fd", "link", "rename", "unlink"):
            self.follow_names(record, node)

    def follow_new(self, record, owner, flags):
        folder, name = self.place(record.fields["dir"], record.fields["path"])
        if record.name == "open" and flags & O_TMPFILE == O_TMPFILE:
            self.by_id[record.fields["fd"]] = File(owner)
        elif folder:
            there = folder.now.get(name)
            if there and there is self.by_id.get(record.fields["fd"]):
                if record.name == "open" and flags & O_TRUNC:
                    there.change("truncate", 0, b"")
                return
            node = File(owner) if record.name == "open" else Folder(owner)
            self.by_id[record.fields["fd"]] = node
            self.enter(("link", folder, name, node))

    def follow_names(self, record, node):
        fields = record.fields
        to, to_name = self.place(fields["other"], fields["other_path"]) if record.name != "unlink" else (None, "")
        if record.name == "link_fd":
            if to and node and to_name not in to.now:
                self.enter(("link", to, to_name, node))
            return
        folder, name = self.place(fields["dir"], fields["path"])
        node = folder.now.get(name) if folder else None
        if not node:
            return  # not ours, or the call failed
        if record.name == "unlink":
            self.enter(("unlink", folder, name, node))
        elif to and record.name == "rename":
            self.enter(("rename", folder, name, node, to, to_name))
        elif to and to_name not in to.now:
            self.enter(("link", to, to_name, node))

    def enter(self, change):
        self.pending.append(change)
        rename_in({id(folder): folder.now for folder in self.folders(change)}, change)

    @staticmethod
    def folders(change):
        return (change[1], change[4]) if change[0] == "rename" else (change[1],)

    def sync(self, record, node):
        if isinstance(node, File):
            node.sync()
            if record.program in ("sendmail", "terndrop"):
                for change in [one for one in self.pending if one[3] is node and one[0] == "link"]:
                    change[1].durable[change[2]] = node
                    self.pending.remove(change)
            return
        node.durable = dict(node.now)
        left = []
        for change in self.pending:
            if change[0] != "rename":
                if change[1] is not node:
                    left.append(change)
            elif node in self.folders(change):
                # As a whole: the other half comes with it.
                rename_in({id(folder): folder.durable for folder in self.folders(change) if folder is not node}, change)
            else:
                left.append(change)
        self.pending = left

    def write(self, names, data, chance):
        """Puts on disk, where the roots are, what a cut now would leave."""
        kept = {}
        for change in self.pending:
            if names == "kept" or (names == "mixed" and chance.random() < 0.5):
                for folder in self.folders(change):
                    kept.setdefault(id(folder), dict(folder.durable))
                rename_in(kept, change)
        for root, node in self.roots.items():
            self.write_node(root, node, kept, data, chance)

    def write_node(self, path, node, kept, data, chance):
        if isinstance(node, Folder):
            os.makedirs(path, exist_ok=True)
            for name, child in kept.get(id(node), node.durable).items():
                self.write_node(os.path.join(path, name), child, kept, data, chance)
        else:
            with open(path, "wb") as file:
                file.write(node.after_cut(data, chance))
        os.chown(path, *node.owner[:2])
        os.chmod(path, node.owner[2] & 0o7777)


def rename_in(entries, change):
    """Applies a change of names to those folders (by id) that are in `entries`."""
    kind, folder, name, node = change[:4]
    if kind == "link" and id(folder) in entries:
        entries[id(folder)][name] = node
    elif kind == "unlink" and entries.get(id(folder), {}).get(name) is node:
        del entries[id(folder)][name]
    elif kind == "rename":
        if entries.get(id(folder), {}).get(name) is node:
            del entries[id(folder)][name]
        if id(change[4]) in entries:
            entries[id(change[4])][change[5]] = node
