"""Free loopback ports for private instances and tests."""
import contextlib
import fcntl
import os
import random
import socket

given = set()


@contextlib.contextmanager
def remembered():
    """Those that this test has been given, by any of its processes: what listens at them may not have begun, or be stopped.
    TERN_PORTS_GIVEN is a file of them."""
    path = os.environ.get("TERN_PORTS_GIVEN")
    if not path:
        yield
        return
    with open(path, "r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        given.update(map(int, file.read().split()))
        yield
        file.seek(0)
        file.write(" ".join(map(str, sorted(given))))


def free_ports(count):
    """Ports below those that the kernel gives to clients: else one of these could have them while the
    instance is stopped.  TERN_PORTS=FIRST-LAST are those to choose from.  None comes twice."""
    first, last = map(int, os.environ.get("TERN_PORTS", "12000-31999").split("-"))
    ports = []
    with remembered():
        for port in random.sample(range(first, last + 1), last + 1 - first):
            if len(ports) == count:
                break
            with socket.socket() as probe:
                try:
                    probe.bind(("127.0.0.1", port))
                except OSError:
                    continue
            if port not in given:
                given.add(port)
                ports.append(port)
    if len(ports) < count:
        raise SystemExit(f"no {count} free ports from {first} to {last}")
    return ports
