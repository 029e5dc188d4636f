"""Postfix beside Tern: Debian's package, unpacked into a scratch directory, with a configuration of its own."""
import glob
import os
import pwd
import smtplib
import subprocess

from tern import skip, wait_for


class Postfix:
    """`settings` are main.cf's, beside what it takes to run there; an SMTP server listens on `port`."""
    def __init__(self, directory, port, settings):
        self.directory, self.port = directory, port
        result = subprocess.run(["apt-get", "download", "-qq", "postfix"], cwd=directory, capture_output=True, text=True)
        packages = glob.glob(os.path.join(directory, "postfix_*.deb"))
        if result.returncode or not packages:
            skip("the package postfix cannot be downloaded")
        root = os.path.join(directory, "root")
        subprocess.run(["dpkg", "-x", packages[0], root], check=True)
        libraries = os.path.join(root, "usr", "lib", "postfix")
        self.programs = os.path.join(libraries, "sbin")
        os.chmod(directory, 0o755)
        owner, queue, data, self.config = pwd.getpwnam("daemon"), *(os.path.join(directory, n) for n in ("queue", "data", "config"))
        for path in [queue, data, self.config, *(os.path.join(queue, name) for name in (
                "active bounce corrupt defer deferred flush hold incoming private saved trace maildrop public pid").split())]:
            os.mkdir(path)
            os.chmod(path, 0o755)
            if path not in (queue, self.config) and not path.endswith("/pid"):
                os.chown(path, owner.pw_uid, -1)
        self.log = os.path.join(directory, "postfix.log")
        settings = dict(compatibility_level="3.6", myhostname="mail.example.test", mail_owner="daemon",
                        setgid_group="mail", queue_directory=queue, data_directory=data, daemon_directory=self.programs,
                        shlib_directory=libraries, inet_interfaces="127.0.0.1", inet_protocols="ipv4", mynetworks="127.0.0.0/8",
                        mydestination="", local_recipient_maps="", alias_maps="",
                        enable_long_queue_ids="yes", maillog_file=self.log, maillog_file_prefixes=directory,
                        smtpd_tls_security_level="none", smtp_tls_security_level="none",
                        meta_directory=self.config, import_environment=f"MAIL_CONFIG TZ LANG=C LD_LIBRARY_PATH={libraries}",
                        export_environment=f"TZ LANG=C LD_LIBRARY_PATH={libraries}") | settings
        with open(os.path.join(self.config, "main.cf"), "w") as out:
            out.writelines(f"{name} = {value}\n" for name, value in settings.items())
        with open(os.path.join(self.config, "master.cf"), "w") as out:
            out.write(f"127.0.0.1:{port} inet n - n - - smtpd\ncleanup unix n - n - 0 cleanup\nqmgr unix n - n 300 1 qmgr\n"
                      "rewrite unix - - n - - trivial-rewrite\nbounce unix - - n - 0 bounce\ndefer unix - - n - 0 bounce\n"
                      "trace unix - - n - 0 bounce\nsmtp unix - - n - - smtp\nerror unix - - n - - error\nretry unix - - n - - error\n"
                      "anvil unix - - n - 1 anvil\nproxymap unix - - n - - proxymap\npostlog unix-dgram n - n - 1 postlogd\n")
        open(os.path.join(self.config, "dynamicmaps.cf"), "w").close()
        self.environment = dict(os.environ, MAIL_CONFIG=self.config, LD_LIBRARY_PATH=libraries)
        self.process = None

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
            return open(self.log).read()
        except FileNotFoundError:
            return ""
