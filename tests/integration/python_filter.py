#!/usr/bin/env python3
"""A filter in Python, by Debian's python3-milter, whose C part is linked with libmilter. python_filter.py SOCKET"""
import sys

import Milter


class Marking(Milter.Base):
    def __init__(self):
        self.id = Milter.uniqueID()
        self.octets = 0

    @Milter.noreply
    def header(self, name, value):
        self.octets += len(value)
        return Milter.CONTINUE

    def envrcpt(self, to, *parameters):
        if to == "<nobody@test.example>":
            self.setreply("550", "5.1.1", "nobody", "at all, 100%% sure")
            return Milter.REJECT
        return Milter.CONTINUE

    def body(self, block):
        self.octets += len(block)
        return Milter.CONTINUE

    def eom(self):
        self.addheader("X-Seen", f"{self.octets} octets, {self.getsymval('i')}")
        self.chgheader("Subject", 1, "marked")
        self.addrcpt("<archive@test.example>")
        self.chgfrom("<other@sender.example>")
        self.replacebody(b"another body\r\n")
        return Milter.ACCEPT


Milter.factory = Marking
Milter.set_flags(Milter.ADDHDRS | Milter.CHGHDRS | Milter.CHGBODY | Milter.ADDRCPT | Milter.CHGFROM)
Milter.runmilter("marking", sys.argv[1], 60)
