"""nsd, unbound and ldns-signzone: Debian's packages, unpacked into a scratch directory, run as ordinary
processes on loopback ports, or on a host of a laboratory (lab.py).  Nothing is installed."""
import contextlib
import glob
import os
import socket
import struct
import subprocess

from packages import unpack
from ports import free_ports
from tern import DEADLINE, wait_for

PACKAGES = "nsd unbound ldnsutils libfstrm0 libprotobuf-c1 libevent-2.1-7 libpython3.11 libnghttp2-14".split()


def query(address, port, origin):
    """Does a server answer here, when asked of a zone that it has?  Of others a resolver may ask servers far away."""
    name = b"".join(bytes([len(label)]) + label.encode() for label in origin.split(".") if label) + b"\0"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(0.2)
        sock.connect((address, port))
        try:
            sock.send(struct.pack(">6H", 7, 0x100, 1, 0, 0, 0) + name + b"\0\6\0\1")
            return sock.recv(4096)[:2] == b"\0\7"
        except OSError:
            return False


class NameServers:
    """`zones` is a dict of origin ("." for the root) to a zone file's text without SOA and NS; each is signed but for
    those in `unsigned`.  DS records go to the parent by themselves.  In a zone of `forged`, a dict of origin to a dict
    of texts, others stand in their place after it was signed."""
    def __init__(self, directory, zones, unsigned=(), forged=None, host=None, port=None):
        self.directory, self.forged = directory, forged or {}
        self.host, self.address = host or contextlib.nullcontext(), host.address if host else "127.0.0.1"
        os.makedirs(directory, exist_ok=True)
        os.chmod(directory, 0o755)
        self.root = os.path.join(directory, "root")
        unpack(self.root, *PACKAGES)
        libraries = glob.glob(os.path.join(self.root, "usr/lib/*-linux-gnu"))
        self.environment = dict(os.environ, LD_LIBRARY_PATH=":".join(libraries))
        self.processes = []
        self.port, self.resolver_port = free_ports(2)
        self.resolver_port = port or self.resolver_port
        self.anchor = os.path.join(directory, "root.ds")
        self.write_zones(zones, unsigned)

    def run(self, program, *words):
        return subprocess.run([os.path.join(self.root, program), *words], cwd=self.directory, env=self.environment,
                              capture_output=True, text=True, check=True).stdout

    def write_zones(self, zones, unsigned):
        self.files = {}
        ds = []
        # The lowest first, so that a parent has its children's DS records.
        for origin in sorted(zones, key=lambda name: (name == ".", -name.count("."))):
            path = os.path.join(self.directory, "zone-" + origin.strip("."))
            children = [line for line in ds if origin == "." or line.split()[0].endswith("." + origin)]
            ds = [line for line in ds if line not in children]
            with open(path, "w") as out:
                out.write(f"$ORIGIN {origin.rstrip('.')}.\n$TTL 300\n@ 60 SOA ns.invalid. admin.invalid. 1 2000 3000 400000 60\n@ NS ns.invalid.\n")
                out.write(zones[origin] + "\n" + "\n".join(children) + "\n")
            self.files[origin] = path
            if origin in unsigned:
                continue
            keys = [self.run("usr/bin/ldns-keygen", "-a", "ECDSAP256SHA256", *kind, origin).strip() for kind in (["-k"], [])]
            nsec3 = ["-n", "-t", "1", "-s", "abcd"] if origin.count(".") == 1 and origin != "." else []
            self.run("usr/bin/ldns-signzone", *nsec3, path, *keys)
            self.files[origin] = path + ".signed"
            ds += self.run("usr/bin/ldns-key2ds", "-n", "-2", keys[0] + ".key").splitlines()
            for old, new in self.forged.get(origin, {}).items():
                self.forge(path + ".signed", old, new)
        with open(self.anchor, "w") as out:
            out.write("\n".join(ds) + "\n")

    def forge(self, path, old, new):
        with open(path) as zone:
            text = zone.read()
        if old not in text:
            raise SystemExit(f"{path} has no {old}")
        with open(path, "w") as out:
            out.write(text.replace(old, new))

    def __enter__(self):
        nsd = os.path.join(self.directory, "nsd.conf")
        with open(nsd, "w") as out:
            out.write(f'server:\n ip-address: {self.address}@{self.port}\n username: ""\n zonesdir: ""\n database: ""\n'
                      f' pidfile: "{self.directory}/nsd.pid"\n xfrdfile: "{self.directory}/xfrd"\n zonelistfile: "{self.directory}/zonelist"\n'
                      f' logfile: "{self.directory}/nsd.log"\nremote-control:\n control-enable: no\n')
            out.writelines(f'zone:\n name: "{origin}"\n zonefile: "{path}"\n' for origin, path in self.files.items())
        unbound = os.path.join(self.directory, "unbound.conf")
        with open(unbound, "w") as out:
            out.write(f'server:\n interface: {self.address}@{self.resolver_port}\n access-control: 0.0.0.0/0 allow\n do-daemonize: no\n username: ""\n chroot: ""\n'
                      f' directory: "{self.directory}"\n pidfile: "{self.directory}/unbound.pid"\n do-not-query-localhost: no\n'
                      f' logfile: "{self.directory}/unbound.log"\n use-syslog: no\n trust-anchor-file: "{self.anchor}"\n'
                      ' module-config: "validator iterator"\n'
                      ' local-zone: "test." nodefault\n local-zone: "2.0.192.in-addr.arpa." nodefault\n'
                      'remote-control:\n control-enable: no\n')
            out.writelines(f'stub-zone:\n name: "{origin}"\n stub-addr: {self.address}@{self.port}\n' for origin in self.files)
        self.start("usr/sbin/nsd", "-d", "-c", nsd)
        self.start("usr/sbin/unbound", "-d", "-c", unbound)
        with self.host:
            for port in (self.port, self.resolver_port):
                wait_for(f"a name server on port {port}", lambda: query(self.address, port, next(iter(self.files))))
        return self

    def start(self, program, *words):
        with self.host, open(os.path.join(self.directory, "stderr"), "a") as errors:
            self.processes.append(subprocess.Popen([os.path.join(self.root, program), *words], env=self.environment,
                                                   cwd=self.directory, stdout=subprocess.DEVNULL, stderr=errors))

    def __exit__(self, *_):
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait(DEADLINE)
        self.processes.clear()
