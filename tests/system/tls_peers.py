"""Others on the net, scripted: name servers, web servers, authorities that make certificates.

All listen on loopback, or where they are told, and end with the test.
"""
import base64
import hashlib
import http.server
import os
import socket
import socketserver
import ssl
import struct
import subprocess
import threading

A, CNAME, MX, TXT, AAAA, SRV, TLSA = 1, 5, 15, 16, 28, 33, 52


def name_bytes(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.rstrip(".").split(".") if label) + b"\0"


def data_bytes(kind, value):
    if kind == A:
        return socket.inet_aton(value)
    if kind == AAAA:
        return socket.inet_pton(socket.AF_INET6, value)
    if kind == MX:
        return struct.pack(">H", value[0]) + name_bytes(value[1])
    if kind == SRV:
        return struct.pack(">HHH", *value[:3]) + name_bytes(value[3])
    if kind == TXT:
        text = value.encode()
        return b"".join(bytes([len(text[i:i + 255])]) + text[i:i + 255] for i in range(0, max(len(text), 1), 255))
    if kind == TLSA:
        return bytes(value[:3]) + value[3]
    return name_bytes(value)


class NameServer:
    """Answers from `records`: {(name, kind): [value]}, or a number: that response code.  Names in `secure`, and all
    below them, are answered with the AD bit; names without any record do not exist."""

    def __init__(self, records=None, secure=()):
        self.records = dict(records or {})
        self.secure = set(secure)
        self.queries = []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.socket.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def is_secure(self, name):
        return any(name == zone or name.endswith("." + zone) for zone in self.secure)

    def serve(self):
        while True:
            query, client = self.socket.recvfrom(4096)
            try:
                self.socket.sendto(self.answer(query), client)
            except (IndexError, struct.error, UnicodeError):
                pass

    def answer(self, query):
        at, labels = 12, []
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode())
            at += 1 + query[at]
        question, kind = query[12:at + 5], struct.unpack(">H", query[at + 1:at + 3])[0]
        name = ".".join(labels).lower()
        self.queries.append((name, kind))
        answers, code, secure = [], 0, self.is_secure(name)
        while kind != CNAME and (name, CNAME) in self.records:
            target = self.records[name, CNAME][0]
            answers.append((name, CNAME, target))
            name = target
            secure = secure and self.is_secure(name)
        found = self.records.get((name, kind), [])
        if isinstance(found, int):
            code, found = found, []
        elif not found and not any(known == name for known, _ in self.records):
            code = 3
        answers += [(name, kind, value) for value in found]
        flags = 0x8180 | code | (0x20 if secure else 0)
        out = query[:2] + struct.pack(">HHHHH", flags, 1, len(answers), 0, 0) + question
        for owner, each, value in answers:
            data = data_bytes(each, value)
            out += name_bytes(owner) + struct.pack(">HHIH", each, 1, 60, len(data)) + data
        return out


class Authority:
    """Makes certificates below `directory`; `root` is the file of its own."""

    def __init__(self, directory, name="Test Root"):
        os.makedirs(directory, exist_ok=True)
        self.directory, self.count = directory, 0
        self.key, self.root = os.path.join(directory, "root.key"), os.path.join(directory, "root.pem")
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "10",
                     "-subj", "/CN=" + name, "-addext", "basicConstraints=critical,CA:TRUE", "-keyout", self.key, "-out", self.root)

    def openssl(self, *words):
        return subprocess.run(["openssl", *words], check=True, capture_output=True).stdout

    def issue(self, *names, expired=False, own=False, common_name="a host"):
        """A file with key, certificate and the root's, for these names; own: self-signed."""
        self.count += 1
        base = os.path.join(self.directory, str(self.count))
        extensions = "subjectAltName=" + ",".join("DNS:" + name for name in names) if names else "keyUsage=digitalSignature"
        request = ["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=" + common_name,
                   "-keyout", base + ".key"]
        signer = [] if own else ["-CA", self.root, "-CAkey", self.key]
        if expired:  # which takes a request and another command
            self.openssl(*request, "-out", base + ".csr")
            with open(base + ".ext", "w") as out:
                out.write(extensions + "\n")
            self.openssl("x509", "-req", "-in", base + ".csr", "-extfile", base + ".ext", "-out", base + ".crt", "-days", "-1",
                         *(["-key", base + ".key"] if own else [*signer, "-CAcreateserial"]))
        else:
            self.openssl(*request, "-x509", *signer, "-days", "10", "-addext", extensions, "-addext", "basicConstraints=CA:FALSE",
                         "-out", base + ".crt")
        with open(base + ".pem", "w") as out:
            out.write(open(base + ".key").read() + open(base + ".crt").read() + ("" if own else open(self.root).read()))
        return base + ".pem"

    def digest(self, file, of="key"):
        """SHA-256 of the first certificate of a file, or of its public key."""
        if of == "key":
            pem = self.openssl("x509", "-in", file, "-noout", "-pubkey").decode()
            der = base64.b64decode("".join(pem.splitlines()[1:-1]))
        else:
            der = self.openssl("x509", "-in", file, "-outform", "DER")
        return hashlib.sha256(der).digest()


class WebServer:
    """HTTPS with one file: answers each GET with `status`, `kind` and `body`, and keeps what was asked for.  `body` may be
    a dict of a host's name to its text; others do not exist."""

    def __init__(self, certificate, body, status=200, kind="text/plain", address="127.0.0.1", port=0):
        self.body, self.status, self.kind, self.requests = body, status, kind, []
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                server.requests.append((self.headers["Host"], self.path))
                host = self.headers["Host"].split(":")[0]
                text = server.body.get(host) if isinstance(server.body, dict) else server.body
                body = (text or "").encode()
                self.send_response(404 if text is None else server.status)
                self.send_header("Content-Type", server.kind)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Location", "https://elsewhere.example/")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass

        self.server = Server((address, port), Handler)
        self.port = self.server.server_address[1]
        self.use(certificate)
        listener = self.server.socket

        def accept():
            client, address = listener.accept()
            client.settimeout(60)
            return server.context.wrap_socket(client, server_side=True, do_handshake_on_connect=False), address
        self.server.get_request = accept
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def use(self, certificate):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate)


def call(path, message, **fields):
    """One message between programs (libipc/wire.h), and the answer: its name and fields."""
    packet = message.encode() + b"\0"
    for name, value in fields.items():
        value = str(value).encode()
        packet += name.encode() + b"\0" + str(len(value)).encode() + b":" + value
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
        connection.settimeout(90)
        connection.connect(path)
        connection.send(packet)
        answer = connection.recv(1 << 18)
    name, _, rest = answer.partition(b"\0")
    found = {}
    while rest:
        field, _, rest = rest.partition(b"\0")
        size, _, rest = rest.partition(b":")
        found[field.decode()] = rest[:int(size)].decode()
        rest = rest[int(size):]
    return name.decode(), found


class SmtpServer:
    """A mail server with `certificate`, and what it does wrong at STARTTLS: "no-offer", "refuse", "garbage", "close",
    "inject" (plaintext behind its reply), "silent"; "5xx" (no greeting).  `messages` are those it got: whether under
    TLS, and the content; `resumed` says of each handshake whether it went on with a session.  `offers` are the extensions under TLS."""

    def __init__(self, certificate, mode="good", port=0, address="127.0.0.1", offers=()):
        self.mode, self.offers, self.names, self.commands, self.messages, self.resumed = mode, offers, [], [], [], []
        self.clients = []   # addresses
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate)
        self.context.sni_callback = lambda _, name, __: self.names.append(name)
        self.socket = socket.create_server((address, port))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, address = self.socket.accept()
            self.clients.append(address[0])
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        try:
            client.settimeout(60)
            with client:
                self.talk(client)
        except (OSError, ValueError):
            pass

    def talk(self, client):
        secure = False
        client.sendall(b"554 5.3.2 no\r\n" if self.mode == "5xx" else b"220 mail.example.test ESMTP\r\n")
        reader = client.makefile("rb")
        while line := reader.readline():
            command = line.strip().upper()
            self.commands.append(command.decode(errors="replace"))
            if command.startswith(b"EHLO"):
                offers = "".join(f"250-{word}\r\n" for word in self.offers).encode() if secure else b""
                client.sendall(b"250-mail.example.test\r\n" + offers + (b"" if secure or self.mode == "no-offer" else b"250-STARTTLS\r\n") + b"250 PIPELINING\r\n")
            elif command == b"QUIT":
                client.sendall(b"221 2.0.0 Bye\r\n")
                return
            elif command.startswith((b"MAIL", b"RCPT", b"RSET")):
                client.sendall(b"250 2.0.0 Ok\r\n")
            elif command == b"DATA":
                client.sendall(b"354 Go on\r\n")
                content = b""
                while (line := reader.readline()) not in (b".\r\n", b""):
                    content += line
                self.messages.append((secure, content.decode()))
                client.sendall(b"250 2.0.0 Ok\r\n")
            elif command != b"STARTTLS" or self.mode == "refuse":
                client.sendall(b"454 4.7.0 TLS not available\r\n")
            else:
                client.sendall(b"220 2.0.0 Ready\r\n" + (b"250 an attacker's\r\n" if self.mode == "inject" else b""))
                if self.mode == "garbage":
                    client.sendall(b"this is no TLS, is it?\r\n" * 10)
                if self.mode in ("garbage", "inject", "silent"):
                    reader.read()
                if self.mode != "good":
                    return
                client = self.context.wrap_socket(client, server_side=True)
                self.resumed.append(client.session_reused)
                reader, secure = client.makefile("rb"), True
