"""The two sides of programs that synchronise: an account on the server, and a directory of maildirs; and what somebody
changes in either.
"""
import os
import re

from clients import check, make_message, written


class Far:
    """What one account sees, of all mailboxes or of these, with somebody who works in it."""

    def __init__(self, tern, account, mailboxes=None):
        self.tern, self.account, self.mailboxes = tern, account, mailboxes

    def names(self):
        return self.mailboxes or self.tern.mailboxes(self.account)

    def state(self):
        """Mailbox -> {subject: flags}, without \\Recent; subjects that are there twice are numbered."""
        found = {}
        with self.tern.imap(self.account) as imap:
            for mailbox in self.names():
                imap.select(f'"{mailbox}"', readonly=True)
                is_empty = imap.response("EXISTS")[1] == [b"0"]
                answers = [] if is_empty else imap.fetch("1:*", "(FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1]
                messages = found.setdefault(mailbox, {})
                for answer in answers:
                    if isinstance(answer, tuple):
                        flags = re.search(rb"FLAGS \(([^)]*)\)", answer[0]).group(1).decode().split()
                        subject = answer[1].decode().partition(":")[2].strip()
                        while subject in messages:
                            subject += "'"
                        messages[subject] = sorted(flag for flag in flags if flag != "\\Recent")
        return found

    def marks(self):
        """What changes with anything: UIDNEXT, UIDVALIDITY, HIGHESTMODSEQ of each mailbox."""
        with self.tern.imap(self.account) as imap:
            return [imap.status(f'"{mailbox}"', "(MESSAGES UIDNEXT UIDVALIDITY HIGHESTMODSEQ)")[1]
                    for mailbox in self.names()]

    def work(self):
        with self.tern.imap(self.account) as imap:
            imap.select("INBOX")

            def number(subject):
                return imap.search(None, "SUBJECT", subject)[1][0].split()[0]
            imap.store(number("both-flag"), "+FLAGS", r"(\Flagged)")
            imap.store(number("far-flagged-near-moved"), "+FLAGS", r"(\Flagged)")
            imap.store(number("far-keyword"), "+FLAGS", r"($Forwarded work)")
            for subject in ("far-moved-near-deleted", "both-moved"):
                check(imap._simple_command("MOVE", number(subject), "Archive")[0] == "OK", "MOVE")
            for subject in ("far-deleted-near-flagged", "both-deleted"):
                imap.store(number(subject), "+FLAGS", r"(\Deleted)")
            imap.expunge()
        self.tern.fill(self.account, make_message("far-new"), mailbox="Projects/Far &AOk-")


class Near:
    """A maildir for each mailbox below a directory, with somebody who works in it."""

    def __init__(self, root):
        self.root = root
        os.makedirs(root)

    def files(self):
        """(mailbox, subject, path) of all messages."""
        for path, _, names in os.walk(self.root):
            mailbox, part = os.path.split(os.path.relpath(path, self.root))
            if part in ("cur", "new"):
                for name in names:
                    with open(os.path.join(path, name), encoding="latin-1") as message:
                        yield mailbox, re.search(r"^Subject: (.*)$", message.read(), re.M).group(1), os.path.join(path, name)

    def state(self):
        letters = {"S": "\\Seen", "F": "\\Flagged", "R": "\\Answered", "T": "\\Deleted", "D": "\\Draft"}
        found = {}
        for mailbox, subject, path in sorted(self.files()):
            messages = found.setdefault(mailbox, {})
            while subject in messages:
                subject += "'"
            messages[subject] = sorted(letters[c] for c in path.partition(":2,")[2] if c in letters)
        return found

    def tree(self):
        return sorted(path for *_, path in self.files())

    def path(self, mailbox, subject):
        return next(path for place, name, path in self.files() if (place, name) == (mailbox, subject))

    def flag(self, mailbox, subject, letters):
        path = self.path(mailbox, subject)
        os.rename(path, os.path.join(self.root, mailbox, "cur", os.path.basename(path).split(":")[0] + f":2,{letters}"))

    def delete(self, mailbox, subject):
        os.unlink(self.path(mailbox, subject))

    def move(self, mailbox, subject, target):
        # As mail programs do: without the uid that the other mailbox gave it.
        path = self.path(mailbox, subject)
        os.rename(path, os.path.join(self.root, target, "cur", re.sub(r",U=\d+(,FMD5=\w+)?", "", os.path.basename(path))))

    def add(self, mailbox, subject):
        written(os.path.join(self.root, mailbox, "new", f"1.1.{subject}"), make_message(subject).decode().replace("\r\n", "\n"))

    def work(self):
        self.flag("INBOX", "both-flag", "RS")
        self.flag("INBOX", "far-deleted-near-flagged", "FS")
        self.delete("INBOX", "far-moved-near-deleted")
        self.delete("INBOX", "both-deleted")
        self.move("INBOX", "far-flagged-near-moved", "Archive")
        self.move("INBOX", "both-moved", "Archive")
        self.add("INBOX", "near-new")


def without_keywords(state):
    return {mailbox: {subject: [flag for flag in flags if flag.startswith("\\")] for subject, flags in messages.items()}
            for mailbox, messages in state.items() if messages}
