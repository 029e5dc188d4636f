"""Postfix beside Tern, for comparisons: Debian's package, unpacked into a scratch directory, with a
configuration of its own.  Nothing is installed."""
import contextlib
import os
import pwd
import smtplib
import subprocess

from packages import unpack
from tern import skip, wait_for

QUEUES = "active bounce corrupt defer deferred flush hold incoming private saved trace maildrop public pid".split()
MASTER_CF = """\
{address}:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
local unix - n n - - local
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
tlsmgr unix - - n 1000? 1 tlsmgr
proxymap unix - - n - - proxymap
postlog unix-dgram n - n - 1 postlogd
"""


class Postfix:
    """`settings` of main.cf, and `services` of master.cf, come on top of what an instance in a directory needs; `host` is
    one of a laboratory (lab.py)."""
    def __init__(self, directory, port, settings, services="", host=None):
        if os.getuid() != 0:
            skip("Postfix's master needs root")
        self.directory, self.port, self.host = directory, port, host or contextlib.nullcontext()
        self.address = host.address if host else "127.0.0.1"
        self.words = host.resolving if host else []
        os.makedirs(directory, exist_ok=True)
        os.chmod(directory, 0o755)
        root = os.path.join(directory, "root")
        unpack(root, "postfix")
        libraries = os.path.join(root, "usr", "lib", "postfix")
        self.programs, self.commands = os.path.join(libraries, "sbin"), os.path.join(root, "usr", "sbin")
        self.log = os.path.join(directory, "postfix.log")
        self.make_directories()
        whole = dict(compatibility_level="3.6", myhostname="mail.example.test", mail_owner="daemon", setgid_group="mail",
                     queue_directory=self.queue, data_directory=self.data, daemon_directory=self.programs,
                     shlib_directory=libraries, inet_interfaces=self.address, inet_protocols="ipv4", mynetworks="127.0.0.0/8",
                     enable_long_queue_ids="yes", maillog_file=self.log, maillog_file_prefixes=directory,
                     smtpd_tls_security_level="none", smtp_tls_security_level="none",
                     meta_directory=self.config, import_environment=f"MAIL_CONFIG TZ LANG=C LD_LIBRARY_PATH={libraries}",
                     export_environment=f"TZ LANG=C LD_LIBRARY_PATH={libraries}") | settings
        with open(os.path.join(self.config, "main.cf"), "w") as out:
            out.writelines(f"{name} = {value}\n" for name, value in whole.items())
        with open(os.path.join(self.config, "master.cf"), "w") as out:
            out.write(MASTER_CF.format(address=self.address, port=port) + services)
        open(os.path.join(self.config, "dynamicmaps.cf"), "w").close()
        self.environment = dict(os.environ, MAIL_CONFIG=self.config, LD_LIBRARY_PATH=libraries)
        self.process = None

    def make_directories(self):
        owner = pwd.getpwnam("daemon")
        self.queue, self.data, self.config = (os.path.join(self.directory, name) for name in ("queue", "data", "config"))
        for path in [self.queue, self.data, self.config, *(os.path.join(self.queue, name) for name in QUEUES)]:
            os.mkdir(path)
            os.chmod(path, 0o755)
            if path not in (self.queue, self.config) and not path.endswith("/pid"):
                os.chown(path, owner.pw_uid, -1)

    def run(self, program, *words):
        return subprocess.run([os.path.join(self.commands, program), *words], env=self.environment, capture_output=True, text=True)

    def __enter__(self):
        with self.host:
            self.process = subprocess.Popen([*self.words, os.path.join(self.programs, "master"), "-c", self.config, "-d"],
                                            env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

        def answers():
            if self.process.poll() is not None:
                skip(f"Postfix does not run here: {self.process.stderr.read().decode()[-300:]}{self.text()[-300:]}")
            try:
                with self.host, smtplib.SMTP(self.address, self.port, timeout=10):
                    return True
            except OSError:
                return False
        wait_for("Postfix to answer", answers)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def text(self):
        try:
            with open(self.log) as log:
                return log.read()
        except FileNotFoundError:
            return ""
