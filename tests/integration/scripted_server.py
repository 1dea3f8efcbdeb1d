"""A mail server that misbehaves on purpose: a receiving SMTP dialogue of which a test replaces single answers."""
import contextlib
import enum
import os
import socket
import threading

from support import PATIENCE, free_port


class Instead(enum.Enum):
    """What comes instead of an answer."""
    HANG_UP = "hang up"
    SILENCE = "silence"


HANG_UP, SILENCE = Instead

ANSWERS = {
    "GREETING": "220 scripted.example ESMTP", "EHLO": "250-scripted.example\r\n250-PIPELINING\r\n250 8BITMIME",
    "MAIL": "250 2.1.0 Ok", "RCPT": "250 2.1.5 Ok", "DATA": "354 Go ahead", "END": "250 2.0.0 Taken", "RSET": "250 2.0.0 Ok",
    "NOOP": "250 2.0.0 Ok", "QUIT": "221 2.0.0 Bye", "STARTTLS": "220 2.0.0 Ready",
}


class ScriptedServer:
    """Answers ANSWERS but for what `special` says: by verb (GREETING before the first, END at the lone dot) the text of the
    reply without its final CRLF, octets sent as they are, HANG_UP or SILENCE, or a list of these, used one after the other
    over all connections, the last for ever. With `path` it listens at that unix-domain socket, which everybody may use; `listener` is a socket
    of the test's own that listens already."""

    def __init__(self, test, path=None, listener=None, **special):
        self.special = {verb: answer if isinstance(answer, list) else [answer] for verb, answer in special.items()}
        self.lock = threading.Lock()
        self.port = None if path else listener.getsockname()[1] if listener else free_port()
        self.name = f"unix:{path}" if path else f"127.0.0.1:{self.port}"  # as a configuration names it
        self.verbs, self.contents = [], []  # what arrived
        self.came_from = []  # the address of the client's end, for each of the contents
        self.connections = []
        self.listener = listener or socket.create_server(str(path) if path else ("127.0.0.1", self.port),
                                                         family=socket.AF_UNIX if path else socket.AF_INET)
        if path:
            os.chmod(path, 0o666)
        test.addCleanup(self.close)
        threading.Thread(target=self.accept, daemon=True).start()

    def close(self):
        # shutdown() wakes the thread in accept(), close() alone would not.
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                connection.settimeout(PATIENCE)
                self.connections.append(connection)
                threading.Thread(target=self.converse, args=(connection,), daemon=True).start()

    def answer_to(self, verb):
        with self.lock:
            special = self.special.get(verb)
            if not special:
                return ANSWERS.get(verb, "500 5.5.1 What?")
            return special.pop(0) if len(special) > 1 else special[0]

    def say(self, connection, verb):
        """False: nothing more is to be said."""
        answer = self.answer_to(verb)
        if answer is SILENCE:
            with contextlib.suppress(OSError):
                while connection.recv(65536):
                    pass
            return False
        if answer is HANG_UP:
            return False
        connection.sendall(answer if isinstance(answer, bytes) else answer.encode() + b"\r\n")
        return verb != "QUIT"

    def converse(self, connection):
        with contextlib.suppress(OSError, ValueError), connection, connection.makefile("rb") as lines:
            source = connection.getpeername()[0] if self.port else None
            if not self.say(connection, "GREETING"):
                return
            for line in lines:
                verb = line.split(None, 1)[0].decode("latin-1").upper() if line.strip() else ""
                self.verbs.append(verb)
                if not self.say(connection, verb):
                    return
                if verb == "DATA" and "DATA" not in self.special:
                    content = b""
                    while (line := lines.readline()) not in (b".\r\n", b""):
                        content += line
                    self.came_from.append(source)
                    self.contents.append((content, line == b".\r\n"))
                    if not line or not self.say(connection, "END"):
                        return
