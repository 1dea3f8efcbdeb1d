"""The consoles that the kernel writes to: screen, serial line, or both.

Nobody knows before whether the administrator sits at the screen or at the serial line. So what is asked is written to each, and
the first line that comes from any of them is the answer.
"""
import os
import pathlib
import select
import termios

IUTF8 = 0o40000  # of the input modes; Python has no name for it
ACTIVE = pathlib.Path("/sys/class/tty/console/active")


def devices():
    """Their paths. tty0 is whatever screen is in front; the first is the one that logins are at."""
    names = ACTIVE.read_text().split() if ACTIVE.exists() else ["console"]
    return ["/dev/" + ("tty1" if name == "tty0" else name) for name in names]


class Gone(Exception):
    """No console is left, or the answers have been given elsewhere meanwhile."""


class Consoles:
    """Writes to all, reads from whichever is written to. `is_over` is asked each two seconds while nobody types."""

    def __init__(self, paths, is_over=lambda: False):
        self.is_over = is_over
        self.open = []
        self.pending = {}
        self.former = {}
        for path in paths:
            try:
                tty = os.open(path, os.O_RDWR | os.O_NOCTTY)
            except OSError:
                continue
            try:
                self.former[tty] = termios.tcgetattr(tty)
                self.set_up(tty, echo=True)
            except termios.error:  # a serial line that the machine does not have opens all the same
                os.close(tty)
                continue
            self.open.append(tty)
            self.pending[tty] = b""

    def close(self):
        for tty in self.open:
            try:
                termios.tcsetattr(tty, termios.TCSANOW, self.former[tty])
            except termios.error:
                pass
            os.close(tty)
        self.open = []

    def set_up(self, tty, echo):
        """Lines as they are typed, with the keys that correct them; no signals."""
        mode = termios.tcgetattr(tty)
        mode[0] |= termios.ICRNL | IUTF8
        mode[1] |= termios.OPOST | termios.ONLCR
        mode[3] |= termios.ICANON | termios.ECHO | termios.ECHOE | termios.ECHOK
        mode[3] &= ~(termios.ISIG | (0 if echo else termios.ECHO))
        termios.tcsetattr(tty, termios.TCSANOW, mode)

    def say(self, text):
        for tty in list(self.open):
            try:
                os.write(tty, text.encode())
            except OSError:
                self.drop(tty)

    def drop(self, tty):
        self.open.remove(tty)
        os.close(tty)

    def line(self):
        """The next line, without its end."""
        while True:
            for tty, octets in self.pending.items():
                head, end, rest = octets.partition(b"\n")
                if end:
                    self.pending[tty] = rest
                    return head.decode(errors="replace")
            if not self.open:
                raise Gone("there is no console")
            ready, _, _ = select.select(self.open, [], [], 2)
            if not ready and self.is_over():
                raise Gone("answered elsewhere")
            for tty in ready:
                try:
                    octets = os.read(tty, 4096)
                except OSError:
                    octets = b""
                if octets:
                    self.pending[tty] += octets
                elif os.isatty(tty) and tty in self.open:
                    self.say("\n")  # the end-of-file key: asked again
                    return ""
                else:
                    self.drop(tty)

    def ask(self, prompt):
        self.say(prompt)
        return self.line()

    def ask_in_secret(self, prompt):
        """As ask(), and what is typed is not shown."""
        for tty in self.open:
            self.set_up(tty, echo=False)
        try:
            return self.ask(prompt)
        finally:
            for tty in self.open:
                self.set_up(tty, echo=True)
            self.say("\n")
