"""A program whose allocations fail on order: what a test and the malloc preloaded into the program share."""
import contextlib
import mmap
import os
import struct

SHIM = os.environ.get("SALLYPORT_FAILING_MALLOC_LIBRARY", "")


class Memory:
    """Which allocations fail, how many there were, how many failed. `path` is a file to be made for it."""

    def __init__(self, path):
        path.write_bytes(bytes(32))
        self.environment = {"LD_PRELOAD": SHIM, "SALLYPORT_FAILING_MALLOC": str(path)}
        with open(path, "r+b") as file:
            self.shared = mmap.mmap(file.fileno(), 32)

    @contextlib.contextmanager
    def failing(self, every, thread=""):
        """Each so manieth; only those of the threads with this name, where one is given."""
        self.shared[24:32] = struct.pack("=8s", thread.encode())
        self.shared[0:8] = struct.pack("=Q", every)
        try:
            yield
        finally:
            self.shared[0:8] = bytes(8)

    def failed(self):
        return struct.unpack("=Q", self.shared[16:24])[0]
