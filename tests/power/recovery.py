"""What must be true of an instance that starts after a power cut, compared with a ledger.

Each function answers with a list of sentences, one for each promise that was broken.
"""
import os
import re

from tern import wait_for
from workload import DEFAULT_MAILBOXES, EDITOR, REMOTE, USERS, token_of


class Mail:
    """All messages of an account: mailbox: (uidvalidity, {uid: (token, flags)}), and what is torn."""

    def __init__(self, tern, ledger, account):
        self.mailboxes = {}
        self.torn = []
        with tern.imap(account) as imap:
            for line in imap.list()[1]:
                name = line.decode().split(' "/" ')[1].strip('"')
                imap.select(name, readonly=True)
                validity = int(imap.response("UIDVALIDITY")[1][-1])
                messages = {}
                for uid, flags, content in fetch_all(imap):
                    token = token_of(content[:20_000])
                    if not content.endswith(ledger.contents.get(token, b"?")):
                        self.torn.append(f"{account} is served {len(content)} bytes in {name}, uid {uid}, "
                                         f"that are no message: {token}")
                    messages[uid] = (token, flags)
                self.mailboxes[name] = (validity, messages)

    def tokens(self):
        return {token for _, messages in self.mailboxes.values() for token, _ in messages.values()}


def fetch_all(imap):
    answers = imap.uid("FETCH", "1:*", "(UID FLAGS BODY.PEEK[])")[1]
    for head, content in (answer for answer in answers if isinstance(answer, tuple)):
        flags = re.search(rb"FLAGS \(([^)]*)\)", head).group(1).decode().split()
        yield int(re.search(rb"UID (\d+)", head).group(1)), frozenset(flags) - {r"\Recent"}, content


def queued(tern, ledger):
    """The tokens of whole messages that wait for REMOTE."""
    found = set()
    for entry in tern.queue():
        if REMOTE not in [recipient["address"] for recipient in entry["recipients"]]:
            continue
        shown = tern.run("terncat", "-h", "-b", entry["queue_id"], text=False)
        content = shown.stdout.replace(b"\r\n", b"\n")
        token = token_of(content)
        if shown.returncode == 0 and content.rstrip(b"\n").endswith(
                ledger.contents.get(token, b"?").replace(b"\r\n", b"\n").rstrip(b"\n")):
            found.add(token)
    return found


def settle(tern):
    """Waits until all is delivered that can be."""
    def settled():
        queue = os.path.join(tern.directory, "disk", "queue")
        if os.listdir(os.path.join(queue, "incoming")) or os.listdir(os.path.join(queue, "maildrop")):
            return False
        return all(recipient["address"] == REMOTE for entry in tern.queue() for recipient in entry["recipients"])
    tern.run("ternqueue", "-f")
    wait_for("the queue to settle", settled)


def lost(ledger, in_force, mail, waiting):
    there = {account: box.tokens() for account, box in mail.items()}
    there[REMOTE] = waiting
    return [f"{token} for {recipient} is lost" for position, recipient, token in ledger.kept
            if in_force(position) and token not in there[recipient]]


def edited(ledger, in_force, mail):
    """The editor's mailboxes are as after one of her commands: the last durable one or one behind it."""
    known = [number for number, step in enumerate(ledger.steps) if in_force(step.end) and step.durable]
    first = known[-1] if known else None
    last = max((number for number, step in enumerate(ledger.steps) if in_force(step.begin)), default=-1)
    if first is None:
        return []
    now = {name: box for name, box in mail.mailboxes.items() if name not in DEFAULT_MAILBOXES}
    if any(now == ledger.steps[number].mailboxes for number in range(first, last + 1)):
        return []
    wanted = ledger.steps[first].mailboxes
    differences = [f"{name}: {now.get(name)} instead of {wanted.get(name)}"
                   for name in sorted({*now, *wanted}) if now.get(name) != wanted.get(name)]
    return [f"the mailboxes are not as after commands {first} to {last}: {'; '.join(differences)}"]


def renumbered(tern, ledger, in_force, mail):
    """What a client has seen of uids still means the same, and is not given again."""
    problems, highest = [], {}
    seen = [entry[1:] for entry in ledger.seen if in_force(entry[0])]
    for step in (step for step in ledger.steps if in_force(step.end)):
        seen.extend((EDITOR, validity, uid, token)
                    for validity, messages in step.mailboxes.values() for uid, (token, _) in messages.items())
    for account, validity, uid, token in set(seen):
        highest[account, validity] = max(uid, highest.get((account, validity), 0))
        for now, messages in mail[account].mailboxes.values():
            if now == validity and messages.get(uid, (token,))[0] != token:
                problems.append(f"{account}: uid {uid} was {token} and is {messages[uid][0]}")
    for account in {account for account, _ in highest}:
        with tern.imap(account) as imap:
            for name, (validity, _) in mail[account].mailboxes.items():
                imap.append(name, None, None, b"Subject: probe\r\n\r\nprobe\r\n")
                given = imap.response("APPENDUID")[1][-1].split()
                if int(given[0]) != validity:
                    problems.append(f"{account}: uidvalidity of {name} changed")
                if int(given[1]) <= highest.get((account, validity), 0):
                    problems.append(f"{account}: uid {given[1].decode()} of {name} is given again")
    return problems


def broken_promises(tern, ledger, in_force):
    """All that an instance on a disk after a cut has forgotten; in_force(position) tells what was before it."""
    settle(tern)
    mail = {account: Mail(tern, ledger, account) for account in [*USERS, EDITOR]}
    problems = [sentence for box in mail.values() for sentence in box.torn]
    problems += lost(ledger, in_force, mail, queued(tern, ledger))
    problems += edited(ledger, in_force, mail[EDITOR])
    problems += renumbered(tern, ledger, in_force, mail)
    for account in mail:
        checked = tern.run("ternbox", "-t", "check", account)
        if checked.returncode:
            problems.append(f"ternbox check {account}: {checked.stdout}{checked.stderr}")
    return problems
