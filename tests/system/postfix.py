"""Postfix beside Tern, for comparisons: Debian's package, unpacked into a scratch directory, with a
configuration of its own.  Nothing is installed."""
import glob
import os
import pwd
import smtplib
import subprocess

from tern import skip, wait_for

QUEUES = "active bounce corrupt defer deferred flush hold incoming private saved trace maildrop public pid".split()
MASTER_CF = """\
127.0.0.1:{port} inet n - n - - smtpd
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
proxymap unix - - n - - proxymap
postlog unix-dgram n - n - 1 postlogd
"""


class Postfix:
    """`settings` of main.cf come on top of what an instance in a directory needs."""
    def __init__(self, directory, port, settings):
        if os.getuid() != 0:
            skip("Postfix's master needs root")
        self.directory, self.port = directory, port
        os.makedirs(directory, exist_ok=True)
        os.chmod(directory, 0o755)
        result = subprocess.run(["apt-get", "download", "-qq", "postfix"], cwd=directory, capture_output=True, text=True)
        packages = glob.glob(os.path.join(directory, "postfix_*.deb"))
        if result.returncode or not packages:
            skip("the package postfix cannot be downloaded")
        root = os.path.join(directory, "root")
        subprocess.run(["dpkg", "-x", packages[0], root], check=True)
        libraries = os.path.join(root, "usr", "lib", "postfix")
        self.programs, self.commands = os.path.join(libraries, "sbin"), os.path.join(root, "usr", "sbin")
        self.log = os.path.join(directory, "postfix.log")
        self.make_directories()
        whole = dict(compatibility_level="3.6", myhostname="mail.example.test", mail_owner="daemon", setgid_group="mail",
                     queue_directory=self.queue, data_directory=self.data, daemon_directory=self.programs,
                     shlib_directory=libraries, inet_interfaces="127.0.0.1", inet_protocols="ipv4", mynetworks="127.0.0.0/8",
                     enable_long_queue_ids="yes", maillog_file=self.log, maillog_file_prefixes=directory,
                     smtpd_tls_security_level="none", smtp_tls_security_level="none",
                     meta_directory=self.config, import_environment=f"MAIL_CONFIG TZ LANG=C LD_LIBRARY_PATH={libraries}",
                     export_environment=f"TZ LANG=C LD_LIBRARY_PATH={libraries}") | settings
        with open(os.path.join(self.config, "main.cf"), "w") as out:
            out.writelines(f"{name} = {value}\n" for name, value in whole.items())
        with open(os.path.join(self.config, "master.cf"), "w") as out:
            out.write(MASTER_CF.format(port=port))
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
        self.process = subprocess.Popen([os.path.join(self.programs, "master"), "-c", self.config, "-d"], env=self.environment,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

        def answers():
            if self.process.poll() is not None:
                skip(f"Postfix does not run here: {self.process.stderr.read().decode()[-300:]}{self.text()[-300:]}")
            try:
                with smtplib.SMTP("127.0.0.1", self.port, timeout=10):
                    return True
            except OSError:
                return False
        wait_for("Postfix to answer", answers, 20)
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
