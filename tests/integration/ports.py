"""Ports of the loopback, for programs that have to be told one, or that keep theirs over a restart.

They lie below those that the kernel gives to outgoing connections, each process of the tests has a
stretch of them, and none is given twice: so nobody takes one between its being found free and its being
listened on, or while its program is down.
"""
import itertools
import os
import re
import socket
import threading

FIRST, STRETCH, STRETCHES = 10000, 2500, 8

_lock = threading.Lock()


def _stretch():
    """Its first port: of a worker of pytest-xdist by its number."""
    worker = re.fullmatch(r"gw(\d+)", os.environ.get("PYTEST_XDIST_WORKER", ""))
    return FIRST + (int(worker[1]) + 1 if worker else 0) % STRETCHES * STRETCH


# Two runs at once, of two trees, hardly begin at the same place.
_ports = itertools.cycle(range(_stretch(), _stretch() + STRETCH))
for _ in range(os.getpid() * 7 % STRETCH):
    next(_ports)


def free_port():
    with _lock:
        for _ in range(STRETCH):
            port = next(_ports)
            with socket.socket() as s:
                try:
                    s.bind(("127.0.0.1", port))
                except OSError:
                    continue
                return port
    raise RuntimeError("no port is free")
