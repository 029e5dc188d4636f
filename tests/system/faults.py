"""An instance of the faults build (libutil/sys_hook.h): its clock, its faults, its journal."""
import imaplib
import json
import mmap
import os
import re
import signal
import struct

from promises import Found
from tern import TOP, Instance, check, not_under_sanitizers, wait_for

FAIL, KILL, TEAR = 1, 2, 3
# Tries again at once what a killed program made wait.
QUICK = ["queue_run_delay=1s", "minimal_backoff_time=1s", "maximal_backoff_time=1s", "transport_retry_time=1s",
         "service_throttle_time=1s", "mailbox_failure_pause=10ms", "auth_failure_delay=0s"]


class Faulty(Instance):
    def __init__(self, scratch, *settings, name="instance", no_sync=False):
        not_under_sanitizers("the faults variant is built from the release's objects")
        # What the index writes, some time later, would be among the calls that are counted.
        super().__init__(scratch, *QUICK, "mailbox_search_index=no", *settings, name=name)
        binaries = os.path.join(TOP, "build", "faults", "bin")
        check(os.path.exists(f"{binaries}/tern"), "make VARIANT=faults first")
        # mailbox finds its orders where usher's sandbox lets it look.
        place = f"{self.directory}/mail/.faults"
        self.journal = f"{place}/journal"
        os.makedirs(self.journal)
        os.chmod(f"{self.directory}/mail", 0o711)
        os.chmod(place, 0o755)
        os.chmod(self.journal, 0o1777)
        with open(f"{place}/state", "w+b") as state:
            os.fchmod(state.fileno(), 0o666)
            state.write(bytes(64))
            state.flush()
            self.state = mmap.mmap(state.fileno(), 64)
        with open(f"{place}/orders", "w") as orders:
            orders.write(f"state {place}/state\njournal {self.journal}\nno-sync {'yes' if no_sync else 'no'}\n")
        os.chmod(f"{place}/orders", 0o644)
        self.environment |= {"TERN_BIN": binaries, "TERN_FAULT_FILE": f"{place}/orders"}

    def write(self):
        """A killed pickup looks for drop files again when it is woken: soon."""
        super().write()
        path = f"{self.config}/master.cf"
        with open(path) as file:
            text = file.read()
        with open(path, "w") as file:
            file.write(re.sub(r"^(pickup .*) 60 ", r"\1 1 ", text, flags=re.MULTILINE))
        return self

    def clock(self):
        """How many calls were recorded so far."""
        return struct.unpack_from("<Q", self.state, 0)[0]

    def fired(self):
        return struct.unpack_from("<Q", self.state, 16)[0] != 0

    def counted(self):
        return struct.unpack_from("<Q", self.state, 8)[0]

    def arm(self, program, at, action=KILL):
        self.disarm()
        struct.pack_into("<QQ", self.state, 8, 0, 0)
        struct.pack_into("<QQ16s", self.state, 32, action, 0, program.encode())
        struct.pack_into("<Q", self.state, 24, at)

    def disarm(self):
        struct.pack_into("<Q", self.state, 24, 0)


def mailboxes(tern):
    """The accounts of mailbox processes by pid.  They are the children of usher: what a sanitizer starts when
    a mailbox ends has its command line, too, but is the mailbox's child.  A fork server is nobody's."""
    ushers = [pid for pid, name in tern.pids().items() if name == "usher"]
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat") as stat, open(f"/proc/{pid}/cmdline") as cmdline:
                state, parent = stat.read().rpartition(")")[2].split()[:2]
                words = cmdline.read().split("\0")
        except (OSError, ValueError):
            continue
        if int(parent) in ushers and state != "Z" and words[0] == "mailbox" and not words[1].startswith("("):
            found[int(pid)] = words[1]
    return found


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
        return True
    except ProcessLookupError:
        return False


def contents(tern, account, names=("INBOX",)):
    """Every message of an account, as a client sees it."""
    found = []
    with tern.imap(account) as imap:
        for name in names:
            status, _ = imap.select(name, readonly=True)
            if status != "OK":
                continue
            validity = int(imap.response("UIDVALIDITY")[1][0])
            status, answers = imap.uid("FETCH", "1:*", "(UID BODY.PEEK[])")
            check(status == "OK", f"FETCH: {answers}")
            for answer in answers:
                if isinstance(answer, tuple):
                    uid = int(answer[0].split(b"UID ")[1].split()[0])
                    found.append(Found(account, name, validity, uid, answer[1]))
    return found


def contents_again(tern, accounts, names=("INBOX",)):
    """The same for all accounts, tried until nobody refuses: a process may just have died."""
    def look():
        try:
            return [[one for account in accounts for one in contents(tern, account, names)]]
        except (OSError, EOFError, imaplib.IMAP4.error):
            return None
    return wait_for("all mailboxes to be readable", look)[0]


def drained(tern):
    """Waits until the queue and the drop directory are empty; what was held is released."""
    def empty():
        if os.listdir(f"{tern.directory}/queue/maildrop"):
            return False
        result = tern.run("ternqueue", "-j")
        if result.returncode == 0:
            tern.release_held([json.loads(line) for line in result.stdout.splitlines()])
        return result.returncode == 0 and not result.stdout.strip()
    wait_for("an empty queue", empty)
