"""What tests with other people's clients share: an instance with an authority of its own, programs that end with
the test, and terminals.

    need(alpine="alpine")
    with Site(scratch) as tern, Terminal(scratch, "alpine", ...) as screen:
        screen.wait("MAIN MENU")
"""
import os
import re
import shutil
import signal
import ssl
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "system"))
from tern import PATIENCE, PASSWORD, Instance, check, make_message, skip, wait_for  # noqa: E402, F401

ANNA, BERT = "anna@example.test", "bert@example.test"
MARK = "TERN_TEST_CLIENT"   # in the environment of all that a test has started
TIME_LIMIT = 270 * PATIENCE  # below that of tests/system/runner, which would leave programs behind


def out_of_time(*_):
    raise SystemExit(f"{sys.argv[0]}: not done after {TIME_LIMIT} s")


signal.signal(signal.SIGALRM, out_of_time)
signal.alarm(TIME_LIMIT)


def need(**packages):
    """Leaves the test out where a program is missing: PROGRAM="package"; underscores are hyphens."""
    missing = [package for program, package in packages.items() if not shutil.which(program.replace("_", "-"))]
    if missing:
        skip(f"not installed: {' '.join(missing)} (tests/packages clients)")


def written(path, text, mode=0o600):
    """A file with this text; its path."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as out:
        os.fchmod(out.fileno(), mode)
        out.write(text)
    return path


class Authority:
    """A certificate authority and the certificate of localhost: clients do not take one that is both."""

    def __init__(self, directory):
        os.makedirs(directory, exist_ok=True)
        self.certificate, key = f"{directory}/ca.crt", f"{directory}/ca.key"
        self.chain = f"{directory}/chain.pem"
        new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        for words in (["req", "-x509", *new_key, "-days", "30", "-subj", "/CN=Tests", "-keyout", key, "-out", self.certificate],
                      ["req", *new_key, "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                       "-keyout", f"{directory}/key", "-out", f"{directory}/request"],
                      ["x509", "-req", "-in", f"{directory}/request", "-CA", self.certificate, "-CAkey", key, "-days", "30",
                       "-copy_extensions", "copy", "-out", f"{directory}/crt"]):
            subprocess.run(["openssl", *words], check=True, capture_output=True)
        with open(f"{directory}/key") as key_file, open(f"{directory}/crt") as certificate:
            written(self.chain, key_file.read() + certificate.read())


class Site(Instance):
    """An instance whose certificate an authority has signed, with accounts."""

    def __init__(self, scratch, *settings, accounts=(ANNA, BERT), **options):
        self.authority = Authority(os.path.join(scratch, "authority"))
        self.accounts = accounts
        # What the clients say is in the transcripts below instance/mail.
        super().__init__(scratch, f"tls_chain_files={self.authority.chain}",
                         f"mailbox_transcript_accounts={' '.join(accounts)}", *settings, **options)

    def __enter__(self):
        super().__enter__()
        self.add(*self.accounts)
        return self

    def tls(self):
        return ssl.create_default_context(cafile=self.authority.certificate)

    def fill(self, account, *messages, mailbox="INBOX", flags=None):
        """Messages as they are, by APPEND."""
        with self.imap(account) as imap:
            if mailbox != "INBOX":
                imap.create(f'"{mailbox}"')
            for message in messages:
                status, answer = imap.append(f'"{mailbox}"', flags, None, message)
                check(status == "OK", f"APPEND: {answer}")

    def subjects(self, account, mailbox="INBOX"):
        """What is in a mailbox: the subjects, sorted; none if there is no such mailbox."""
        with self.imap(account) as imap:
            status, count = imap.select(f'"{mailbox}"', readonly=True)
            if status != "OK" or count == [b"0"]:
                return []
            answers = imap.fetch("1:*", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1]
            return sorted(answer[1].decode().partition(":")[2].strip() for answer in answers if isinstance(answer, tuple))

    def wait_subjects(self, account, mailbox, *subjects):
        """Until the mailbox holds these and no others."""
        seen = []

        def same():
            seen[:] = self.subjects(account, mailbox)
            return seen == sorted(subjects)
        try:
            wait_for(f"{subjects} in {mailbox}", same, 30)
        except SystemExit as late:
            raise SystemExit(f"{late}; there are {seen}")

    def flags(self, account, mailbox="INBOX"):
        """Subject -> its flags but \\Recent, as one sorted text."""
        with self.imap(account) as imap:
            imap.select(f'"{mailbox}"', readonly=True)
            answers = imap.fetch("1:*", "(FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1]
            found = {}
            for answer in answers:
                if isinstance(answer, tuple):
                    flags = re.search(rb"FLAGS \(([^)]*)\)", answer[0]).group(1).decode().split()
                    subject = answer[1].decode().partition(":")[2].strip()
                    found[subject] = " ".join(sorted(flag for flag in flags if flag != "\\Recent"))
            return found

    def limit(self, account):
        """To 1 MB and 40 messages, of which INBOX may hold 30; half of that is then used, by a message in a mailbox."""
        result = self.run("ternuser", "quota", account, "--storage", "1M", "--messages", "40")
        check(result.returncode == 0, f"ternuser quota: {result.stdout}{result.stderr}")
        with self.imap(account) as imap:
            status, answer = imap.setquota("#mailbox/INBOX", "(MESSAGE 30)")
            check(status == "OK", f"SETQUOTA: {answer}")
        self.fill(account, make_message("large", ("y" * 70 + "\r\n") * 8000), mailbox="Large")

    def quotas(self, account, mailbox="INBOX"):
        """Quota root -> {resource: (used, limit)}, by GETQUOTAROOT."""
        with self.imap(account) as imap:
            found = {}
            for line in imap.getquotaroot(f'"{mailbox}"')[1][1]:
                root, words = re.fullmatch(r'"?([^"(]+?)"? \((.*)\)', line.decode()).groups()
                words = words.split()
                found[root] = {words[i]: (int(words[i + 1]), int(words[i + 2])) for i in range(0, len(words), 3)}
            return found

    def mailboxes(self, account, what="LIST"):
        with self.imap(account) as imap:
            lines = (imap.lsub if what == "LSUB" else imap.list)()[1]
            return sorted(line.decode().rsplit('"/" ', 1)[1].strip('"') for line in lines if line)


def descendants_marked(mark):
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as environment:
                if f"{MARK}={mark}".encode() in environment.read().split(b"\0") and int(pid) != os.getpid():
                    found.append(int(pid))
        except OSError:
            continue
    return found


class Program:
    """A program with a home of its own; it and all that it has started end with the block."""

    def __init__(self, scratch, *words, environment=None, **options):
        self.mark = f"{scratch}:{os.path.basename(words[0])}:{time.monotonic_ns()}"
        self.home = os.path.join(scratch, "home")
        self.output = os.path.join(scratch, os.path.basename(words[0]) + ".output")
        os.makedirs(self.home, exist_ok=True)
        self.words, self.options = words, options
        self.environment = {**environment_of(self.home), MARK: self.mark, **(environment or {})}

    def __enter__(self):
        with open(self.output, "ab") as output:
            self.process = subprocess.Popen(self.words, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                            env=self.environment, start_new_session=True, **self.options)
        try:
            self.greet()
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return self

    def greet(self):
        """What is to be done until it can be talked to."""

    def said(self):
        with open(self.output, errors="replace") as output:
            return output.read()

    def __exit__(self, kind, *_):
        for how in (signal.SIGTERM, signal.SIGKILL):
            end = time.monotonic() + 10
            while time.monotonic() < end:
                self.process.poll()
                pids = [self.process.pid] if self.process.returncode is None else []
                pids = set(pids + descendants_marked(self.mark))
                if not pids:
                    break
                for pid in pids:
                    try:
                        os.kill(pid, how)
                    except ProcessLookupError:
                        pass
                time.sleep(0.05)
        if kind:
            said = [line for line in self.said().splitlines() if line and not re.search("gtk", line, re.I)]
            print("\n".join(said[-40:]))


def environment_of(home):
    return {"PATH": os.environ["PATH"], "HOME": home, "LC_ALL": "C.UTF-8", "TZ": "UTC", "USER": "anna", "LOGNAME": "anna",
            "XDG_CONFIG_HOME": f"{home}/.config", "XDG_CACHE_HOME": f"{home}/.cache", "XDG_DATA_HOME": f"{home}/.local/share",
            "XDG_RUNTIME_DIR": home}


def run(scratch, *words, text="", statuses=(0,), timeout=60, environment=None):
    """Runs a program to its end, and answers what it said."""
    home = os.path.join(scratch, "home")
    os.makedirs(home, exist_ok=True)
    try:
        result = subprocess.run(words, input=text, text=True, env={**environment_of(home), **(environment or {})},
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout, cwd=home, errors="replace")
    except subprocess.TimeoutExpired as expired:
        raise SystemExit(f"{words[0]}: not done after {timeout} s\n{(expired.stdout or b'').decode(errors='replace')}")
    check(result.returncode in statuses, f"{' '.join(words)}: status {result.returncode}\n{result.stdout}")
    return result.stdout


class Terminal:
    """A program on a terminal of its own, with somebody who types and reads the screen."""

    def __init__(self, scratch, *words, environment=None):
        self.home = os.path.join(scratch, "home")
        self.socket = os.path.join(scratch, f"terminal.{time.monotonic_ns()}")
        self.words = words
        self.environment = {**environment_of(self.home), "TERM": "screen", **(environment or {})}
        os.makedirs(self.home, exist_ok=True)

    def tmux(self, *words):
        return subprocess.run(["tmux", "-f", "/dev/null", "-S", self.socket, *words], env=self.environment, cwd=self.home,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout

    def __enter__(self):
        # The screen stays when the program has ended.
        self.tmux("set-option", "-g", "remain-on-exit", "on", ";", "new-session", "-d", "-x", "110", "-y", "36",
                  "env", *self.words)
        return self

    def __exit__(self, kind, *_):
        if kind:
            print(self.screen())
        self.tmux("kill-server")

    def screen(self):
        return self.tmux("capture-pane", "-p")

    def wait(self, pattern, deadline=20):
        return wait_for(f"{pattern!r} on the screen of {self.words[0]}", lambda: re.search(pattern, self.screen()), deadline)

    def type(self, *keys):
        """Keys by tmux's names (Enter, C-x), or single characters."""
        self.tmux("send-keys", *keys)

    def write(self, text):
        self.tmux("send-keys", "-l", text)

    def wait_end(self, deadline=20):
        wait_for(f"the end of {self.words[0]}", lambda: "1" in self.tmux("list-panes", "-F", "#{pane_dead}"), deadline)
