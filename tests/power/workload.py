"""Mail traffic whose promises are written down: what was answered, and how far the log was then.

A position is read after the answer: a disk that has all of the log up to there must keep the
promise.  What a client has seen of uids counts from such a position, too.
"""
import base64
import random
import re
import threading

from tern import check, make_message

USERS = ["anna@example.test", "bert@example.test", "carl@example.test"]
EDITOR = "dora@example.test"      # her client changes mailboxes, while mail comes in
REMOTE = "friend@elsewhere.test"  # there is no way to that domain: mail waits in the queue
DEFAULT_MAILBOXES = {"INBOX", "Drafts", "Sent", "Archive", "Junk", "Trash"}
# Below and above what cleanup holds in memory, and what a store keeps outside its log.
SIZES = [(500, 4_000), (500, 4_000), (500, 4_000), (20_000, 60_000), (70_000, 200_000), (270_000, 500_000)]


class Step:
    """A client's command: the log before and after it, and the client's mailboxes from then on."""

    def __init__(self, begin, end, durable, mailboxes):
        self.begin = begin
        self.end = end
        self.durable = durable      # its OK promises that; flags may come a second later
        self.mailboxes = mailboxes  # name: (uidvalidity, {uid: (token, flags)})


class Ledger:
    def __init__(self, position):
        self.position = position
        self.contents = {}   # what was sent, by its token
        self.kept = []       # (position, recipient, token)
        self.seen = []       # (position, account, uidvalidity, uid, token)
        self.steps = []

    def promise(self, recipients, token):
        position = self.position()
        self.kept.extend((position, recipient, token) for recipient in recipients)

    def message(self, token, chance, sizes=None):
        low, high = sizes or chance.choice(SIZES)
        raw = base64.b64encode(chance.randbytes(chance.randint(low, high) * 3 // 4)).decode()
        body = "".join(raw[at:at + 76] + "\r\n" for at in range(0, len(raw), 76))
        self.contents[token] = make_message(token, body=body)
        return self.contents[token]


def token_of(message):
    found = re.search(rb"^Subject: (\S+)\r?$", message, re.MULTILINE)
    return found.group(1).decode() if found else None


def send(tern, ledger, number, count, seed):
    """An SMTP session."""
    chance = random.Random(seed)
    with tern.smtp() as smtp:
        for i in range(count):
            token = f"smtp-{number}-{i}"
            recipients = chance.sample(USERS + [EDITOR], chance.choice([1, 1, 2, 3]))
            if chance.random() < 0.2:
                recipients.append(REMOTE)
            refused = smtp.sendmail("demo@example.test", recipients, ledger.message(token, chance))
            ledger.promise([recipient for recipient in recipients if recipient not in refused], token)
            check(not refused, f"recipients were refused: {refused}")


def submit(tern, ledger, name, count, seed):
    """sendmail(1): what it takes when it ends with 0 is kept, also while the daemons are down."""
    chance = random.Random(seed)
    for i in range(count):
        token, recipients = f"{name}-{i}", [chance.choice(USERS)]
        message = ledger.message(token, chance, (500, 60_000)).replace(b"\r\n", b"\n")
        result = tern.run("sendmail", "-i", "-f", "demo@example.test", *recipients, input=message, text=False)
        check(result.returncode == 0, f"sendmail: {result.stderr}")
        ledger.promise(recipients, token)


def watch(tern, ledger, account, stop):
    """An IMAP client that looks at what comes in and remembers each uid."""
    with tern.imap(account) as imap:
        check(imap.select("INBOX", readonly=True)[0] == "OK", "SELECT")
        validity, known = int(imap.response("UIDVALIDITY")[1][0]), 0
        while True:
            last = stop.is_set()
            check(imap.noop()[0] == "OK", "NOOP")
            status, answers = imap.uid("FETCH", f"{known + 1}:*", "(UID BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
            check(status == "OK", "FETCH")
            position = ledger.position()
            for answer in filter(lambda one: isinstance(one, tuple), answers):
                uid = int(re.search(rb"UID (\d+)", answer[0]).group(1))
                ledger.seen.append((position, account, validity, uid, token_of(answer[1])))
                known = max(known, uid)
            if last:
                return
            stop.wait(0.05)


def uids_of(text):
    numbers = []
    for part in text.split(","):
        first, _, last = part.partition(":")
        numbers.extend(range(int(first), int(last or first) + 1))
    return numbers


class Editor:
    """An IMAP client that appends, flags, copies, moves, expunges, and makes and removes mailboxes."""

    def __init__(self, tern, ledger, seed):
        self.tern = tern
        self.ledger = ledger
        self.chance = random.Random(seed)
        self.mailboxes = {}
        self.number = 0

    def run(self, count):
        with self.tern.imap(EDITOR) as self.imap:
            self.step(True, self.create, "Work")
            self.step(True, self.create, "Done")
            for _ in range(4):
                self.step(True, self.append)
            for _ in range(count):
                durable, command = self.chance.choice([
                    (True, self.append), (True, self.append), (False, self.flag), (False, self.flag),
                    (True, self.copy), (True, self.move), (True, self.expunge), (True, self.change_boxes)])
                self.step(durable, command)

    def step(self, durable, command, *words):
        begin = self.ledger.position()
        command(*words)
        state = {name: (validity, dict(messages)) for name, (validity, messages) in self.mailboxes.items()}
        changed = not self.ledger.steps or state != self.ledger.steps[-1].mailboxes
        self.ledger.steps.append(Step(begin, self.ledger.position(), durable and changed, state))

    def ok(self, answer):
        check(answer[0] == "OK", f"the editor got {answer}")

    def create(self, name):
        self.ok(self.imap.create(name))
        status = self.imap.status(name, "(UIDVALIDITY)")
        self.ok(status)
        self.mailboxes[name] = (int(re.search(rb"UIDVALIDITY (\d+)", status[1][0]).group(1)), {})

    def append(self):
        token = f"append-{self.number}"
        self.number += 1
        name = self.chance.choice(sorted(self.mailboxes))
        self.ok(self.imap.append(name, r"(\Seen)", None, self.ledger.message(token, self.chance)))
        validity, uid = map(int, self.imap.response("APPENDUID")[1][-1].split())
        check(validity == self.mailboxes[name][0], "another uidvalidity")
        self.mailboxes[name][1][uid] = (token, frozenset([r"\Seen"]))

    def choose(self):
        """Selects a mailbox, and chooses some of its messages."""
        filled = [name for name in sorted(self.mailboxes) if self.mailboxes[name][1]]
        if not filled:
            return None, []
        name = self.chance.choice(filled)
        self.ok(self.imap.select(name))
        uids = sorted(self.mailboxes[name][1])
        return name, sorted(self.chance.sample(uids, self.chance.randint(1, min(3, len(uids)))))

    def set_flags(self, name, uids, flags):
        self.ok(self.imap.uid("STORE", ",".join(map(str, uids)), "FLAGS", f"({' '.join(sorted(flags))})"))
        for uid in uids:
            self.mailboxes[name][1][uid] = (self.mailboxes[name][1][uid][0], frozenset(flags))

    def flag(self):
        name, uids = self.choose()
        if uids:
            flags = [r"\Seen", r"\Flagged", r"\Answered", "$Label1", "blue"]
            self.set_flags(name, uids, self.chance.sample(flags, self.chance.randint(0, 3)))

    def copy(self, command="COPY"):
        name, uids = self.choose()
        target = self.chance.choice([box for box in sorted(self.mailboxes) if box != name])
        if not uids:
            return
        self.ok(self.imap.uid(command, ",".join(map(str, uids)), target))
        validity, sources, targets = self.imap.response("COPYUID")[1][-1].decode().split()
        check(int(validity) == self.mailboxes[target][0] and uids_of(sources) == uids, "COPYUID says otherwise")
        for uid, copied in zip(uids, uids_of(targets)):
            self.mailboxes[target][1][copied] = self.mailboxes[name][1][uid]
            if command == "MOVE":
                del self.mailboxes[name][1][uid]

    def move(self):
        self.copy("MOVE")

    def expunge(self):
        name, uids = self.choose()
        if len(uids) < 2:
            return
        self.step(False, self.set_flags, name, uids, [r"\Deleted"])  # may stay if the rest does not
        self.ok(self.imap.uid("EXPUNGE", ",".join(map(str, uids))))
        for uid in uids:
            del self.mailboxes[name][1][uid]

    def change_boxes(self):
        boxes = sorted(name for name in self.mailboxes if name.startswith("Box"))
        choice = self.chance.choice(["create", "rename", "delete"])
        if choice == "create" or not boxes:
            # A name may come again, its uidvalidity may not.
            free = [name for name in ("Box1", "Box2", "Box3") if name not in boxes]
            if free:
                self.create(self.chance.choice(free))
        elif choice == "rename":
            name, other = self.chance.choice(boxes), f"Box-{self.number}"
            self.number += 1
            self.ok(self.imap.rename(name, other))
            self.mailboxes[other] = self.mailboxes.pop(name)
        else:
            name = self.chance.choice(boxes)
            if not self.mailboxes[name][1] or self.chance.random() < 0.5:
                self.imap.select("INBOX", readonly=True)
                self.ok(self.imap.delete(name))
                del self.mailboxes[name]


class Jobs:
    """Threads beside each other; join() raises what the first of them did not catch."""

    def __init__(self, *jobs):
        self.errors = []
        self.threads = [threading.Thread(target=self.run, args=(job,)) for job in jobs]
        for thread in self.threads:
            thread.start()

    def run(self, job):
        try:
            job()
        except BaseException as error:  # SystemExit of check() as well
            self.errors.append(error)

    def join(self):
        for thread in self.threads:
            thread.join()
        if self.errors:
            raise self.errors[0]


def play(tern, ledger, seed, sessions, messages, steps):
    """The whole traffic; the daemons are up before and down afterwards."""
    def sender(number):
        return lambda: send(tern, ledger, number, messages, f"{seed} smtp {number}")
    stop = threading.Event()
    watcher = Jobs(lambda: watch(tern, ledger, USERS[0], stop))
    try:
        Jobs(*map(sender, range(sessions)),
             lambda: submit(tern, ledger, "pickup", messages // 4, f"{seed} pickup"),
             lambda: Editor(tern, ledger, f"{seed} editor").run(steps)).join()
    finally:
        stop.set()
        watcher.join()
    tern.stop()
    submit(tern, ledger, "drop", messages // 8, f"{seed} drop")
