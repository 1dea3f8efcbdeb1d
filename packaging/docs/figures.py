"""What /metrics says: asked of a gateway that runs for that moment, on the loopback, in a folder that is removed. So the page has what is served, with
every family that a configuration can bring: an upstream, a tenant, a DNS list, a rule."""
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

PATIENCE = 30  # seconds

CONFIGURATION = """hostname = "mx1.example.com"
workers  = 1
user     = "nobody"
[[listen]]
address  = "127.0.0.1:{smtp}"
[tls]
cert     = {{ chain = "{folder}/fullchain.pem", key = "{folder}/privkey.pem" }}
[dns]
servers  = ["127.0.0.1:9"]
[upstreams.mail]
servers  = ["127.0.0.1:9"]
[tenants.example]
domains  = ["example.com"]
upstream = "mail"
[policy.dnsbl]
zones."bl.example".score = 8.0
[policy.rules]
path     = "{folder}/rules"
[admin]
listen   = "127.0.0.1:{admin}"
[state]
path     = "{folder}/state"
[log]
target   = "file:{folder}/logs/log"
"""
RULE = 'require("sallyport").rule { name = "EXAMPLE", stage = "message", run = function() end }\n'


def free_ports():
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        return one.getsockname()[1], other.getsockname()[1]


def prepare(folder):
    smtp, admin = free_ports()
    folder.chmod(0o755)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "90", "-subj", "/CN=mx1.example.com",
                    "-addext", "subjectAltName=DNS:mx1.example.com", "-keyout", folder / "privkey.pem", "-out", folder / "fullchain.pem"],
                   check=True, capture_output=True)
    (folder / "privkey.pem").chmod(0o600)
    for name in ("rules", "logs"):
        (folder / name).mkdir()
    (folder / "rules/example.lua").write_text(RULE)
    if os.geteuid() == 0:
        shutil.chown(folder / "privkey.pem", "nobody")
        shutil.chown(folder / "logs", "nobody")
    file = folder / "sallyport.toml"
    file.write_text(CONFIGURATION.format(smtp=smtp, admin=admin, folder=folder).replace(f"file:{folder}/logs/log", f"file:{folder}/logs/log"))
    return file, admin


def ask(admin, processes):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and all(process.poll() is None for process in processes):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{admin}/metrics", timeout=5) as answer:
                text = answer.read().decode()
            if "sallyport_transactions_total" in text:
                return text
        except (OSError, urllib.error.URLError):
            pass
        time.sleep(0.1)
    return None


def of_a_running_gateway(program):
    """The text of /metrics. Ends the making of the site, with what the gateway said, when there is none."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        file, admin = prepare(folder)
        with open(folder / "output", "w") as output:
            processes = []
            try:
                for command in ("run", "admin"):
                    processes.append(subprocess.Popen([program, command, "-c", file], stdout=output, stderr=output))
                text = ask(admin, processes)
            finally:
                for process in reversed(processes):
                    process.terminate()
                    process.wait()
        if text is None:
            sys.exit(f"docs: a gateway that was to tell its figures has not:\n{(folder / 'output').read_text()}")
    return text
