"""A mail server from Debian's package, run with an unpacked folder as its root directory.

It finds there its libraries, its users, its configuration and its queue; of the system it shares the kernel and the loopback
interface. Only root may do this.
"""
import contextlib
import os
import pathlib
import shutil
import signal
import socket
import stat
import subprocess
import threading
import typing
import unittest

from servers.unpack import NotToBeHad, unpacked
from support import accepts, free_port, tool, wait_until


class Stored(typing.NamedTuple):
    """A transaction that a server has accepted, as its own files have it."""
    id: str             # what the gateway's X-Sallyport-Id says
    sender: str         # without angle brackets
    recipients: tuple   # sorted
    content: bytes      # with CRLF, from the first of the gateway's fields on


FIRST_FIELD = b"X-Sallyport-Id: "


def stored(sender, recipients, content):
    """`content` has LF as these servers keep it, and may have fields of the server's own above the gateway's."""
    content = content.replace(b"\n", b"\r\n")
    if FIRST_FIELD in content:
        content = content[content.index(FIRST_FIELD):]
    ours, _, _ = content.removeprefix(FIRST_FIELD).partition(b"\r\n")
    return Stored(ours.decode("latin-1"), sender, tuple(sorted(recipients)), content)


def skip_unless_possible(*names):
    """Ends the calling test class or module, with a line that says why, where such a server cannot be had."""
    if os.geteuid() != 0:
        raise unittest.SkipTest("real mail servers have users and queues of their own: that needs root")
    if subprocess.run(["chroot", "/", "true"], capture_output=True).returncode:
        raise unittest.SkipTest("real mail servers run in a folder of their own: that needs chroot(2), which is not allowed")
    try:
        for name in names:
            unpacked(name)
    except NotToBeHad as why:
        raise unittest.SkipTest(str(why))


def link_or_copy(source, target):
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:  # another file system
        shutil.copy2(source, target, follow_symlinks=False)


class Jail:
    """The folder and the server in it. The classes of the servers say what is in the files, and what to start."""

    package = ""  # one of servers.unpack.SERVERS
    users = {}    # name -> number, of users and of groups of the same name
    upstream_tls = "require"  # what the gateway is to be told where TLS is wanted
    refuses = {}  # name of a message -> how the server answers to its envelope

    def __init__(self, test):
        self.test = test
        self.port = free_port()
        self.root = test.folder / f"{self.package}-{self.port}"
        shutil.copytree(unpacked(self.package), self.root, symlinks=True, copy_function=link_or_copy)
        self.root.chmod(0o755)  # as a root directory is
        users = {"root": 0, "nobody": 65534, **self.users}
        self.write("etc/passwd", "".join(f"{n}:x:{i}:{i}::/nonexistent:/usr/sbin/nologin\n" for n, i in users.items()))
        self.write("etc/group", "".join(f"{n}:x:{i}:\n" for n, i in users.items()))
        self.write("etc/hosts", "127.0.0.1 localhost inner.test.example\n")
        self.write("etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n")
        # Making devices is refused in many containers; a plain file does for what is read from and written to it here.
        self.write("dev/null", "").chmod(0o666)
        self.folder("tmp").chmod(0o1777)
        self.log = SystemLog(test, self.folder("dev") / "log")
        certificate = test.certificate()
        for file in ("fullchain.pem", "privkey.pem"):
            self.write(f"etc/tls/{file}", (certificate / file).read_text()).chmod(0o600)
        self.configure()

    def configure(self):
        """Writes the files it starts with."""

    def command(self):
        """What runs it in the foreground, within the folder."""
        raise NotImplementedError

    def start(self):
        self.process = self.test.start(self.root.name, self.chrooted(*self.command()), start_new_session=True)
        self.test.addCleanup(self.stop)
        wait_until(self.package, lambda: accepts(self.port) or not self.process.is_running())
        self.test.assertTrue(self.process.is_running(), self.process.output())
        return self

    def stop(self):
        """Ends the server, and what it started: its children are in its process group."""
        self.process.stop()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)

    def chrooted(self, *argv):
        return [tool("chroot"), self.root, *argv]

    def path(self, inside):
        return self.root / inside

    def folder(self, inside, owner="root", mode=0o755):
        path = self.path(inside)
        path.mkdir(parents=True, exist_ok=True)
        os.chown(path, *[{"root": 0, **self.users}[owner]] * 2)
        path.chmod(mode)
        return path

    def write(self, inside, text):
        path = self.path(inside)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)  # it may be a link to the unpacked one
        path.write_text(text)
        return path

    def stored(self):
        """All it has accepted so far."""
        raise NotImplementedError

    def begun(self):
        """How many envelopes were opened with it so far, accepted at the end or not."""
        raise NotImplementedError


class SystemLog:
    """What the server says to syslog."""

    def __init__(self, test, path: pathlib.Path):
        self.lines = []
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        path.chmod(stat.S_IRUSR | stat.S_IWUSR | 0o066)
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()
        test.addCleanup(self.close)

    def read(self):
        while line := self.socket.recv(65536):
            self.lines.append(line.decode("latin-1"))

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.socket.close()
