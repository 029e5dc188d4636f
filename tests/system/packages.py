"""Debian's packages, downloaded and unpacked, never installed.  Those of a day are shared by all tests, below build/packages."""
import fcntl
import glob
import os
import subprocess
import time

from tern import TOP, skip

STORE = os.path.join(TOP, "build", "packages")
FRESH = 86400  # seconds for which a package is not asked for again


def stored(name):
    """The package's file, if it is there and no older than a day."""
    found = [path for path in glob.glob(f"{STORE}/{name}_*.deb") if os.path.getmtime(path) > time.time() - FRESH]
    return max(found, key=os.path.getmtime, default=None)


def download(names):
    """Into the store: each is complete before it gets its name there."""
    place = os.path.join(STORE, "incoming")
    os.makedirs(place, exist_ok=True)
    for path in glob.glob(f"{place}/*"):
        os.unlink(path)
    result = subprocess.run(["apt-get", "download", "-qq", *names], cwd=place, capture_output=True, text=True)
    if result.returncode:
        skip(f"{' '.join(names)} cannot be downloaded")
    for path in glob.glob(f"{place}/*.deb"):
        os.utime(path)
        for old in glob.glob(f"{STORE}/{os.path.basename(path).split('_')[0]}_*.deb"):
            os.unlink(old)
        os.rename(path, os.path.join(STORE, os.path.basename(path)))


def unpack(root, *names):
    """Packages below a directory; the test is left out where they cannot be had."""
    os.makedirs(root, exist_ok=True)
    os.makedirs(STORE, exist_ok=True)
    with open(os.path.join(STORE, "lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        missing = [name for name in names if not stored(name)]
        if missing:
            download(missing)
        files = [stored(name) for name in names]
        if None in files:
            skip(f"{' '.join(names)} cannot be downloaded")
        for path in files:
            subprocess.run(["dpkg", "-x", path, root], check=True)
