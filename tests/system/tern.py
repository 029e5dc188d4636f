"""What system tests share: a private instance, waiting without sleeping blindly, sending, reading.

    with Instance(scratch, "smtpd_timeout=5s") as tern:
        tern.add("anna@example.test")
        tern.smtp_send("anna@example.test", message)
        tern.wait_messages("anna@example.test", 1)
"""
import imaplib
import json
import os
import poplib
import re
import smtplib
import ssl
import subprocess
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
INSTANCE = os.path.join(TOP, "tests", "instance")
PASSWORD = "a password with spaces"
SANITIZERS = os.environ.get("VARIANT") == "asan"
PATIENCE = 3 if SANITIZERS else 1  # what every deadline is multiplied by
DEADLINE = 60 * PATIENCE  # seconds until something that must happen is given up


def check(condition, text):
    """An assertion that stays in place under every Python and says what was expected."""
    if not condition:
        raise SystemExit(f"{sys.argv[0]}: {text}")


def skip(reason):
    print(reason)
    sys.exit(77)


def not_under_sanitizers(reason):
    """For tests whose subject the asan variant does not have."""
    if SANITIZERS:
        skip(reason)


def wait_for(what, condition, deadline=60):
    """Polls until condition() is true and answers its value."""
    deadline *= PATIENCE
    end = time.monotonic() + deadline
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise SystemExit(f"{sys.argv[0]}: after {deadline} s still waiting for: {what}")
        time.sleep(0.02)


def make_message(subject="test", body="Hello.\r\n", sender="demo@example.test", to="anna@example.test"):
    return (f"From: <{sender}>\r\nTo: <{to}>\r\nSubject: {subject}\r\nMessage-ID: <{subject}@example.test>\r\n"
            f"Date: Mon, 23 Nov 2026 10:00:00 +0000\r\n\r\n{body}").encode()


class Instance:
    """`services`: more lines for master.cf."""
    def __init__(self, scratch, *settings, name="instance", environment=None, services=""):
        self.directory = os.path.join(scratch, name)
        self.settings = settings
        self.services = services
        self.environment = dict(os.environ, **(environment or {}))
        self.info = None

    def write(self):
        out = subprocess.run([INSTANCE, "write", self.directory, *self.settings], check=True,
                             stdout=subprocess.PIPE, text=True, env=self.environment).stdout
        self.info = json.loads(out)
        self.config = self.info["config"]
        with open(os.path.join(self.config, "master.cf"), "a") as out:
            out.write(self.services)
        self.bin = self.info["bin"]
        return self

    def start(self):
        result = self.tern("start")
        check(result.returncode == 0, f"the instance did not start: {result.stdout}{result.stderr}\n{self.log()}")

    def stop(self):
        return self.tern("stop")

    def __enter__(self):
        self.write()
        self.start()
        return self

    def __exit__(self, kind, *_):
        self.stop()
        if kind:
            print("".join(self.log().splitlines(True)[-60:]))

    # --- commands ---------------------------------------------------------------------------------

    def run(self, program, *words, **options):
        """Runs a command of the suite with this instance's configuration."""
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True,
                   "env": self.environment, **options}
        flag = "-C" if program in ("sendmail", "mailq") else "-c"
        return subprocess.run([os.path.join(self.bin, program), flag, self.config, *words], **options)

    def tern(self, *words):
        return self.run("tern", *words)

    def add(self, *accounts, password=PASSWORD):
        for account in accounts:
            result = self.run("ternuser", "add", account, "--password-stdin", input=password + "\n")
            check(result.returncode == 0, f"ternuser add {account}: {result.stderr}")

    def log(self):
        """Its whole lines: one may just be written."""
        try:
            with open(self.info["log"], errors="replace") as log:
                text = log.read()
        except FileNotFoundError:
            return ""
        return text[:text.rfind("\n") + 1]

    def wait_log(self, pattern, count=1):
        """Waits until `count` lines of the log match, and answers them."""
        def lines():
            found = [line for line in self.log().splitlines() if re.search(pattern, line)]
            return found if len(found) >= count else None
        return wait_for(f"{count} log lines like {pattern}", lines)

    # --- clients ------------------------------------------------------------------------------------

    def tls(self):
        return ssl.create_default_context(cafile=os.path.join(self.config, "tls.crt"))

    def smtp(self, service="smtp"):
        return smtplib.SMTP("127.0.0.1", self.info[service], timeout=DEADLINE)

    def smtp_send(self, recipients, message, sender="demo@example.test"):
        with self.smtp() as smtp:
            return smtp.sendmail(sender, recipients, message)

    def submit(self, account, recipients, message, password=PASSWORD):
        with self.smtp("submission") as smtp:
            smtp._host = "localhost"
            smtp.starttls(context=self.tls())
            smtp.login(account, password)
            return smtp.sendmail(account, recipients, message)

    def imap(self, account, password=PASSWORD):
        imap = imaplib.IMAP4_SSL("localhost", self.info["imaps"], ssl_context=self.tls(), timeout=DEADLINE)
        imap.login(account, password)
        return imap

    def pop3(self, account, password=PASSWORD, utf8=False):
        pop = poplib.POP3_SSL("localhost", self.info["pop3s"], context=self.tls(), timeout=DEADLINE)
        if utf8:
            pop.utf8()
        pop.user(account)
        pop.pass_(password)
        return pop

    def bodies(self, account, mailbox="INBOX"):
        """All messages of a mailbox, as bytes."""
        with self.imap(account) as imap:
            imap.enable("UTF8=ACCEPT")  # as they are stored
            status, data = imap.select(mailbox, readonly=True)
            check(status == "OK", f"SELECT {mailbox}: {data}")
            if data == [b"0"]:
                return []
            status, answers = imap.fetch("1:*", "(BODY.PEEK[])")
            check(status == "OK", f"FETCH: {answers}")
            return [answer[1] for answer in answers if isinstance(answer, tuple)]

    def count(self, account, mailbox="INBOX"):
        with self.imap(account) as imap:
            return int(imap.select(mailbox, readonly=True)[1][0])

    def wait_messages(self, account, count, mailbox="INBOX"):
        wait_for(f"{count} messages of {account}", lambda: self.count(account, mailbox) >= count)
        bodies = self.bodies(account, mailbox)
        check(len(bodies) == count, f"{account} has {len(bodies)} messages, not {count}")
        return bodies

    def queue(self):
        """The queue as ternqueue -j lists it: one object a line."""
        result = self.run("ternqueue", "-j")
        check(result.returncode == 0, f"ternqueue -j: {result.stderr}")
        return [json.loads(line) for line in result.stdout.splitlines() if line.strip()]

    def release_held(self, queue):
        """Kills can meet one message twice: then it is held as if it were to blame.  `queue`: as queue() has it."""
        for one in queue:
            if one["queue_name"] == "hold":
                self.run("ternqueue", "-H", one["queue_id"])

    def pids(self):
        """The processes of this instance: all that were started with its configuration directory."""
        found = {}
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/cmdline", "rb") as cmdline:
                    words = cmdline.read().decode(errors="replace").split("\0")
            except OSError:
                continue
            if self.config in words:
                found[int(pid)] = os.path.basename(words[0])
        return found
