#!/usr/bin/env python3
"""./dev run: a gateway on 127.0.0.1:2525 in front of a small receiving server, both on this machine and nowhere else.

With --demo it also sends some twenty real mails (clean, listed, forged, signed, broken on the way, through a mailing list, for two
tenants), prints what became of each and why, and exits 0 only if every verdict was the one documented here.
"""
import argparse
import contextlib
import json
import os
import pathlib
import shutil
import signal
import smtplib
import socket
import ssl
import subprocess
import sys
import tempfile
import time

import signing

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = pathlib.Path(__file__).resolve().parent

# What the demonstration's DNS knows besides keys: a listed client, and senders that say who may send for them.
HERE_ONLY = {"TXT": ["v=spf1 ip4:127.0.0.0/8 -all"], "A": ["127.0.0.1"]}
ZONE = {
    "9.0.0.127.bl.demo.example": {"A": ["127.0.0.2"], "TXT": ["listed for the demonstration"]},
    "2.0.0.127.bl.demo.example": {"A": ["127.0.0.2"]},
    "strict.example": {"TXT": ["v=spf1 ip4:192.0.2.1 -all"], "A": ["192.0.2.1"]},
    "busy.example": HERE_ONLY,
    "bank.example": HERE_ONLY,
    "_dmarc.bank.example": {"TXT": ["v=DMARC1; p=reject; adkim=s; aspf=s"]},
    "lists.demo.example": HERE_ONLY,
    "unknown-list.example": HERE_ONLY,
}
# Who signs, and by which selector.
SIGNERS = {"bank.example": "s1", "lists.demo.example": "arc", "unknown-list.example": "arc"}

CONFIGURATION = """# Written by ./dev run.
hostname = "mx.demo.example"
domains  = ["example.com"]
user     = "nobody"

[upstreams.default]
servers = ["127.0.0.1:{sink}"]

# A second tenant: DNS lists only watch there, and a sender whom SPF denies is no more than a reason for doubt.
[tenants.default]
upstream = "default"
[tenants.acme]
domains = ["acme.example"]
[tenants.acme.policy]
dnsbl.mode = "shadow"
spf.on_fail = "score"
rules.mode = "off"

[[listen]]
address = "127.0.0.1:{port}"
tls     = "starttls"

[tls]
cert = [{{ chain = "{certs}/fullchain.pem", key = "{certs}/privkey.pem" }}, {{ chain = "{certs}/rsa/fullchain.pem", key = "{certs}/rsa/privkey.pem" }}]

[dns]
servers = ["127.0.0.1:{dns}"]

[limits]
message_size = "1MiB"

[policy.dnsbl]
zones."bl.demo.example".score = 9.0

[policy.rate]
mail_per_ip = "1000/1h"
rcpt_per_sender_domain = "3/1h"

[policy.spf]
on_fail = "reject"

[policy.arc]
trusted_sealers = ["lists.demo.example"]

[policy.rules]
path = "{rules}"

[state]
path = "{state}"

[admin]
listen = "{admin}"

[log]
target = "file:{log}"
"""


def plain(subject="Hello", extra="", body="How are you?", author="Ann <ann@sender.example>"):
    return f"From: {author}\r\nTo: bob@example.com\r\nSubject: {subject}\r\n{extra}\r\n{body}\r\n"


BANK = "The Bank <office@bank.example>"


def signed(keys):
    return signing.with_dkim(plain("Your statement", author=BANK), "bank.example", "s1", keys["bank.example"])


def through_a_list(keys, list_domain):
    """The signed mail as a mailing list hands it on: another subject, a line below, and the list's word on how it came."""
    changed = signed(keys).replace("Subject: ", "Subject: [members] ") + "-- \r\nThe list\r\n"
    results = "dkim=pass header.d=bank.example; spf=pass smtp.mailfrom=bank.example; dmarc=pass header.from=bank.example"
    return signing.with_arc(changed, list_domain, "arc", keys[list_domain], results)


def is_free(port):
    with contextlib.suppress(OSError), socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
        return True
    return False


class Refused(Exception):
    def __init__(self, stage, code, text):
        super().__init__(f"{code} {text}")
        self.stage, self.code, self.text = stage, code, text


def send(port, message, sender="ann@sender.example", recipient="bob@example.com", source="127.0.0.1", starttls=False,
         size=None):
    """Sends one mail and gives the final reply; what is refused, be it one of the recipients, is a Refused."""
    def check(stage, answer, good):
        code, text = answer
        if code not in good:
            raise Refused(stage, code, text.decode(errors="replace"))
        return f"{code} {text.decode(errors='replace')}"

    with smtplib.SMTP(source_address=(source, 0), timeout=30) as client:
        client._host = "mx.demo.example"  # the name for SNI
        check("connect", client.connect("127.0.0.1", port), (220,))
        check("EHLO", client.ehlo("client.sender.example"), (250,))
        if starttls:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            check("STARTTLS", client.starttls(context=context), (220,))
            client.ehlo("client.sender.example")
        check("MAIL", client.docmd("MAIL", f"FROM:<{sender}>" + (f" SIZE={size}" if size else "")), (250,))
        for one in [recipient] if isinstance(recipient, str) else recipient:
            check("RCPT", client.docmd("RCPT", f"TO:<{one}>"), (250, 251))
        check("DATA", client.docmd("DATA"), (354,))
        client.send(message.encode() + b".\r\n")
        return check("message", client.getreply(), (250,))


# name, what is sent, the documented verdict: "relay", "tag", "quarantine", or the code and enhanced code of the refusal. A message that has to
# be signed is a function of the keys. Each is sent from an address of its own, so that none counts for another.
LOOP = "".join(f"Received: from a by b{i}; Sun, 22 Nov 2026 12:00:00 +0000\r\n" for i in range(101))
DEMONSTRATION = [
    ("an ordinary mail", dict(message=plain()), "relay"),
    ("the same over TLS", dict(message=plain(), starttls=True), "relay"),
    ("a client on a blocklist", dict(message=plain(), source="127.0.0.9"), "550 5.7.1"),
    ("the same client, to postmaster", dict(message=plain(), source="127.0.0.9", recipient="postmaster@example.com",
                                            sender="ann@other.example"), "quarantine"),
    ("a domain that is not ours", dict(message=plain(), recipient="bob@elsewhere.example"), "550 5.7.1"),
    ("a user the mail server does not know", dict(message=plain(), recipient="nobody@example.com",
                                                  sender="ann@third.example"), "550 5.1.1"),
    ("a subject that a rule refuses", dict(message=plain("You have won the great lottery"), sender="a@fourth.example"),
     "550 5.7.1"),
    ("a newsletter, which a rule marks", dict(message=plain("News", "List-Unsubscribe: <mailto:x@sender.example>\r\n"),
                                              sender="a@fifth.example"), "tag"),
    ("a mail that is declared too large", dict(message=plain(), size=5000000), "552 5.3.4"),
    ("bare line feeds, put right", dict(message=plain(body="one\ntwo\n.\nthree"), sender="a@sixth.example"), "relay"),
    ("a mail that goes in circles", dict(message=plain(extra=LOOP), sender="a@seventh.example"), "554 5.4.6"),
    ("a sender domain over its rate", dict(message=plain(), sender="a@busy.example", times=4), "451 4.7.1"),
    ("a sender whom SPF does not allow", dict(message=plain(), sender="ann@strict.example"), "550 5.7.23"),
    ("a bank's mail with its DKIM signature", dict(message=signed, sender="news@sixth.example"), "relay"),
    ("the same, changed on the way (DMARC, p=reject)",
     dict(message=lambda keys: signed(keys).replace("How are", "Send money; how are"), sender="news@sixth.example"), "550 5.7.1"),
    ("the same through a mailing list that is trusted (ARC)",
     dict(message=lambda keys: through_a_list(keys, "lists.demo.example"), sender="owner@lists.demo.example"), "relay"),
    ("and through one that is not", dict(message=lambda keys: through_a_list(keys, "unknown-list.example"),
                                         sender="owner@unknown-list.example"), "550 5.7.1"),
    ("somebody who says he is the bank (DMARC)", dict(message=plain("Your account", author=BANK), sender="x@eighth.example"),
     "550 5.7.1"),
    ("the other tenant: a client on a blocklist", dict(message=plain(), source="127.0.0.9", recipient="eve@acme.example",
                                                       sender="ann@ninth.example"), "relay"),
    ("the other tenant: a sender whom SPF does not allow", dict(message=plain(), sender="ann@strict.example",
                                                                recipient="eve@acme.example"), "relay"),
    ("the other tenant: the lottery", dict(message=plain("You have won the great lottery"), sender="a@tenth.example",
                                           recipient="eve@acme.example"), "relay"),
    ("recipients of both tenants in one mail", dict(message=plain(), sender="a@eleventh.example",
                                                    recipient=["bob@example.com", "eve@acme.example"]), "452 4.5.3"),
]


class Demo:
    def __init__(self, program):
        self.program = program
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="sallyport-try-"))
        self.folder.chmod(0o755)
        self.started = []

    def start(self, name, argv):
        out = open(self.folder / f"{name}.out", "wb")
        process = subprocess.Popen([str(a) for a in argv], stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)
        self.started.append((name, process))
        return process

    def close(self):
        for _, process in reversed(self.started):
            if process.poll() is None:
                process.terminate()
        for _, process in reversed(self.started):
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(15)
        shutil.rmtree(self.folder, ignore_errors=True)

    def wait_for(self, port, banner=True):
        end = time.monotonic() + 15
        while time.monotonic() < end:
            for name, process in self.started:
                if process.poll() is not None:
                    sys.exit(f"{name} did not start:\n{(self.folder / f'{name}.out').read_text(errors='replace')}")
            with contextlib.suppress(OSError):
                with socket.create_connection(("127.0.0.1", port), timeout=1) as s:
                    if not banner or s.recv(3) == b"220":
                        return
            time.sleep(0.02)
        sys.exit(f"nothing answers on port {port}")

    def up(self, port, sink_port, dns_port, admin_port):
        self.admin = f"127.0.0.1:{admin_port}" if is_free(admin_port) else ""
        certs = self.folder / "certs"
        subprocess.run([ROOT / "certs/make-dev-certs.sh", certs, "mx.demo.example"], check=True, capture_output=True)
        self.keys = {domain: signing.Key(self.folder / f"{domain}.key") for domain in SIGNERS}
        published = {f"{selector}._domainkey.{domain}": {"TXT": [self.keys[domain].record()]}
                     for domain, selector in SIGNERS.items()}
        zone = self.folder / "zone.json"
        zone.write_text(json.dumps({**ZONE, **published}))
        self.store = self.folder / "mail"
        self.log = self.folder / "gateway.log"
        self.config = self.folder / "sallyport.toml"
        self.config.write_text(CONFIGURATION.format(port=port, sink=sink_port, dns=dns_port, certs=certs, log=self.log,
                                                    rules=HERE / "rules", state=self.folder / "state",
                                                    admin=self.admin))
        self.start("dns", [sys.executable, ROOT / "tests/support/dns_server.py", zone, "--port", dns_port])
        self.start("sink", [self.program, "sink", "--listen", f"127.0.0.1:{sink_port}", "--dump", self.store,
                            "--reject-rcpt", "^nobody@"])
        self.wait_for(sink_port)
        self.start("gateway", [self.program, "run", "-c", self.config])
        self.wait_for(port)

    def story_of(self, seen, mails):
        """The log line of the last of so many mails or refused connections after `seen` lines."""
        end = time.monotonic() + 5
        while time.monotonic() < end:
            lines = self.log.read_text(errors="replace").splitlines()
            for event in (" event=transaction ", " event=connection ", " event=violation "):
                found = [line for line in lines[seen:] if event in line]
                if len(found) >= mails:
                    return found[-1]
            time.sleep(0.02)
        return ""

    def demonstrate(self, port):
        wrong = 0
        for number, (what, mail, documented) in enumerate(DEMONSTRATION, 1):
            mail = {"source": f"127.0.1.{number}", **mail}
            times = mail.pop("times", 1)
            if callable(mail["message"]):
                mail["message"] = mail["message"](self.keys)
            seen = len(self.log.read_text(errors="replace").splitlines())
            reply = verdict = ""
            for _ in range(times):
                try:
                    reply = send(port, **mail)
                    verdict = "relay"
                except Refused as refusal:
                    reply = str(refusal)
                    verdict = " ".join(reply.split()[:2])
            story = self.story_of(seen, times)
            for marked in ("tag", "quarantine"):
                if verdict == "relay" and f" verdict={marked} " in story:
                    verdict = marked
            check = (story.partition(" check=")[2] or story.partition(" kind=")[2]).split(" ")[0].strip('"') or "-"
            good = verdict == documented
            wrong += not good
            print(f"{'ok  ' if good else 'BAD '} {what}\n       {reply}\n       verdict {verdict}, check {check}"
                  + ("" if good else f", documented: {documented}"))
        print(f"\n{len(DEMONSTRATION) - wrong} of {len(DEMONSTRATION)} as documented")
        return 1 if wrong else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--program", type=pathlib.Path, required=True)
    parser.add_argument("--demo", action="store_true", help="send some twenty mails, show each verdict, and end")
    parser.add_argument("--port", type=int, default=2525)
    parser.add_argument("--admin-port", type=int, default=8080)
    args = parser.parse_args()
    demo = Demo(args.program.resolve())
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        demo.up(args.port, args.port + 75, args.port + 76, args.admin_port)
        if args.demo:
            return demo.demonstrate(args.port)
        figures = f"figures and health at http://{demo.admin}/" if demo.admin else f"no figures: port {args.admin_port} is taken (--admin-port)"
        print(f"""
The gateway listens on 127.0.0.1:{args.port} (STARTTLS), in front of a receiving server that keeps its mail in
  {demo.store}
Its configuration is {demo.config}, its log {demo.log}; {figures}

Try, in another terminal:
  swaks --server 127.0.0.1:{args.port} --tls --from ann@sender.example --to bob@example.com
  swaks --server 127.0.0.1:{args.port} --from ann@sender.example --to bob@example.com --header "Subject: You have won the lottery"
  {args.program} stats -c {demo.config}
  tail -f {demo.log}

Ctrl-C ends all of it and removes the folder.""", flush=True)
        while all(process.poll() is None for _, process in demo.started):
            time.sleep(0.5)
        ended = [name for name, process in demo.started if process.poll() is not None]
        print(f"ended: {', '.join(ended)}")
        return 1
    except KeyboardInterrupt:
        return 0
    finally:
        demo.close()


sys.exit(main())
