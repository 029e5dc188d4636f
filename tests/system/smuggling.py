"""What SMTP smuggling is tried with: ends of data that are none (RFC 5321 §4.1.1.4 knows CRLF.CRLF alone), and a transaction
behind them that is text."""
import re
import socket

from tern import DEADLINE, check

# LF and CR alone, NUL that some program leaves out, blanks that another one does.
ENDS = [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r\n", b"\r\n.\r", b"\r.\r", b"\n.\r", b"\r.\n", b"\r\n\0.\r\n", b"\r\n.\0\r\n", b"\r\n.\r\0\n",
        b"\r\0\n.\r\n", b"\n\0.\r\n", b"\r\n.\r\r\n", b"\r\r\n.\n", b"\n\r\n.\n", b"\r\n. \r\n", b"\r\n .\r\n", b"\n\n.\n\n", b"\r\n..\r\n", b"\r\n.\x85\r\n"]
BARE = re.compile(rb"\r(?!\n)|(?<!\r)\n")


def smuggling(subject, end, recipient):
    """Content with such an end in it, and what an attacker would have taken for a message of its own."""
    return (b"From: <carl@elsewhere.test>\r\nTo: <%b>\r\nSubject: %b\r\n\r\nbefore%bMAIL FROM:<smuggled@elsewhere.test>\r\nRCPT TO:<%b>\r\nDATA\r\n"
            b"From: <smuggled@elsewhere.test>\r\nSubject: smuggled\r\n\r\nafter" % (recipient, subject, end, recipient))


class RawClient:
    """Says what it is told, byte by byte if need be."""
    def __init__(self, host, address, port):
        with host:
            self.socket = socket.create_connection((address, port), DEADLINE, (host.address, 0))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.socket.makefile("rb")
        self.reply()
        self.say(b"EHLO " + host.name.encode())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.socket.close()

    def reply(self):
        """The last line of a reply; empty at the end."""
        while (line := self.file.readline())[3:4] == b"-":
            pass
        return line

    def say(self, line):
        self.socket.sendall(line + b"\r\n")
        return self.reply()

    def send(self, data, slowly=False):
        for at in range(len(data)) if slowly else []:
            self.socket.sendall(data[at:at + 1])
        if not slowly:
            self.socket.sendall(data)

    def envelope(self, sender, recipients):
        for command in (b"MAIL FROM:<%b>" % sender, *(b"RCPT TO:<%b>" % recipient for recipient in recipients)):
            reply = self.say(command)
            check(reply.startswith(b"250"), f"{command!r}: {reply!r}")

    def message(self, sender, recipients, content, slowly=False):
        """One message by DATA; the reply to its end, and all that came after it until the connection's end."""
        self.envelope(sender, recipients)
        reply = self.say(b"DATA")
        check(reply.startswith(b"354"), f"DATA: {reply!r}")
        try:
            self.send(content + b"\r\n.\r\nQUIT\r\n", slowly)
        except OSError:
            pass  # it has hung up; what it said before counts
        try:
            return self.reply(), self.file.read()
        except OSError:
            return b"", b""

    def chunk(self, sender, recipients, content):
        """One message by BDAT (RFC 3030)."""
        self.envelope(sender, recipients)
        self.send(b"BDAT %d LAST\r\n" % len(content) + content)
        return self.reply()
