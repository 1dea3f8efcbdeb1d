"""The supervising process: it keeps the sockets, and replaces what serves (threats.md I10, R10, R13)."""
import contextlib
import os
import pathlib
import re
import signal
import socket
import statistics
import subprocess
import sys
import threading
import time
import unittest

from milter_mta import OFFER, Mta
from support import (PROGRAM, Client, GatewayTest, accepts, children_of, free_port, is_alive, run, wait_until)


class Supervised(GatewayTest):
    expects_deaths = True

    def kill_serving(self, number=signal.SIGKILL):
        """Gives the process that has taken the place."""
        dead = self.gateway_process.pid
        os.kill(dead, number)
        return wait_until("another serving process", lambda: [
            child for child in children_of(self.gateway_process.process.pid) if child != dead])[0]

    def deliver(self, subject="x"):
        with Client(self.port) as client:
            client.greet()
            client.mail()
            client.message(f"Subject: {subject}\r\n\r\ny")


class Load:
    """Clients on several connections at once, each with numbered mails, one connection a mail; what came of each."""

    def __init__(self, port, clients=8):
        self.port, self.over = port, threading.Event()
        self.acknowledged, self.cut, self.refused, self.put_off, self.slow = [], [], [], [], []
        self.threads = [threading.Thread(target=self.run, args=(number,)) for number in range(clients)]
        for thread in self.threads:
            thread.start()

    def run(self, number):
        count = 0
        while not self.over.is_set():
            count += 1
            name = f"mail-{number}-{count}"
            began = time.monotonic()
            try:
                with Client(self.port) as client:
                    client.greet()
                    client.mail()
                    client.message(f"Subject: {name}\r\n\r\ny")
                    self.acknowledged.append(name)
            except ConnectionRefusedError:
                self.refused.append(name)
            except AssertionError as error:
                self.put_off.append(f"{name}: {error}")
            except (EOFError, OSError) as error:
                self.cut.append(f"{name}: {error!r}")
            self.slow.append(time.monotonic() - began)

    def stop(self):
        self.over.set()
        for thread in self.threads:
            thread.join()


class Deaths(Supervised):
    def test_killed_under_load(self):
        sink = self.sink()
        self.gateway(sink.port, workers=2, limits={"sessions_per_ip": 10000})
        load = Load(self.port)
        deaths = 5
        spans = []
        try:
            for death in range(deaths):
                time.sleep(0.7)
                began = time.monotonic()
                dead = self.gateway_process.pid
                os.kill(dead, signal.SIGKILL)
                wait_until("its end", lambda dead=dead: not is_alive(dead))
                with Client(self.port) as client:
                    client.expect(220)
                spans.append(time.monotonic() - began)
                self.wait_for_log("restarted", death + 1)
        finally:
            load.stop()
        # One of them may have met a machine that was busy with something else.
        self.assertLess(statistics.median(spans), 1, spans)
        self.assertLess(max(spans), 2, spans)
        self.assertEqual(load.refused, [])
        self.assertEqual(load.put_off, [])
        self.assertGreater(len(load.acknowledged), 20)
        stored = "".join(str(message) for message in sink.messages())
        self.assertEqual([name for name in load.acknowledged if f"{name}\\r" not in stored and f"{name}\n" not in stored
                          and f"{name}\r" not in stored and f"{name}\\n" not in stored], [], "acknowledged and lost")
        self.assertEqual({line["detail"] for line in self.log_lines("restarted")}, {"signal 9 (Killed)"})

    def test_who_connects_between_two_waits_and_is_served(self):
        sink = self.sink()
        self.gateway(sink.port, workers=2)
        dead = self.gateway_process.pid
        os.kill(dead, signal.SIGKILL)
        clients = [socket.create_connection(("127.0.0.1", self.port), timeout=5) for _ in range(40)]
        for client in clients:
            self.assertTrue(client.recv(100).startswith(b"220 "))
            client.close()

    def test_a_new_process_has_another_layout(self):
        self.gateway(free_port())
        layouts = set()
        for _ in range(2):
            maps = pathlib.Path(f"/proc/{self.gateway_process.pid}/maps").read_text()
            layouts.add(re.search(r"(?m)^(\w+)-\w+ r-.p 0+ .*/sallyport", maps)[1])
            self.kill_serving()
            with Client(self.port) as client:
                client.expect(220)
        self.assertEqual(len(layouts), 2)

    def test_it_waits_longer_and_longer_where_none_becomes_ready(self):
        gateway = self.gateway(free_port())
        file = self.folder / "sallyport.toml"
        text = file.read_text()
        file.write_text(text + "nonsense = 1\n")
        os.kill(gateway.pid, signal.SIGKILL)
        said = wait_until("three failures", lambda: (
            lines := re.findall(r"exit status 78; another one takes its place in (\S+)", gateway.output())) and
            len(lines) >= 3 and lines)
        self.assertEqual(said[:3], ["500ms", "1s", "2s"])
        self.assertTrue(accepts(self.port), "the sockets are kept")
        file.write_text(text)
        with Client(self.port) as client:
            client.expect(220)
        self.assertEqual(gateway.stop(), 0)

    def test_a_loop_that_stands_still_is_noticed(self):
        gateway = self.gateway(free_port())
        stopped = gateway.pid
        os.kill(stopped, signal.SIGSTOP)
        wait_until("the end of the one that stands still", lambda: not is_alive(stopped), 30)
        with Client(self.port) as client:
            client.expect(220)
        self.assertIn("has not turned", gateway.output())
        self.assertEqual(gateway.stop(), 0)


class Ends(Supervised):
    def test_it_ends_with_its_supervisor(self):
        gateway = self.gateway(free_port(), workers=2)
        serving = gateway.pid
        for _ in range(3):
            gateway.process.kill()
            gateway.process.wait(10)
            gateway = self.start_gateway(self.folder / "sallyport.toml")  # the ports and the state are free
            self.assertFalse(is_alive(serving))
            serving = gateway.pid
        self.assertEqual(gateway.stop(), 0)

    def test_signals_to_all_processes_of_a_group_count_once(self):
        sink = self.sink()
        gateway = self.gateway(sink.port)
        client = Client(self.port)
        client.greet()
        client.mail()
        client.ask("DATA", 354)
        for pid in (gateway.process.pid, gateway.pid):
            os.kill(pid, signal.SIGTERM)
        wait_until("a drain", lambda: not accepts(self.port))
        client.send("Subject: x\r\n\r\ny\r\n.\r\n")
        client.expect(250)
        client.socket.close()
        self.assertEqual(gateway.wait(), 0)
        self.assertEqual(self.log_lines("stopped")[0]["cut"], "0")

    def test_it_can_be_ended_while_nobody_serves(self):
        gateway = self.gateway(free_port())
        file = self.folder / "sallyport.toml"
        file.write_text("nonsense = 1\n" + file.read_text())
        os.kill(gateway.pid, signal.SIGKILL)
        wait_until("a failure", lambda: "exit status 78" in gateway.output())
        self.assertEqual(gateway.stop(), 0)

    def test_listeners_of_a_reload_are_kept_and_those_gone_are_refused(self):
        gateway = self.gateway(free_port())
        file = self.folder / "sallyport.toml"
        first, second = self.port, free_port()
        text = file.read_text()
        file.write_text(text.replace(f"127.0.0.1:{first}", f"127.0.0.1:{second}"))
        self.assertEqual(run([PROGRAM, "reload", "-c", file]).returncode, 0)
        wait_until("no listener at the old address", lambda: not accepts(first))
        os.kill(gateway.pid, signal.SIGKILL)
        with Client(second) as client:  # at once: the socket has been kept
            client.expect(220)
        self.assertFalse(accepts(first))
        self.assertEqual(gateway.stop(), 0)


LAUNCHER = """
import os, socket, sys
sockets = []
for address in sys.argv[1].split(","):
    one = socket.socket(socket.AF_UNIX if address.startswith("/") else socket.AF_INET)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    host, _, port = address.partition(":")
    one.bind((host, int(port)) if port else host)
    one.listen(100)
    sockets.append(one)
copies = [os.dup(one.fileno()) for one in sockets]
high = [os.dup2(number, 100 + i) for i, number in enumerate(copies)]
for i, number in enumerate(high):
    os.dup2(number, 3 + i, inheritable=True)
for number in high:
    os.close(number)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(sockets)))
keeper = os.fork()
if keeper == 0:
    os.close(1)
    __import__("time").sleep(60)
    os._exit(0)
print(keeper, flush=True)
os.environ["LISTEN_PID"] = str(os.getpid())
os.execv(sys.argv[2], sys.argv[2:])
"""


class SocketUnits(Supervised):
    """A small launcher stands for systemd: it binds, and a child of it keeps the sockets as systemd does."""

    def launch(self, file, *addresses):
        process = self.start("gateway", [sys.executable, "-c", LAUNCHER, ",".join(addresses), PROGRAM, "run", "-c", file])
        keeper = int(wait_until("the launcher", process.out.read_text))

        def end_keeper():
            with contextlib.suppress(OSError):
                os.kill(keeper, signal.SIGKILL)
        self.addCleanup(end_keeper)
        self.gateway_process = process
        self.keeper = keeper
        return process

    def serving(self):
        return [child for child in children_of(self.gateway_process.process.pid) if child != self.keeper][0]

    def test_it_serves_on_sockets_of_systemd_through_deaths_and_ends(self):
        sink = self.sink()
        file = self.configuration(sink.port, workers=2)
        gateway = self.launch(file, f"127.0.0.1:{self.port}")
        self.wait_for_log("ready")
        self.deliver("one")
        os.kill(self.serving(), signal.SIGKILL)
        with Client(self.port) as client:
            client.expect(220)
        self.deliver("two")
        self.assertEqual(len(sink.wait_for(2)), 2)
        gateway.signal(signal.SIGTERM)
        self.assertEqual(gateway.wait(), 0)
        with socket.create_connection(("127.0.0.1", self.port), timeout=5):
            pass  # it waits for the next start

    def test_a_unix_domain_socket_for_an_mta(self):
        place = str(self.folder / "judge.sock")
        file = self.configuration({}, listen=[{"address": f"unix:{place}", "protocol": "milter"}], tls=None, workers=2)
        gateway = self.launch(file, place)
        self.wait_for_log("ready")
        for number in range(8):
            if number == 4:
                os.kill(self.serving(), signal.SIGKILL)
            with Mta(place) as mta:
                mta.say(b"O", OFFER)
                self.assertEqual(mta.say(b"C", b"client.example\0004\x30\x39192.0.2.7\0"), [b"c"])
        gateway.signal(signal.SIGTERM)
        self.assertEqual(gateway.wait(), 0)
        self.assertTrue(os.path.exists(place))  # systemd's

    def test_a_socket_that_nobody_names_is_an_error(self):
        file = self.configuration(free_port())
        other = free_port()
        gateway = self.launch(file, f"127.0.0.1:{self.port}", f"127.0.0.1:{other}")
        self.assertEqual(gateway.wait(), 78)
        self.assertRegex(gateway.output(), rf"a socket for 127.0.0.1:{other}, which no \[\[listen\]\] names")


class Watched(Supervised):
    def test_what_systemd_hears_comes_from_the_main_process(self):
        path = self.folder / "notify"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
            ear.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
            ear.bind(str(path))
            path.chmod(0o777)
            ear.settimeout(10)
            file = self.configuration(free_port())
            gateway = self.start("gateway", [PROGRAM, "run", "-c", file],
                                 env={**os.environ, "NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "3000000"})
            heard = set()
            while not {"READY=1", "WATCHDOG=1"} <= heard:
                text, ancillary, *_ = ear.recvmsg(4096, 64)
                self.assertEqual(int.from_bytes(ancillary[0][2][:4], sys.byteorder), gateway.process.pid)
                heard |= set(text.decode().split("\n"))
            gateway.signal(signal.SIGTERM)
            while "STOPPING=1" not in heard:
                heard |= set(ear.recv(4096).decode().split("\n"))
            self.assertEqual(gateway.wait(), 0)


if __name__ == "__main__":
    unittest.main()
