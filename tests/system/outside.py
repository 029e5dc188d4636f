"""Another site, for the crash tests: what it has taken, and by whose clock.

An address says what becomes of it: ok@, later@ (450 at first, then taken), never@ (550), cut@ (the first time the
connection ends instead of the reply to the content), slow@ (the content's reply comes when `keep_waiting` is false).
What stands behind a "+" is the message's subject: later+m1@away.example.
"""
import re
import threading
import time

from peer import Peer
from promises import body_of, subject_of


class Copy:
    """A message for one recipient; the clock when its transaction began, and when the reply to its content was sent."""

    def __init__(self, subject, recipient, content, begun, replied):
        self.subject, self.recipient, self.content, self.begun, self.replied = subject, recipient, content, begun, replied


class Outside(Peer):
    def __init__(self, clock, keep_waiting=lambda: False):
        super().__init__({"RCPT": self.judge_recipient, "MAIL": self.begin})
        self.clock, self.keep_waiting = clock, keep_waiting
        self.begun = threading.local()
        self.copies, self.met = [], set()

    def begin(self, _line):
        self.begun.at = self.clock()
        return "250 2.1.0 Ok"

    def first_time(self, recipient):
        with self.lock:
            new = recipient not in self.met
            self.met.add(recipient)
            return new

    def judge_recipient(self, line):
        recipient = re.match(r"RCPT TO:<([^>]*)>", line).group(1)
        kind = recipient.partition("+")[0]
        if kind == "never":
            return "550 5.1.1 nobody of that name"
        if kind == "later" and self.first_time(recipient):
            return "450 4.2.0 not now"
        return "250 2.1.5 Ok"

    def take(self, stream, sender, recipients, number):
        lines = []
        while (raw := stream.readline()) != b".\r\n":
            if not raw:
                return False
            lines.append(raw[1:] if raw.startswith(b".") else raw)
        content = b"".join(lines)
        recipients = [recipient.strip("<>") for recipient in recipients]
        if any(recipient.startswith("cut+") and self.first_time(recipient) for recipient in recipients):
            return False
        if any(recipient.startswith("slow+") for recipient in recipients):
            end = time.monotonic() + 10
            while self.keep_waiting() and time.monotonic() < end:
                time.sleep(0.005)
        with self.lock:
            for recipient in recipients:
                self.copies.append(Copy(subject_of(content), recipient, content, self.begun.at, self.clock()))
        stream.write(b"250 2.0.0 Ok: queued\r\n")
        stream.flush()
        return True

    def of(self, subject, recipient):
        return [copy for copy in list(self.copies) if copy.subject == subject and copy.recipient == recipient]

    def notices(self, subject):
        """Notices to senders there about a message, found by its id."""
        return [copy for copy in list(self.copies) if b"report-type=delivery-status" in copy.content.partition(b"\r\n\r\n")[0]
                and f"<{subject}@".encode() in copy.content]


def body_is(copy, body):
    return body_of(copy.content) == body
