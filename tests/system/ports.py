"""Free loopback ports for private instances and tests."""
import os
import random
import socket


def free_ports(count):
    """Ports below those that the kernel gives to clients: else one of these could have them while the
    instance is stopped.  TERN_PORTS=FIRST-LAST are those to choose from.  All sockets are open at once, so none comes twice."""
    first, last = map(int, os.environ.get("TERN_PORTS", "12000-31999").split("-"))
    candidates = iter(random.sample(range(first, last + 1), last + 1 - first))
    held = []
    while len(held) < count:
        held.append(socket.socket())
        try:
            held[-1].bind(("127.0.0.1", next(candidates)))
        except OSError:
            held.pop().close()
    ports = [each.getsockname()[1] for each in held]
    for each in held:
        each.close()
    return ports
