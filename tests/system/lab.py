"""A laboratory of mail: hosts with addresses and names of their own, whose names stand in signed zones.

    lab = Lab(scratch)
    mail = lab.host("mail", "signed.test.")     # mail.signed.test, with an address
    lab.add("signed.test.", "@ MX 10 mail")
    with mail:                                  # what begins here, a socket or a process, is that host's
        server = SmtpServer(chain, address=mail.address, port=lab.smtp_port)
    with lab.names(), Site(lab, scratch, lab.host("tern", "signed.test.")) as tern: ...

Each host is a network namespace with a veth in a bridge, so that mail, names and policies come by the ports that they have
in the world.  Where no namespaces can be made hosts are loopback addresses, and all of a kind share a port.  Nothing of it
is outside this process and its children.
"""
import ctypes
import os
import random
import smtplib
import ssl
import subprocess

from nameserver import NameServers
from ports import free_ports
from tern import DEADLINE, PASSWORD, Instance

LIBC = ctypes.CDLL(None, use_errno=True)
NEW_NETWORK = 0x40000000  # CLONE_NEWNET
HERE = "/proc/thread-self/ns/net"
# In a mount namespace of its own, a process that asks the laboratory's name server.
RESOLVING = 'mount --make-rprivate / && mount --bind "$0" /etc/resolv.conf && exec "$@"'
UNSIGNED = ["plain.test.", "2.0.192.in-addr.arpa."]


def new_network():
    """A descriptor of a new network namespace; None where it cannot be made."""
    with open(HERE) as before:
        if LIBC.unshare(NEW_NETWORK) != 0:
            return None
        made = os.open(HERE, os.O_RDONLY)
        LIBC.setns(before.fileno(), NEW_NETWORK)
    return made


class Place:
    """A network namespace, or the one that the test has."""
    def __init__(self, network):
        self.network, self.before = network, []

    def __enter__(self):
        self.before.append(os.open(HERE, os.O_RDONLY))
        if self.network is not None and LIBC.setns(self.network, NEW_NETWORK) != 0:
            raise OSError(ctypes.get_errno(), "setns")
        return self

    def __exit__(self, *_):
        before = self.before.pop()
        if self.network is not None:
            LIBC.setns(before, NEW_NETWORK)
        os.close(before)

    def ip(self, *lines):
        with self:
            subprocess.run(["ip", "-batch", "-"], input="\n".join(lines) + "\n", text=True, check=True)


class Host(Place):
    """`resolving`: words before a command, so that it asks the laboratory's name server."""
    def __init__(self, lab, name, network, number):
        super().__init__(network)
        self.name = name
        self.address = lab.address(number)
        self.address6 = f"2001:db8::{number:x}" if lab.real else None
        self.resolv_conf = lab.resolv_conf
        self.resolving = ["unshare", "-m", "sh", "-c", RESOLVING, lab.resolv_conf]

    def client(self, address, port):
        """An SMTP client that comes from this host."""
        with self:
            return smtplib.SMTP(address, port, self.name, timeout=DEADLINE, source_address=(self.address, 0))


class Lab:
    """`real`: hosts are namespaces.  Ports are those of servers of each kind."""
    def __init__(self, scratch):
        self.scratch = scratch
        self.bridge = Place(new_network())
        self.real = self.bridge.network is not None
        self.smtp_port, self.https_port, self.dns_port = (25, 443, 53) if self.real else free_ports(3)
        self.prefix = "192.0.2." if self.real else f"127.{random.randint(1, 254)}.{random.randint(0, 254)}."
        self.count = 9
        self.zones = {origin: [] for origin in (".", "test.", "signed.test.", "plain.test.", "bogus.test.", "2.0.192.in-addr.arpa.")}
        self.add(".", "test NS ns.invalid.", "2.0.192.in-addr.arpa NS ns.invalid.")
        self.add("test.", *(f"{name} NS ns.invalid." for name in ("signed", "plain", "bogus")))
        self.resolv_conf = os.path.join(scratch, "resolv.conf")
        if self.real:
            self.bridge.ip("link set lo up", "link add lab type bridge", "link set lab up")
        else:
            print("no namespaces: the hosts are addresses of loopback, and none has IPv6")
        self.server = self.host("ns", "signed.test.")
        with open(self.resolv_conf, "w") as out:
            out.write(f"nameserver {self.server.address}\noptions edns0 trust-ad\n")

    def address(self, number):
        return self.prefix + str(number)

    def unused(self):
        """An address that nobody has."""
        return self.address(254)

    def host(self, name, origin=None, beside=None):
        """`origin`: the zone in which it has an address, and its name in the reverse zone; `beside`: another host, whose
        namespace it shares."""
        self.count += 1
        network = beside.network if beside else new_network() if self.real else None
        host = Host(self, f"{name}.{origin}".rstrip(".") if origin else name, network, self.count)
        if self.real and beside:
            host.ip(f"addr add {host.address}/24 dev eth0", f"addr add {host.address6}/64 dev eth0 nodad")
        elif self.real:
            self.bridge.ip(f"link add v{self.count} type veth peer name eth0 netns /proc/{os.getpid()}/fd/{host.network}",
                           f"link set v{self.count} master lab up")
            host.ip("link set lo up", f"addr add {host.address}/24 dev eth0", f"addr add {host.address6}/64 dev eth0 nodad",
                    "link set eth0 up")
        if origin:
            self.add(origin, f"{name} A {host.address}")
            self.add("2.0.192.in-addr.arpa.", f"{self.count} PTR {host.name}.")
        return host

    def add(self, origin, *lines):
        self.zones[origin] += lines

    def add_tlsa(self, origin, name, *records):
        """For a server of mail; each record is (usage, selector, matching type, bytes)."""
        self.add(origin, *(f"_{self.smtp_port}._tcp.{name} TLSA {usage} {selector} {kind} {data.hex()}"
                           for usage, selector, kind, data in records))

    def names(self, forged=None):
        """nsd and unbound, with what was added."""
        return NameServers(os.path.join(self.scratch, "names"), {origin: "\n".join(lines) for origin, lines in self.zones.items()},
                           UNSIGNED, forged, self.server, self.dns_port)


class Site(Instance):
    """Tern on a host.  It validates what the name server says.  `chain`: a file of tls_peers.Authority, for all of it."""
    def __init__(self, lab, scratch, host, names, *settings, services="", chain=None):
        services = f"{host.address}:{lab.smtp_port} inet n - n - - smtpd\n" + services
        super().__init__(scratch, f"myhostname={host.name}", f"dns_servers={lab.server.address}:{lab.dns_port}", "default_transport=smtp",
                         f"dns_dnssec_trust_anchor_file={names.anchor}", "dns_timeout=30s", f"smtp_tcp_port={lab.smtp_port}",
                         f"smtp_bind_address={'' if lab.real else host.address}", f"inet_interfaces={host.address}",
                         f"mynetworks=127.0.0.1/32 {host.address}/32", f"sts_https_port={lab.https_port}", *settings,
                         *([f"tls_chain_files={chain}"] if chain else []), services=services, name=host.name)
        self.host, self.chain = host, chain

    def tls(self):
        if not self.chain:
            return super().tls()
        context = ssl.create_default_context(cafile=self.chain)
        context.check_hostname = False  # that is not localhost
        return context

    def run(self, *words, **options):
        with self.host:
            return super().run(*words, **options)

    def smtp(self, service="smtp"):
        with self.host:
            return super().smtp(service)

    def imap(self, account, password=PASSWORD):
        with self.host:
            return super().imap(account, password)

    def pop3(self, account, password=PASSWORD):
        with self.host:
            return super().pop3(account, password)

    def story(self, address):
        """What the log says of the last message for an address, from the lines that have its queue id."""
        lines = self.log().splitlines()
        ids = [line.split("]: ", 1)[1].split(":")[0] for line in lines if f"to=<{address}>" in line]
        return "\n".join(line for line in lines if ids and f" {ids[-1]}: " in line)
