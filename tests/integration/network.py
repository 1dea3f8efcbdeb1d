"""Networks of a test's own: namespaces with virtual cables between them, and addresses that nothing outside sees. Needs root."""
import contextlib
import ctypes
import os
import shutil
import socket
import threading
import unittest

from support import run, tool, wait_until

CLONE_NEWNET = 0x40000000
PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/bin:/sbin"


def skip_unless_possible():
    """Skips the test, with the reason, where no such networks can be had."""
    if os.geteuid() != 0:
        raise unittest.SkipTest("networks of its own need root")
    if not shutil.which("ip", path=PATH):
        raise unittest.SkipTest("networks of its own need iproute2")
    if run([tool("unshare"), "-n", "true"]).returncode:
        raise unittest.SkipTest("networks of its own need unshare -n, which is not allowed here")


class Host:
    """A namespace, which lives as long as the process that was started in it."""

    def __init__(self, test, name):
        self.keeper = test.start(f"host-{name}", [tool("unshare"), "-n", "sh", "-c", "echo ready; exec sleep 600"])
        wait_until("the network", lambda: "ready" in self.keeper.output())
        self.ip("link set lo up")

    def inside(self, *argv):
        """The command line of a program that runs there, under the pid that it is started with."""
        return [tool("nsenter"), "-t", str(self.keeper.pid), "-n", *argv]

    def run(self, *argv):
        return run(self.inside(*argv))

    def ip(self, words):
        """`ip` with these words."""
        done = self.run(tool("ip"), *words.split())
        if done.returncode:
            raise AssertionError(f"ip {words}: {done.stderr}")

    def cable(self, device, other, other_device, addresses, other_addresses):
        """Joins the two; the addresses have their prefixes."""
        self.ip(f"link add {device} type veth peer name {other_device} netns {other.keeper.pid}")
        for host, its_device, its_addresses in ((self, device, addresses), (other, other_device, other_addresses)):
            for address in its_addresses:
                host.ip(f"addr add {address} dev {its_device}" + (" nodad" if ":" in address else ""))
            host.ip(f"link set {its_device} up")

    def make(self, make):
        """What `make` gives, called there: a socket goes on to belong to it."""
        made = []

        def enter_and_make():
            namespace = os.open(f"/proc/{self.keeper.pid}/ns/net", os.O_RDONLY)
            try:
                if ctypes.CDLL(None).setns(namespace, CLONE_NEWNET) == 0:
                    made.append(make())
            finally:
                os.close(namespace)

        thread = threading.Thread(target=enter_and_make)  # this thread alone goes there
        thread.start()
        thread.join()
        if not made:
            raise AssertionError("it could not be made in that network")
        return made[0]

    def listener(self, address, port):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        return self.make(lambda: socket.create_server((address, port), family=family))

    def connection(self, address, port, source):
        return self.make(lambda: socket.create_connection((address, port), timeout=20, source_address=(source, 0)))


def children_of(pid):
    """The processes that this one has started and not yet been told the end of."""
    found = []
    for entry in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError, IndexError):
            with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as file:
                parent = file.read().rpartition(")")[2].split()[1]
            if int(parent) == pid:
                found.append(int(entry))
    return found
