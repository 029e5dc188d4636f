"""A server for system tests of what mail is sent to: SMTP or LMTP, with replies that a test decides.

    with Peer(replies={"RCPT": ["450 4.2.0 later", "250 ok"]}) as peer:
        tern = Instance(scratch, f"default_transport=smtp:[127.0.0.1]:{peer.port}")
        ...
        wait_for("the message", lambda: peer.messages)

A reply is looked up by the whole command, then by its verb ("GREETING", "EHLO", "." for the end of content); of a list
each is used once, the last one again and again; a function is given the command.  None closes the connection.
"""
import base64
import socket
import threading

from ports import free_ports


class Message:
    def __init__(self, sender, recipients, content, connection):
        self.sender, self.recipients, self.content, self.connection = sender, recipients, content, connection


class Peer:
    def __init__(self, replies=None, extensions="PIPELINING 8BITMIME SMTPUTF8 DSN SIZE ENHANCEDSTATUSCODES", lmtp=False, path=None,
                 address="127.0.0.1", port=None, tls=None, password=None):
        """`tls`: an ssl.SSLContext for STARTTLS; `password`: what AUTH PLAIN and LOGIN ask for, as user:password."""
        self.tls, self.password = tls, password
        self.replies = {key: list(value) if isinstance(value, list) else value for key, value in (replies or {}).items()}
        self.extensions, self.lmtp, self.path = extensions.split(), lmtp, path
        self.connections = 0
        self.commands = []
        self.messages = []
        self.lock = threading.Lock()
        self.open = set()
        if path:
            self.port = None
            self.listener = socket.socket(socket.AF_UNIX)
            self.listener.bind(path)
        else:
            self.port = port or free_ports(1)[0]
            self.listener = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
            self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.listener.bind((address, self.port))
        self.listener.listen(200)
        self.thread = threading.Thread(target=self.accept, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in list(self.open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                self.connections += 1
                number = self.connections
                self.open.add(connection)
            threading.Thread(target=self.serve, args=(connection, number), daemon=True).start()

    def reply(self, line, verb, fallback):
        with self.lock:
            choice = self.replies.get(line, self.replies.get(verb, fallback))
            if isinstance(choice, list):
                choice = choice.pop(0) if len(choice) > 1 else choice[0]
        return choice(line) if callable(choice) else choice

    def serve(self, connection, number):
        try:
            with connection:
                self.converse(connection, number)
        except (OSError, ValueError):
            pass
        finally:
            self.open.discard(connection)

    def say(self, stream, line, verb, fallback, before=lambda reply: None):
        """The reply's text, after it was sent; None when the connection is to end.  `before` it is sent, it is told."""
        reply = self.reply(line, verb, fallback)
        if reply is not None:
            before(reply)
            stream.write(reply.replace("\n", "\r\n").encode() + b"\r\n")
            stream.flush()
        return reply

    def ehlo(self, encrypted):
        words = ["peer.example", *self.extensions]
        if self.tls and not encrypted:
            words.append("STARTTLS")
        if self.password:
            words.append("AUTH PLAIN LOGIN")
        return "\n".join(f"250{' ' if index + 1 == len(words) else '-'}{word}" for index, word in enumerate(words))

    def converse(self, connection, number):
        stream = connection.makefile("rwb")
        if self.say(stream, "", "GREETING", "220 peer.example ESMTP") is None:
            return
        sender, recipients, encrypted = None, [], False
        while raw := stream.readline():
            line = raw.rstrip(b"\r\n").decode(errors="replace")
            verb = line.split(" ")[0].upper()
            with self.lock:
                self.commands.append(line)
            fallback = {"EHLO": self.ehlo(encrypted), "LHLO": self.ehlo(encrypted), "DATA": "354 go on", "QUIT": "221 bye",
                        "STARTTLS": "220 ready"}.get(verb, "250 2.0.0 Ok")
            if verb == "AUTH" and self.password:
                fallback = self.judge(stream, line)
            reply = self.say(stream, line, verb, fallback)
            if reply is None or verb == "QUIT":
                return
            if verb == "STARTTLS" and reply.startswith("220"):
                connection = self.tls.wrap_socket(connection, server_side=True)
                stream, encrypted = connection.makefile("rwb"), True
            if verb == "MAIL":
                sender, recipients = line[10:].split(" ")[0], []
            elif verb == "RCPT" and reply.startswith("2"):
                recipients.append(line[8:].split(" ")[0])
            elif verb == "DATA" and reply.startswith("354") and not self.take(stream, sender, recipients, number):
                return

    def judge(self, stream, line):
        """The reply to AUTH PLAIN with its response, or to AUTH LOGIN."""
        _, mechanism, *response = line.split(" ")
        if mechanism == "PLAIN" and response:
            given = base64.b64decode(response[0]).decode().lstrip("\0").replace("\0", ":")
        else:
            words = []
            for prompt in ("Username:", "Password:"):
                stream.write(b"334 " + base64.b64encode(prompt.encode()) + b"\r\n")
                stream.flush()
                words.append(base64.b64decode(stream.readline().strip()).decode())
            given = ":".join(words)
        return "235 2.7.0 ok" if given == self.password else "535 5.7.8 wrong"

    def take(self, stream, sender, recipients, number):
        lines = []
        while (raw := stream.readline()) != b".\r\n":
            if not raw:
                return False
            lines.append(raw[1:] if raw.startswith(b".") else raw)
        message = Message(sender, list(recipients), b"".join(lines), number)

        def keep(reply):
            """Who hears that it was taken finds it here."""
            with self.lock:
                if reply.startswith("2") and message not in self.messages:
                    self.messages.append(message)
        for recipient in recipients if self.lmtp else ["."]:
            if self.say(stream, f". {recipient}", ".", "250 2.0.0 Ok: queued", keep) is None:
                return False
        return True
