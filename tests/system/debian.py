"""A Debian of its own: a root directory made with debootstrap, whose processes have namespaces of their own."""
import fcntl
import glob
import os
import re
import shutil
import subprocess
import time

from tern import DEADLINE, TOP, check, not_under_sanitizers, skip


def run(*words, **options):
    result = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", **options)
    check(result.returncode == 0, f"{' '.join(words)}: status {result.returncode}\n{result.stdout[-4000:]}")
    return result.stdout


class Machine:
    """The root directory, and a process that holds its network and mount namespaces."""

    def __init__(self, root):
        self.root = root
        run("cp", "-a", base(), root)
        shutil.copy("/etc/resolv.conf", f"{root}/etc/resolv.conf")
        for path in glob.glob("/etc/apt/apt.conf.d/*proxy*"):
            shutil.copy(path, f"{root}/etc/apt/apt.conf.d/")
        self.outside("apt-get", "update", "-qq")
        self.policy(False)
        self.holder = subprocess.Popen(["unshare", "-n", "-m", "-p", "-f", "--kill-child", "sh", "-c",
                                        f"mount -t proc proc {root}/proc && mount -t tmpfs tmpfs {root}/run && "
                                        f"mount -t devpts -o ptmxmode=666 devpts {root}/dev/pts && mkdir {root}/run/lock && ip link set lo up; echo up; "
                                        "while sleep 1; do :; done"],  # reaps orphans, as an init does
                                       stdout=subprocess.PIPE, text=True)
        check(self.holder.stdout.readline() == "up\n", "the namespaces")
        children = f"/proc/{self.holder.pid}/task/{self.holder.pid}/children"
        self.first = open(children).read().split()[0]

    def policy(self, start):
        """May packages start daemons?  (invoke-rc.d asks.)"""
        path = f"{self.root}/usr/sbin/policy-rc.d"
        with open(path, "w") as file:
            file.write(f"#!/bin/sh\nexit {0 if start else 101}\n")
        os.chmod(path, 0o755)

    def command(self, *words):
        environment = ["env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive"]
        return ["nsenter", "-t", self.first, "-n", "-m", "-p", "chroot", self.root, *environment, *words]

    def __call__(self, *words, **options):
        return run(*self.command(*words), **options)

    def status(self, *words, **options):
        return subprocess.run(self.command(*words), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)

    def outside(self, *words):
        """In the root directory, but with the network of this machine: packages come from there."""
        return run("chroot", self.root, "env", "DEBIAN_FRONTEND=noninteractive", *words)

    def install(self, *packages):
        self.outside("apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages)

    def answer(self, **values):
        """The answers to the package's questions."""
        with open(f"{self.root}/answers", "w") as answers:
            answers.writelines(f"tern tern/{name} string {value}\n" for name, value in values.items())
        self.outside("debconf-set-selections", "/answers")

    def send(self, subject, to="root"):
        self("sendmail", "-i", to, input=f"Subject: {subject}\n\nHello.\n")

    def subjects(self, account):
        """Of all that is in an account's INBOX."""
        text = self("sh", "-c", f"rm -rf /tmp/out; ternbox -t export {account} -f mbox /tmp/out INBOX >/dev/null 2>&1; cat /tmp/out* /tmp/out/* 2>/dev/null || true")
        return re.findall(r"^Subject: (.*?)\r?$", text, re.M)

    def end(self):
        self.holder.kill()
        self.holder.wait()


def base():
    """What debootstrap makes, which takes minutes: once for all tests, in build/debian."""
    made = os.path.join(TOP, "build", "debian")
    os.makedirs(made, exist_ok=True)
    with open(f"{made}/lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(f"{made}/bookworm"):
            shutil.rmtree(f"{made}/unfinished", ignore_errors=True)
            run("debootstrap", "--variant=minbase", "--include=ca-certificates,debconf,adduser,openssl", "bookworm",
                f"{made}/unfinished", mirror())
            os.rename(f"{made}/unfinished", f"{made}/bookworm")
    return f"{made}/bookworm"


def mirror():
    """Where this machine's own packages come from."""
    targets = run("apt-get", "indextargets", "--format", "$(ORIGIN) $(CODENAME) $(COMPONENT) $(CREATED_BY) $(REPO_URI)")
    found = re.search(r"^Debian bookworm main Packages (\S+)$", targets, re.M)
    return found.group(1) if found else skip("the package lists of Debian bookworm are not there")


def wait_for(what, condition, seconds=DEADLINE):
    end = time.monotonic() + seconds
    while not condition():
        check(time.monotonic() < end, f"still waiting for {what}")
        time.sleep(0.05)


def needs():
    """What such a machine needs; the test is left out where it is not there."""
    not_under_sanitizers("the package is made of the release variant")
    if not os.environ.get("LONG"):
        skip("takes minutes: only with LONG=1")
    if os.geteuid() != 0 or not shutil.which("debootstrap"):
        skip("needs root and debootstrap")


def package(top):
    """Tern's package: $TERN_DEB, or a new one."""
    if not os.environ.get("TERN_DEB"):
        run("make", "-s", "-C", top, "deb")
        return glob.glob(f"{top}/build/deb/tern_*.deb")[0]
    return os.environ["TERN_DEB"]
