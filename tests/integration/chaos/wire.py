"""A connection that clients and servers of the chaos run share: lines and octets, TLS, and all ways of ending."""
import contextlib
import fcntl
import socket
import ssl
import struct
import termios


class Wire:
    def __init__(self, connection, patience):
        self.socket = connection
        self.socket.settimeout(patience)
        self.buffer = b""

    def send(self, octets):
        self.socket.sendall(octets if isinstance(octets, bytes) else octets.encode("latin-1"))

    def receive(self):
        piece = self.socket.recv(65536)
        if not piece:
            raise EOFError
        self.buffer += piece

    def line(self):
        """Without its line end, CRLF and nothing else."""
        while b"\r\n" not in self.buffer:
            self.receive()
        line, _, self.buffer = self.buffer.partition(b"\r\n")
        return line

    def take(self, octets):
        while len(self.buffer) < octets:
            self.receive()
        taken, self.buffer = self.buffer[:octets], self.buffer[octets:]
        return taken

    def reply(self):
        """The lines of one reply as one text."""
        lines = [self.line()]
        while lines[-1][3:4] == b"-":
            lines.append(self.line())
        return b"\n".join(lines).decode("latin-1")

    def wait_for_the_end(self):
        """Reads what comes until the other side ends the connection; gives all of it."""
        with contextlib.suppress(EOFError, OSError):
            while True:
                self.receive()
        text, self.buffer = self.buffer, b""
        return text.decode("latin-1")

    @property
    def is_secured(self):
        return isinstance(self.socket, ssl.SSLSocket)

    def secure(self, context, **options):
        # Whatever becomes of the handshake, the connection is closed with this Wire.
        self.socket = context.wrap_socket(self.socket, do_handshake_on_connect=False, **options)
        self.socket.do_handshake()

    def unsent_octets(self):
        """What the other side's kernel has not acknowledged (SIOCOUTQ)."""
        with contextlib.suppress(OSError):
            return struct.unpack("i", fcntl.ioctl(self.socket.fileno(), termios.TIOCOUTQ, bytes(4)))[0]
        return 0

    def half_close(self):
        self.socket.shutdown(socket.SHUT_WR)

    def close(self):
        with contextlib.suppress(OSError):
            self.socket.close()

    def reset(self):
        """The other side gets RST, even if all has been read."""
        with contextlib.suppress(OSError):
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()
