"""Messages with another mail hidden behind octets that some servers take for the end of the first, and what becomes of them.

One server's line end is another's content: where the two of a pair disagree, the second one runs what it takes for commands
(threats.md, S1-S6).
"""
import json
import os
import pathlib
import re

from servers.messages import Message, with_header
from support import ROOT

CORPORA = pathlib.Path(os.environ.get("SALLYPORT_CORPORA", ROOT.parent / "shared/corpora"))
CORPUS = CORPORA / "smtp-smuggling/eod-sequences.json"

LOOK_ALIKES = [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r", b"\r.\r\n", b"\n.\r", b"\r.\n"]
VARIATIONS = [b"\n", b"\r", b"\r\r", b"\n\n", b"\n\r", b"\r\r\n", b"\n\r\n", b"\r\n\n", b"\r\n\r", b"\r\n..\n", b"\n..\n",
              b"\n..\r\n", b"\r\n.\r\r\n", b"\r\r\n.\r\r\n", b"\n\r\n.\n\r\n", b"\r\n.\n.\r\n.\n", b"\n.\n.\n",
              b"\r\n\n.\n", b"\x00", b"\r\n\x00.\r\n"]
INSIDE = (b"MAIL FROM:<smuggled@evil.example>\r\nRCPT TO:<victim@test.example>\r\nDATA\r\n"
          b"From: smuggled@evil.example\r\nSubject: smuggled\r\n\r\nsmuggled\r\n")


def of_the_corpus():
    """The sequences that others have collected, or nothing where they are not at hand."""
    if not CORPUS.exists():
        print("skipped: corpora not found")
        return []
    return [bytes.fromhex(entry["sequence_hex"]) for entry in json.loads(CORPUS.read_text())["sequences"]]


def attacks():
    sequences = dict.fromkeys([*LOOK_ALIKES, *VARIATIONS, *of_the_corpus()])
    return [Message("attack-" + sequence.hex(), with_header("attack " + sequence.hex(), b"first" + sequence + INSIDE))
            for sequence in sequences]


def decoded(sent, by_data):
    """What the content means (S1-S3, S7): only CRLF ends a line, a bare LF becomes one, a bare CR a space. By DATA, `sent`
    is on the wire before the final dot: a dot behind CRLF is the sender's stuffing, unless a bare CR or LF follows it."""
    if by_data:
        sent = re.sub(rb"(?:(?<=\r\n)|\A)\.(?!\n|\r(?!\n))", b"", sent)
    text = re.sub(rb"(?<!\r)\n", b"\r\n", re.sub(rb"\r(?!\n)", b" ", sent))
    return text if text.endswith(b"\r\n") else text + b"\r\n"


def is_refused(sent, rejects_bare):
    """The code of the refusal, or None."""
    if b"\0" in sent:
        return "550 5.6.0"
    if rejects_bare and re.search(rb"\r(?!\n)|(?<!\r)\n", sent):
        return "550 5.5.2"
    return None
