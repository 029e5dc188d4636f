"""Debian's Postfix, Exim and OpenSMTPD as servers that take mail for a domain, each message into a file, and send other mail
where the DNS says: on a loopback port, or on a host of a laboratory (lab.py).

    with Exim(directory, port) as peer: ...
    peer.files()      # paths of what came
"""
import glob
import os
import re

from peers import FIRST_UID, USERS, Daemon, Packages
from postfix import Postfix

# Lines that mail programs are known to change.
BODIES = {
    "dots": b".\r\n..\r\n.x\r\n\r\n.\r\nend\r\n",
    "long": b"x" * 900 + b"\r\n" + b"y z " * 200 + b"\r\n",
    "bytes": "Gr\u00fc\u00dfe \u2013 \u00e9\r\n".encode() * 3000,
    "empty": b"",
    "large": b".Lines of all kinds\r\n.\r\n\r\n" * 40000,   # several chunks
}


def plain_message(subject, sender, recipient, body):
    return (f"From: <{sender}>\r\nTo: <{recipient}>\r\nSubject: {subject}\r\nMessage-ID: <{subject}@example.test>\r\n"
            "Date: Mon, 23 Nov 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
            "Content-Transfer-Encoding: 8bit\r\n\r\n").encode() + body


def read_message(data):
    """Its subject, and its body without what a file's end or LF for CRLF makes of it."""
    header, _, body = data.replace(b"\r\n", b"\n").partition(b"\n\n")
    subject = re.search(rb"^Subject: (.*)$", b"\n" + header, re.M).group(1)
    return subject.decode(), body.rstrip(b"\n")


def is_same(body, original):
    return body == original.replace(b"\r\n", b"\n").rstrip(b"\n")


def owned(directory, name, user):
    """A directory of a daemon's user."""
    path = os.path.join(directory, name)
    os.makedirs(path, exist_ok=True)
    os.chmod(path, 0o755)
    number = FIRST_UID + USERS.index(user)
    os.chown(path, number, number)
    return path


class Peer:
    """`domain`: what is at home there; `chain`: a file of tls_peers.Authority, for STARTTLS."""
    def __init__(self, directory, port, domain="*", host=None, chain=None):
        self.directory, self.port, self.domain, self.host, self.chain = directory, port, domain, host, chain
        self.address = host.address if host else "127.0.0.1"
        os.makedirs(directory, exist_ok=True)
        os.chmod(directory, 0o755)
        self.server = self.make()

    def unpack(self, *names):
        packages = Packages(os.path.join(self.directory, "packages"), *names)
        if self.host:
            with open(self.host.resolv_conf) as known:
                packages.write("resolv.conf", known.read())
        return packages

    def __enter__(self):
        self.server.__enter__()
        return self

    def __exit__(self, *ended):
        self.server.__exit__(*ended)

    def messages(self):
        """Their subjects and bodies."""
        found = []
        for path in self.files():
            with open(path, "rb") as file:
                found.append(read_message(file.read()))
        return found


EXIM = """\
primary_hostname = {name}
daemon_smtp_ports = {port}
local_interfaces = {address}
spool_directory = {spool}
log_file_path = {spool}/%slog
domainlist here = {domain}
acl_smtp_rcpt = accept
qualify_domain = peer.example
dns_dnssec_ok = 1
log_selector = +tls_cipher +tls_certificate_verified
{tls}
begin acl
begin routers
here:
  driver = accept
  domains = +here
  transport = files
elsewhere:
  driver = dnslookup
  transport = remote
  dnssec_request_domains = *
begin transports
files:
  driver = appendfile
  directory = {mail}
  user = Debian-exim
  create_directory
remote:
  driver = smtp
  hosts_try_dane = *
  dnssec_request_domains = *
begin retry
* * F,1h,1s
"""


class Exim(Peer):
    def make(self):
        packages = self.unpack("exim4-daemon-light", "exim4-base")
        self.spool, self.mail = (owned(self.directory, name, "Debian-exim") for name in ("spool", "mail"))
        tls = f"tls_advertise_hosts = *\ntls_certificate = {self.chain}\ntls_privatekey = {self.chain}" if self.chain else "tls_advertise_hosts ="
        packages.write("exim4/exim4.conf", EXIM.format(name=self.host.name if self.host else "peer.example", port=self.port, address=self.address,
                                                       spool=self.spool, mail=self.mail, domain=self.domain, tls=tls))
        return Daemon(packages, ["/usr/sbin/exim4", "-bdf"], self.port, host=self.host)

    def files(self):
        return glob.glob(f"{self.mail}/q*")

    def log(self):
        with open(f"{self.spool}/mainlog") as log:
            return log.read()


# Without TLS of its own: what Debian has fails in each handshake as a server, with whatever key, since OpenSSL 3.
OPENSMTPD = """\
table everybody {{ "@" = "virtual" }}
listen on {address} port {port}
action "in" maildir "{mail}" virtual <everybody>
action "out" relay helo {name}
match from any for {domain} action "in"
match from any for any action "out"
"""


class OpenSmtpd(Peer):
    def make(self):
        packages = self.unpack("opensmtpd")
        self.mail = owned(self.directory, "mail", "virtual")
        domain = "any" if self.domain == "*" else f'domain "{self.domain}"'
        packages.write("smtpd.conf", OPENSMTPD.format(address=self.address, port=self.port, mail=self.mail,
                                                      name=self.host.name if self.host else "peer.example", domain=domain))
        return Daemon(packages, ["sh", "-c", "mkdir -p /var/lib/opensmtpd/empty && exec /usr/sbin/smtpd -d -f /etc/smtpd.conf"], self.port,
                      host=self.host)

    def files(self):
        return glob.glob(f"{self.mail}/new/*")

    def log(self):
        return self.server.output()


class PostfixPeer(Peer):
    def make(self):
        self.mail = os.path.join(self.directory, "mail")
        os.makedirs(self.mail)
        os.chown(self.mail, 1, 1)  # daemon, who owns the rest
        settings = {"myhostname": self.host.name, "mydestination": "", "mynetworks": "192.0.2.0/24", "virtual_mailbox_domains": self.domain,
                    "virtual_mailbox_base": self.mail, "virtual_mailbox_maps": "static:all/", "virtual_uid_maps": "static:1",
                    "virtual_gid_maps": "static:1", "virtual_minimum_uid": "1", "smtp_tls_security_level": "dane",
                    "smtp_dns_support_level": "dnssec", "smtp_tls_loglevel": "1", "smtpd_tls_security_level": "may",
                    "smtpd_tls_chain_files": self.chain, "smtpd_forbid_bare_newline": "normalize",
                    "smtpd_forbid_bare_newline_exclusions": ""}
        return Postfix(os.path.join(self.directory, "postfix"), self.port, settings, host=self.host)

    def files(self):
        return glob.glob(f"{self.mail}/all/new/*")

    def log(self):
        return self.server.text()
