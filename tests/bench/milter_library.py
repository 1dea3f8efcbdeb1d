#!/usr/bin/env python3
"""One filter, compiled once, on libsallyport-milter and on libmilter: messages a second, CPU per message, and the memory of
5,000 idle connections. `./dev bench milter_library` runs it.

The runs of both take turns, and each figure is the median: other users of the machine hardly move the ratios.
"""
import argparse
import contextlib
import os
import pathlib
import resource
import statistics
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/integration"))

MACROS = b"Cj\0mx.test.example\0{daemon_name}\0smtpd\0{daemon_addr}\000127.0.0.1\0v\0Postfix 3.7.11\0_\0client [192.0.2.1]\0"
MESSAGES = 4000
IDLE = 5000


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_kib(pid):
    """All that is resident, and what of it is the process's own: not pages of files, which others share or which may go."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return [int(status.split(f"{name}:")[1].split()[0]) for name in ("VmRSS", "RssAnon")]


def greet(mta, milter):
    mta.say(b"O", milter.OFFER)
    mta.send((b"D", MACROS))
    mta.say(*milter.CONNECT)


def messages(mta, milter, count):
    for number in range(count):
        queue_id = b"i\0%08X\0" % number
        mta.send((b"D", b"M" + queue_id + b"{mail_addr}\0a@b\0"))
        mta.say(*milter.MAIL)
        mta.send((b"D", b"R" + queue_id + b"{rcpt_addr}\0r@b\0"))
        mta.say(*milter.RCPT)
        for field in range(12):
            mta.say(b"L", b"Field-%d\0a value of some octets\0" % field)
        mta.say(b"N")
        mta.say(b"B", b"x" * 4000)
        mta.send((b"D", b"E" + queue_id))
        mta.say(b"E")


def run_messages(milter, library, connections):
    with milter.Filter(library=library) as running, contextlib.ExitStack() as open_ones:
        mtas = [open_ones.enter_context(running.connect()) for _ in range(connections)]
        for mta in mtas:
            greet(mta, milter)
        cpu, begin, children = cpu_seconds(running.process.pid), time.monotonic(), []
        for mta in mtas:
            child = os.fork()
            if child == 0:
                messages(mta, milter, MESSAGES // connections)
                os._exit(0)
            children.append(child)
        if any(os.waitpid(child, 0)[1] for child in children):
            sys.exit("an MTA has failed")
        seconds = time.monotonic() - begin
        return MESSAGES / seconds, (cpu_seconds(running.process.pid) - cpu) / MESSAGES * 1e6


def run_idle(milter, library):
    with milter.Filter(library=library) as running, contextlib.ExitStack() as open_ones:
        greet(open_ones.enter_context(running.connect()), milter)
        before = memory_kib(running.process.pid)
        for _ in range(IDLE - 1):
            greet(open_ones.enter_context(running.connect()), milter)
        resident, own = memory_kib(running.process.pid)
        return {"more than with one": resident - before[0], "the whole process's own": own, "resident": resident}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    os.environ["SALLYPORT_MILTER_LIBRARY"] = str(args.build.resolve() / "libmilter")
    os.environ["SALLYPORT_OBEDIENT_FILTER"] = str(args.build.resolve() / "tests/integration/obedient_filter")
    import milter_mta as milter
    if not milter.DEBIANS.exists():
        sys.exit("no libmilter1.0.1 here to compare with")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    libraries = {"libsallyport-milter": milter.LIBRARY, "libmilter": None}
    for connections in 1, 8:
        found = {name: [] for name in libraries}
        for _ in range(args.repeats):
            for name, library in libraries.items():
                found[name].append(run_messages(milter, library, connections))
        for name, runs in found.items():
            speed, cpu = (statistics.median(column) for column in zip(*runs))
            print(f"{connections} connections  {name:20} {speed:7.0f} messages/s {cpu:7.0f} us CPU per message", flush=True)
    idle = {name: [run_idle(milter, library) for _ in range(args.repeats)] for name, library in libraries.items()}
    for what in idle["libmilter"][0]:
        kib = {name: statistics.median(run[what] for run in runs) for name, runs in idle.items()}
        print(f"{IDLE} idle  {what:24} " + "  ".join(f"{name} {size:6.0f} KiB" for name, size in kib.items()) +
              f"  {kib['libsallyport-milter'] / kib['libmilter']:.0%}", flush=True)


main()
