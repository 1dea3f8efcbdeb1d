"""An MTA's side of the milter protocol, as far as tests need it, and filters run on one milter library or another."""
import os
import pathlib
import signal
import socket
import struct
import subprocess
import tempfile

from milter_packets import packet, read_packet
from support import PATIENCE, ROOT, wait_until

LIBRARY = pathlib.Path(os.environ.get("SALLYPORT_MILTER_LIBRARY", ROOT / "build/release/libmilter"))  # a folder
FILTER = pathlib.Path(os.environ.get("SALLYPORT_OBEDIENT_FILTER", ROOT / "build/release/tests/integration/obedient_filter"))
DEBIANS = pathlib.Path("/usr/lib/x86_64-linux-gnu/libmilter.so.1.0.1")

OFFER = struct.pack(">III", 6, 0x1FF, 0x1FFFFF)
# Answers that say nothing about how the command goes on.
CHANGES = b"+-2behimpq"


def do(stage, callback, commands):
    """The macro that tells the obedient filter what to do in a callback, sent for a stage."""
    return b"D", stage + b"{do_" + callback + b"}\0" + commands + b"\0"


CONNECT = (b"C", b"host.test\0004\x30\x391.2.3.4\0")
MAIL = (b"M", b"<a@b>\0")
RCPT = (b"R", b"<r@b>\0")


class Mta:
    """One connection to a filter."""

    def __init__(self, place):
        self.socket = socket.socket(socket.AF_INET if isinstance(place, tuple) else socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        try:
            self.socket.connect(place)
        except OSError:
            self.socket.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, *commands):
        self.socket.sendall(b"".join(packet(*command) for command in commands))

    def answer(self):
        """The next packet, letter first; EOFError at the connection's end."""
        return read_packet(self.socket)

    def say(self, letter, data=b""):
        """The packets that answer a command, up to the one that ends them."""
        self.send((letter, data))
        answers = [self.answer()]
        while letter == b"E" and answers[-1][:1] in [bytes([one]) for one in CHANGES]:
            answers.append(self.answer())
        return answers

    def open(self):
        """Up to MAIL."""
        self.say(b"O", OFFER)
        self.say(*CONNECT)
        self.say(*MAIL)

    def rest(self):
        """Everything up to the end."""
        octets = b""
        while piece := self.socket.recv(65536):
            octets += piece
        return octets


class Filter:
    """The obedient filter as a process, on the library in a folder; None: the system's own. `more` goes into its environment,
    `inside` stands before its command."""

    def __init__(self, *words, library=LIBRARY, negotiate=None, place=None, more=None, inside=()):
        self.folder = tempfile.TemporaryDirectory()
        self.place = f"{self.folder.name}/socket" if place is None else place
        self.notes_path = pathlib.Path(self.folder.name, "notes")
        environment = {**os.environ, **(more or {})}
        if library:
            environment["LD_LIBRARY_PATH"] = str(library)
        if negotiate:
            environment["DO_NEGOTIATE"] = negotiate
        with open(self.notes_path, "wb") as notes:
            self.process = subprocess.Popen([*inside, FILTER, self.place, *words], env=environment, stdout=notes)
        self.is_over = lambda: self.process.poll() is not None
        wait_until(f"the filter at {self.place} is there", lambda: self.is_over() or "opensocket" in self.notes())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if not self.is_over():
            self.process.kill()
        self.process.wait()
        self.folder.cleanup()

    def notes(self):
        return self.notes_path.read_text()

    def lines(self):
        """What callbacks have written down."""
        return [line for line in self.notes().splitlines() if not line.startswith(("setconn", "register", "opensocket", "main"))]

    def connect(self):
        return Mta(self.place)

    def threads(self):
        return len(os.listdir(f"/proc/{self.process.pid}/task"))

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def closes(self):
        return sum(line.startswith("close") for line in self.lines())

    def wait_for_closes(self, count):
        wait_until(f"{count} connections are closed", lambda: self.closes() >= count)

    def stop(self, how=signal.SIGTERM):
        """The exit status."""
        self.process.send_signal(how)
        return self.process.wait(PATIENCE)
