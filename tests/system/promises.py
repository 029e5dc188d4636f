"""What a mail server has promised, and whether it was kept: the ledger of the crash tests.

    ledger = Ledger()
    ledger.offer("m1", ["anna@example.test"], body)      # before it is sent
    ledger.accept("m1", clock())                         # 250 was read: from now on it must be kept
    ledger.removing("anna@example.test", "INBOX", uid_validity, uid, clock())   # before EXPUNGE, DELE, MOVE
    ledger.removed("anna@example.test", "INBOX", uid_validity, uid, clock())    # after their OK
    ledger.look(found)                                   # what clients see is remembered, too
    problems = ledger.broken(found, when)

A message is known by its subject, and its body must come back byte for byte.  `found` is what a
client sees: a list of Found.  The clock is any number that grows (the time, or the number of calls
recorded so far); `when` is the moment of the crash: what was promised later is not asked for.
"""
import re
from collections import Counter, namedtuple

Found = namedtuple("Found", "account mailbox uid_validity uid content")
COPIES = 2  # at worst a second one
ALWAYS = float("inf")  # after all that is known


def happened(moment, when):
    """Was there such a moment, and is it not after `when`?"""
    return moment is not None and moment <= when


def subject_of(content):
    match = re.search(rb"^Subject: ([^\r\n]*)\r?$", content, re.MULTILINE)
    return match.group(1).decode(errors="replace") if match else None


def body_of(content):
    return content.partition(b"\r\n\r\n")[2]


def is_notice(content):
    return b"report-type=delivery-status" in content.partition(b"\r\n\r\n")[0]


class Ledger:
    def __init__(self, copies=COPIES):
        self.copies = copies
        self.limits = {}     # subject: how many copies of it there may be, where that is not `copies`
        self.offered = {}    # subject: (recipients, body)
        self.accepted = {}   # subject: when
        self.leaving = {}    # (account, mailbox, uid_validity, uid): when its removal was asked for
        self.gone = {}       # the same: when that was confirmed
        self.seen = {}       # the same: (when, subject)
        self.returned = {}   # subject: the account that must be told that a recipient was refused
        self.freed = {}      # (account, subject): when the first removal was asked for

    def offer(self, subject, recipients, body):
        """`body` as bytes with CRLF, below the empty line."""
        self.offered[subject] = (list(recipients), body)

    def accept(self, subject, when=0):
        self.accepted[subject] = when

    def removing(self, account, mailbox, uid_validity, uid, when=0):
        key = account, mailbox, uid_validity, uid
        self.leaving.setdefault(key, when)
        if key in self.seen:
            self.freed.setdefault((account, self.seen[key][1]), when)

    def removed(self, account, mailbox, uid_validity, uid, when=0):
        self.gone.setdefault((account, mailbox, uid_validity, uid), when)

    def look(self, found, when=0):
        for one in found:
            self.seen.setdefault(one[:4], (when, subject_of(one.content)))

    def broken(self, found, when=ALWAYS, queued=()):
        """Sentences about what does not hold.  `queued`: subjects that lie whole in the queue."""
        problems = []
        copies = Counter()
        for one in found:
            if is_notice(one.content):
                continue
            subject = subject_of(one.content)
            where = f"{one.account} {one.mailbox} uid {one.uid_validity}/{one.uid}"
            if subject not in self.offered:
                problems.append(f"{where}: a message that nobody sent: {one.content[:200]!r}")
                continue
            recipients, body = self.offered[subject]
            copies[one.account, subject] += 1
            if one.account not in recipients:
                problems.append(f"{where}: {subject} is not for this account")
            if body_of(one.content) != body:
                problems.append(f"{where}: {subject} is not whole: {len(body_of(one.content))} of {len(body)} bytes")
            before = self.seen.get(one[:4])
            if before and before[0] <= when and before[1] != subject:
                problems.append(f"{where}: was {before[1]}, is {subject}")
            if happened(self.gone.get(one[:4]), when):
                problems.append(f"{where}: {subject} had been expunged")
        uids = Counter(one[:4] for one in found)
        problems += [f"{key}: twice" for key, count in uids.items() if count > 1]
        for subject, since in self.accepted.items():
            if since > when or subject in queued:
                continue
            for account in self.offered[subject][0]:
                if not copies[account, subject] and not happened(self.freed.get((account, subject)), when):
                    problems.append(f"lost: {subject} for {account}, accepted at {since}")
        for subject, account in self.returned.items():
            notices = (one for one in found if one.account == account and is_notice(one.content))
            if not any(f"<{subject}@".encode() in one.content for one in notices):
                problems.append(f"lost: the notice to {account} about {subject}")
        for (account, subject), count in copies.items():
            if count > self.limits.get(subject, self.copies):
                problems.append(f"{account}: {count} copies of {subject}")
        return problems
