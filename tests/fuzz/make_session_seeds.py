#!/usr/bin/env python3
"""Writes the seeds of fuzz_session: each kind of step, each row of the tables it chooses from, in a session that gets there.

    tests/fuzz/make_session_seeds.py        rewrites corpus/session/

The octets are what tests/unit/session/random_session.cpp reads; when that changes, run this again.
"""
import pathlib

CORPUS = pathlib.Path(__file__).resolve().parent / "corpus" / "session"

HELLO, MAIL, RCPT, DATA, CHUNK, SIMPLE, JUNK, STARTTLS, UPSTREAM, WAIT = 0, 2, 8, 15, 19, 23, 27, 28, 29, 30
ALONE, GROUPED = 1, 0
REJECTS_BARE, TLS, CHUNKING, LOCKSTEP, SIZED, POLICY, WATCHED, SPOOLS = (1 << bit for bit in range(8))
GREETED, IN_MAIL, IN_RECIPIENT = 1, 2, 3
SECURED, HANDSHAKES = 32, 128
LEAVES, RESETS = 4, 20


def world(flags=0, abilities=1, limits=0, beginning=IN_RECIPIENT):
    return bytes([flags, abilities, limits, beginning])


def row(index, rows):
    """What choose() takes for this row of a table: an octet over 127 that leaves the index."""
    return next(octet for octet in range(128, 256) if octet % rows == index)


def content(*pieces, head=0):
    return bytes([row(head, 5) if head else 0, len(pieces), *pieces])


def hello(index=0, flags=ALONE):
    return bytes([HELLO, flags, row(index, 11) if index else 0])


def mail(index=0, *parameters, flags=ALONE):
    count = [next(octet for octet in range(160, 256) if octet % 4 == len(parameters))] if parameters else [0]
    return bytes([MAIL, flags, row(index, SENDERS) if index else 0, *count, *parameters])


def rcpt(index=0, *parameters, flags=ALONE):
    count = [next(octet for octet in range(160, 256) if octet % 4 == len(parameters))] if parameters else [0]
    return bytes([RCPT, flags, row(index, RECIPIENTS) if index else 0, *count, *parameters])


def data(text=content(0), flags=ALONE):
    return bytes([DATA, flags]) + text


def chunk(text=content(0), flags=ALONE, last=True):
    return bytes([CHUNK, flags | (4 if last else 0)]) + text


def simple(index, flags=ALONE):
    return bytes([SIMPLE, flags, index])


SENDERS, RECIPIENTS, SIMPLE_LINES, GREETINGS = 44, 29, 28, 11
MAIL_PARAMETERS, RCPT_PARAMETERS, PIECES = 17, 6, 17


def seeds():
    yield "nothing", b""
    yield "one_mail", world() + data() + simple(6)
    for i in range(GREETINGS):
        yield f"hello_{i:02}", world(POLICY, beginning=0) + hello(i) + hello(0, 3) + hello(i) + mail() + rcpt() + data()
    for i in range(SENDERS):
        yield f"mail_{i:02}", world(POLICY | WATCHED, beginning=GREETED) + mail(i) + rcpt() + rcpt() + data() + mail() + rcpt()
    for i in range(RECIPIENTS):
        yield f"rcpt_{i:02}", world(POLICY | LOCKSTEP, beginning=IN_MAIL) + rcpt(i) + rcpt() + rcpt(i) + data()
        yield f"rcpt_grouped_{i:02}", world(TLS, beginning=IN_RECIPIENT) + rcpt(i, flags=GROUPED) + rcpt() + chunk()
    for i in range(MAIL_PARAMETERS):
        yield f"mail_parameter_{i:02}", world(SIZED, beginning=GREETED) + mail(0, i, flags=ALONE) + mail(0, 0, i) + rcpt() + data()
    for i in range(RCPT_PARAMETERS):
        yield f"rcpt_parameter_{i:02}", world(beginning=IN_MAIL) + rcpt(0, i) + rcpt(0, 3, i) + data()
    for i in range(PIECES):
        text = content(0, i, 0, i, 1, i)
        yield f"data_{i:02}", world(WATCHED) + data(text)
        yield f"data_rejecting_{i:02}", world(REJECTS_BARE) + data(text) + mail() + rcpt() + data()
        yield f"chunks_{i:02}", world(CHUNKING) + chunk(text, last=False) + chunk(content(i, i, head=1))
    for head in range(5):
        yield f"head_{head}", world(SPOOLS) + data(content(0, 13, head=head)) + mail() + rcpt() + chunk(content(head=head))
    for i in range(9):
        yield f"chunk_odd_{i}", world() + bytes([CHUNK, 8 | ALONE, 0, 0, i]) + simple(4) + mail()
    for size in (0, 3, 12, 19):
        yield f"chunk_large_{size:02}", world(SIZED) + bytes([CHUNK, 16 | ALONE, 0, 0, size]) + chunk() + rcpt() + simple(4) + mail()
    yield "chunk_empty", world() + bytes([CHUNK, 24 | ALONE, 0, 0]) + bytes([CHUNK, 28 | ALONE, 0, 0])
    yield "chunk_flood", world() + 8 * chunk(last=False)
    yield "recipients_many", world() + 10 * rcpt()
    yield "errors", world(limits=8) + 4 * simple(20)
    yield "junk_flood", world(limits=40) + 8 * simple(0)
    for i in range(SIMPLE_LINES):
        yield f"line_{i:02}", world(beginning=0) + simple(i) + hello() + simple(i, GROUPED) + simple(i)
        yield f"line_in_mail_{i:02}", world(TLS) + simple(i, GROUPED) + data()
    yield "junk", world() + bytes([JUNK, ALONE, 6]) + b"hello?" + bytes([JUNK, ALONE, 3]) + b"\xff\x01 "
    yield "starttls", world(TLS, beginning=GREETED) + bytes([STARTTLS, 3])
    yield "starttls_injected", world(TLS, beginning=GREETED) + bytes([STARTTLS, 18]) + mail()
    yield "starttls_required", world(TLS, 5, beginning=GREETED) + mail() + rcpt() + chunk() + simple(2) + simple(4)
    for i in (0, 4, 10, 13, 23, 26):
        yield f"starttls_and_line_{i:02}", world(TLS | POLICY, 1, HANDSHAKES, SECURED | IN_MAIL) + simple(i) + rcpt() + data()
    yield "starttls_in_mail", world(TLS, 1, HANDSHAKES, GREETED) + mail() + bytes([STARTTLS, 3]) + simple(4) + bytes([STARTTLS, 3]) + mail() \
        + hello() + bytes([STARTTLS, 3]) + mail() + rcpt() + chunk()
    yield "starttls_obeyed", world(TLS | POLICY, 5, HANDSHAKES, GREETED) + mail() + bytes([STARTTLS, 3]) + hello(6) + mail() + rcpt() + data()
    yield "starttls_leaves", world(TLS, 1, HANDSHAKES, SECURED | LEAVES | IN_RECIPIENT) + data()
    yield "data_at_once", world() + data(flags=3)
    yield "data_grouped", world() + bytes([DATA, 16]) + content(0) + rcpt()
    yield "upstream_hangs_up", world() + bytes([UPSTREAM, 3]) + rcpt() + data() + mail() + rcpt()
    yield "upstream_away", world() + bytes([UPSTREAM, 7]) + rcpt() + simple(4) + mail() + rcpt() + bytes([UPSTREAM, 1]) + rcpt() \
        + bytes([WAIT, 1]) + rcpt() + data()
    for beginning, name in ((LEAVES, "leaves"), (RESETS, "resets")):
        yield f"{name}_idle", world(beginning=beginning | GREETED) + mail() + rcpt()
        yield f"{name}_in_data", world(beginning=beginning | IN_RECIPIENT) + data()
        yield f"{name}_in_chunk", world(beginning=beginning | IN_RECIPIENT) + chunk()
    for plan in (32, 64, 68, 96):
        yield f"connect_plan_{plan}", world(POLICY, plan, plan & 4, beginning=IN_RECIPIENT) + data()
    yield "cut_everywhere", world() + bytes([MAIL, 65, 0, 0, 2, 7, 0, 30]) + bytes([DATA, 65]) + content(0, 7, 8) + bytes([2, 3, 0, 9, 1, 20])


def main():
    CORPUS.mkdir(parents=True, exist_ok=True)
    for old in CORPUS.iterdir():
        old.unlink()
    for name, octets in seeds():
        (CORPUS / name).write_bytes(octets)


main()
