"""A milter that does what a test says, octet by octet: it answers, changes, stalls, lies or dies at any stage."""
import contextlib
import os
import socket
import struct
import threading
import time

from milter_packets import packet, read_packet

ACTIONS = 0x1FF
CLOSE, STALL, SILENT = object(), object(), object()
# Commands that take no answer.
UNANSWERED = b"DAKQ"


CONTINUE, ACCEPT, DISCARD = packet(b"c"), packet(b"a"), packet(b"d")
REJECT, TEMPFAIL, SHUTDOWN = packet(b"r"), packet(b"t"), packet(b"4")
PROGRESS, SKIP = packet(b"p"), packet(b"s")


def reply(text):
    return packet(b"y", text.encode() + b"\0")


def add_header(name, value):
    return packet(b"h", f"{name}\0{value}\0".encode())


def insert_header(index, name, value):
    return packet(b"i", struct.pack(">I", index) + f"{name}\0{value}\0".encode())


def change_header(index, name, value):
    return packet(b"m", struct.pack(">I", index) + f"{name}\0{value}\0".encode())


def change_sender(path, parameters=None):
    return packet(b"e", f"{path}\0".encode() + (f"{parameters}\0".encode() if parameters else b""))


def add_rcpt(path):
    return packet(b"+", f"{path}\0".encode())


def delete_rcpt(path):
    return packet(b"-", f"{path}\0".encode())


def replace_body(octets):
    return packet(b"b", octets)


def quarantine(reason):
    return packet(b"q", f"{reason}\0".encode())


class ScriptedMilter:
    """Listens on a unix-domain socket. `answers` has by the command's letter what follows it: octets, CLOSE, STALL (nothing more is
    read), SILENT (no answer), a list of these, or a function of the conversation and the command's data that gives one. What is
    not in it is continued."""

    def __init__(self, path, answers=None, version=6, actions=ACTIONS, options=0, macros=b""):
        self.path = str(path)
        self.answers = dict(answers or {})
        self.version, self.actions, self.options, self.macros = version, actions, options, macros
        self.heard = []  # (conversation's number, letter, data)
        self.keeps_notes = True
        self.connections = 0
        self.open = 0
        self.peers = set()
        self.stopping = threading.Event()
        self.lock = threading.Lock()
        self.listener = None
        self.start()

    def start(self):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)
        self.stopping.clear()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        os.chmod(self.path, 0o777)
        self.listener.listen(200)
        threading.Thread(target=self.accept, args=(self.listener,), daemon=True).start()

    def stop(self):
        self.stopping.set()
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def crash(self):
        """Ends as a process that is killed: listener and conversations at once."""
        self.stop()
        with self.lock:
            for peer in self.peers:
                with contextlib.suppress(OSError):
                    peer.shutdown(socket.SHUT_RDWR)

    def accept(self, listener):
        while not self.stopping.is_set():
            try:
                peer, _ = listener.accept()
            except OSError:
                return
            with self.lock:
                self.connections += 1
                self.open += 1
                self.peers.add(peer)
                number = self.connections
            threading.Thread(target=self.serve, args=(peer, number), daemon=True).start()

    def serve(self, peer, number):
        conversation = Conversation(self, peer, number)
        with peer, contextlib.suppress(EOFError, OSError):
            conversation.run()
        with self.lock:
            self.open -= 1
            self.peers.discard(peer)

    def letters(self, number=None):
        """The commands that were heard, macros aside."""
        return "".join(letter.decode() for one, letter, _ in list(self.heard)
                       if letter != b"D" and number in (None, one))

    def data(self, letter):
        return [data for _, one, data in list(self.heard) if one == letter]

    def macros_of(self, letter, index=-1):
        """The macros that were sent for a command."""
        texts = [data for data in self.data(b"D") if data[:1] == letter][index][1:].split(b"\0")[:-1]
        return {name.decode(): value.decode() for name, value in zip(texts[::2], texts[1::2])}


class Conversation:
    def __init__(self, milter, peer, number):
        self.milter, self.socket, self.number = milter, peer, number
        self.rcpts, self.sender, self.header, self.body = [], None, [], b""

    def run(self):
        while True:
            octets = read_packet(self.socket)
            letter, data = octets[:1], octets[1:]
            if self.milter.keeps_notes:
                self.milter.heard.append((self.number, letter, data))
                self.note(letter, data)
            if letter == b"Q":
                return
            if not self.answer(letter, data):
                return

    def note(self, letter, data):
        if letter == b"M":
            self.rcpts, self.sender, self.header, self.body = [], data.split(b"\0")[0].decode(), [], b""
        elif letter == b"R":
            self.rcpts.append(data.split(b"\0")[0].decode())
        elif letter == b"L":
            self.header.append(tuple(data.decode("latin-1").split("\0")[:2]))
        elif letter == b"B":
            self.body += data

    def answer(self, letter, data):
        what = self.milter.answers.get(letter.decode())
        if callable(what):
            what = what(self, data)
        if what is None:
            if letter == b"O":
                what = packet(b"O", struct.pack(">III", self.milter.version, self.milter.actions, self.milter.options) +
                              self.milter.macros)
            else:
                what = SILENT if letter in UNANSWERED else CONTINUE
        for one in what if isinstance(what, list) else [what]:
            if one is CLOSE:
                return False
            if one is STALL:
                self.milter.stopping.wait(60)
                return False
            if isinstance(one, (int, float)):
                time.sleep(one)
            elif one is not SILENT:
                self.socket.sendall(one)
        return True
