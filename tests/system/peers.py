"""Servers of Debian's that mail is sent to: packages that are downloaded and unpacked into a scratch directory, and run in
a mount namespace in which they seem to be installed.  Nothing is installed.

    packages = Packages(scratch, "postfix")
    with Daemon(packages, ["/usr/sbin/smtp-sink", f"127.0.0.1:{port}", "100"], port): ...
"""
import contextlib
import os
import socket
import subprocess

from packages import unpack
from tern import skip, wait_for

# In the new namespace: what was unpacked lies over /usr and /etc, and what daemons write is a memory of their own.
ENTER = """
mount --make-rprivate / &&
mount -t overlay overlay -o lowerdir="$0/usr:/usr" /usr &&
mount -t overlay overlay -o lowerdir="$0/etc:/etc" /etc &&
for place in /run /var/spool /var/lib /var/log; do mount -t tmpfs -o mode=755 tmpfs $place || exit 1; done &&
exec "$@"
"""
USERS = ["Debian-exim", "dovecot", "dovenull", "opensmtpd", "opensmtpq", "_smtpd", "_smtpq", "postfix", "virtual", "postgrey"]
FIRST_UID = 1899998000


class Packages:
    """Downloaded and unpacked; `users` of the daemons are in its own /etc/passwd."""
    def __init__(self, directory, *names):
        if os.getuid() != 0:
            skip("only root can mount")
        os.makedirs(directory, exist_ok=True)
        os.chmod(directory, 0o755)
        self.root = os.path.join(directory, "root")
        for place in ("usr", "etc"):
            os.makedirs(os.path.join(self.root, place), exist_ok=True)
        unpack(self.root, *names)
        for file, line in (("passwd", "{name}:x:{number}:{number}::/nonexistent:/usr/sbin/nologin\n"), ("group", "{name}:x:{number}:\n")):
            with open(f"/etc/{file}") as known, open(os.path.join(self.root, "etc", file), "w") as out:
                # Before those of this machine, which may have such users, too.
                out.writelines(line.format(name=name, number=FIRST_UID + number) for number, name in enumerate(USERS))
                out.write(known.read())

    def write(self, name, text):
        """A file below /etc."""
        path = os.path.join(self.root, "etc", name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as out:
            out.write(text)

    def command(self, *words):
        return ["unshare", "-m", "sh", "-c", ENTER, self.root, *words]

    def run(self, *words, **options):
        return subprocess.run(self.command(*words), capture_output=True, text=True, **options)


class Daemon:
    """A process that stays in the foreground and serves a port, or a Unix socket; `host` is one of a laboratory (lab.py)."""
    def __init__(self, packages, words, port=None, path=None, environment=None, host=None):
        self.packages, self.words, self.port, self.path = packages, words, port, path
        self.host, self.address = host or contextlib.nullcontext(), host.address if host else "127.0.0.1"
        self.environment = dict(os.environ, **(environment or {}))

    def answers(self):
        if self.process.poll() is not None:
            skip(f"{self.words[0]} does not run here: {self.output()[-500:]}")
        try:
            if self.path:
                with socket.socket(socket.AF_UNIX) as client:
                    client.connect(self.path)
            else:
                with self.host:
                    socket.create_connection((self.address, self.port), timeout=10).close()
            return True
        except OSError:
            return False

    def output(self):
        with open(self.log) as log:
            return log.read()

    def __enter__(self):
        self.log = os.path.join(self.packages.root, f"log-{os.path.basename(self.words[0])}")
        with open(self.log, "w") as log, self.host:
            self.process = subprocess.Popen(self.packages.command(*self.words), env=self.environment, stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL)
        wait_for(f"{self.words[0]} to answer", self.answers)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
