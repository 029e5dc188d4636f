"""Users of the system for a test, that the machine does not have: in a mount namespace of the test's own
/etc/passwd and /etc/group are others.

    people = People(scratch, "dora", "emil")      # starts the test anew in its namespace; skips without root
    people.home("dora"); people.uid("dora")
"""
import os
import subprocess
import sys

from tern import skip

FIRST_UID = 30001
MARK = "TERN_TEST_PEOPLE"


class People:
    def __init__(self, scratch, *names):
        self.scratch, self.names = os.path.abspath(scratch), names
        if os.getuid() != 0:
            skip("only root can have users of its own")
        if os.environ.get(MARK) != self.scratch:
            self.begin()
        for name in names:
            os.makedirs(self.home(name), exist_ok=True)
            os.chmod(self.home(name), 0o755)
            os.chown(self.home(name), self.uid(name), self.uid(name))

    def begin(self):
        if subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode:
            skip("no mount namespace can be had here")
        os.chmod(self.scratch, 0o755)
        for file, line in (("passwd", "{name}:x:{uid}:{uid}:{name}:{home}:/bin/sh\n"), ("group", "{name}:x:{uid}:\n")):
            with open(f"/etc/{file}") as present, open(f"{self.scratch}/{file}", "w") as out:
                out.write(present.read())
                for name in self.names:
                    out.write(line.format(name=name, uid=self.uid(name), home=self.home(name)))
            os.chmod(f"{self.scratch}/{file}", 0o644)
        script = ('mount --make-rprivate / && mount --bind "$1/passwd" /etc/passwd && mount --bind "$1/group" /etc/group && '
                  'shift && exec "$@"')
        os.execvpe("unshare", ["unshare", "-m", "sh", "-c", script, "sh", self.scratch, sys.executable, *sys.argv],
                   {**os.environ, MARK: self.scratch})

    def home(self, name):
        return os.path.join(self.scratch, "home", name)

    def uid(self, name):
        return FIRST_UID + self.names.index(name)

    def write(self, name, file, text, mode=0o644, owner=None):
        """A file in a user's home."""
        path = os.path.join(self.home(name), file)
        with open(path, "w") as out:
            out.write(text)
        os.chmod(path, mode)
        os.chown(path, self.uid(owner or name), self.uid(owner or name))
        return path
