"""A real Postfix behind the gateway: configuration, queue and port of its own, nothing of the system's."""
import contextlib
import os
import pathlib
import shutil
import signal

from support import accepts, free_port, tool, wait_until

MAIN = """compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/postfix.log
maillog_file_prefixes = {folder}
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = inner.test.example
mydestination =
mynetworks = 127.0.0.0/8
alias_maps =
alias_database =
virtual_mailbox_domains = test.example
virtual_mailbox_base = {folder}/mail
virtual_mailbox_maps = inline:{{ user@test.example=user/ }}
virtual_minimum_uid = 1
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
virtual_mailbox_limit = 0
message_size_limit = 50000000
smtpd_client_connection_count_limit = 0
# On a busy machine one of its processes may fail to start in time: the next attempt comes after this.
service_throttle_time = 1s
# The content is compared octet by octet.
local_header_rewrite_clients =
always_add_missing_headers = no
smtpd_tls_security_level = may
smtpd_tls_cert_file = {certificate}/fullchain.pem
smtpd_tls_key_file = {certificate}/privkey.pem
smtpd_tls_session_cache_database =
{more}
"""

MASTER = """127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
error unix - - n - - error
pickup unix n - n 60 1 pickup
smtp unix - - n - - smtp
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
proxymap unix - - n - - proxymap
tlsmgr unix - - n 1000? 1 tlsmgr
postlog unix-dgram n - n - 1 postlogd
"""


class Postfix:
    """Started with the object, stopped by the cleanup it registers. Knows user@test.example. Needs root, as Postfix does. `host`
    is a network of the test's own (network.Host) that it is to run in."""

    def __init__(self, test, more="", host=None):
        self.port = free_port()
        self.folder = test.folder / f"postfix-{self.port}"
        for name in ("conf", "queue", "data", "mail"):
            (self.folder / name).mkdir(parents=True)
        shutil.chown(self.folder / "data", "postfix")
        shutil.chown(self.folder / "mail", "nobody")
        # A table that may grow; used where `more` names it.
        self.mailboxes = self.folder / "mailboxes"
        self.mailboxes.write_text("user@test.example user/\n")
        more = more.replace("{folder}", str(self.folder))
        (self.folder / "conf/main.cf").write_text(
            MAIN.format(folder=self.folder, certificate=test.certificate(), more=more))
        (self.folder / "conf/master.cf").write_text(MASTER.format(port=self.port))
        argv = [tool("postfix"), "-c", self.folder / "conf", "start-fg"]
        self.starter = test.start(self.folder.name, host.inside(*argv) if host else argv)
        test.addCleanup(self.stop)  # before the test's own cleanup: the master, not only the script that waits for it
        is_ready = (lambda: host.make(lambda: accepts(self.port))) if host else (lambda: accepts(self.port))
        wait_until("Postfix", lambda: is_ready() or not self.starter.is_running())
        test.assertTrue(self.starter.is_running(), self.starter.output())

    def stop(self):
        pid_file = self.folder / "queue/pid/master.pid"
        if not self.starter.is_running() or not pid_file.exists():
            return
        master = int(pid_file.read_text())
        with contextlib.suppress(ProcessLookupError):
            os.kill(master, signal.SIGTERM)
        self.starter.wait()

    def messages(self):
        """The delivered contents, with the CRLF that a maildir has as LF; what Postfix put on top is cut off."""
        found = []
        for file in sorted(pathlib.Path(self.folder / "mail").glob("user/new/*")):
            content = file.read_bytes().replace(b"\n", b"\r\n")
            found.append(content[content.index(b"X-Sallyport-Id: "):])
        return found

    def wait_for(self, count):
        return wait_until(f"{count} messages in the mailbox", lambda: len(self.messages()) >= count and self.messages())
