#!/usr/bin/env python3
"""Slow clients (threats.md R1, R2), scarce memory and scarce places (R3), against the running program."""
import re
import time
import unittest

from support import PATIENCE, PROGRAM, Client, GatewayTest, run, wait_until


class PressureTest(GatewayTest):
    def client(self):
        client = Client(self.port)
        self.addCleanup(client.socket.close)
        return client

    def greeted(self):
        client = self.client()
        client.greet()
        return client

    def gauge(self, name):
        return self.stats()[f"sallyport_{name}"]

    def trickle(self, client, octets, interval=0.25, patience=20):
        """Sends these octets again and again until the gateway says something; gives that."""
        client.socket.settimeout(interval)
        end = time.monotonic() + patience
        while time.monotonic() < end:
            client.send(octets)
            try:
                return client.reply()
            except TimeoutError:
                continue
        self.fail("nothing was said")


class Slow(PressureTest):
    def test_in_every_state(self):
        sink = self.sink()
        self.gateway(sink.port, timeouts={"greeting": "2s", "command": "2s", "data_block": "30s", "data_rate_after": "3s"},
                     limits={"data_rate": "400"})

        def silent_from_the_first():
            client = self.client()
            client.expect(220)
            return client.reply()

        def half_a_line():
            client = self.greeted()
            return self.trickle(client, "x")

        def silent_in_a_mail():
            client = self.greeted()
            client.mail()
            return client.reply()

        def content():
            client = self.greeted()
            client.mail()
            client.ask("DATA", 354)
            return self.trickle(client, "some\r\n")

        def chunk():
            client = self.greeted()
            client.mail()
            client.send("BDAT 100000\r\n")
            return self.trickle(client, "some\r\n")

        def chunks():
            client = self.greeted()
            client.mail()
            client.socket.settimeout(20)
            for _ in range(30):
                client.send("BDAT 6\r\nsome\r\n")
                reply = client.reply()
                if not reply.startswith("250"):
                    return reply
                time.sleep(0.25)
            self.fail("chunks may come at any pace")

        states = [silent_from_the_first, half_a_line, silent_in_a_mail, content, chunk, chunks]
        for count, state in enumerate(states, 1):
            with self.subTest(state.__name__):
                self.assertRegex(state(), r"^421 4\.4\.2 ")
                self.assertEqual(self.violations("slow_client"), count)
        self.assertEqual(sink.messages(), [])
        for line in self.log_lines()[-3:]:
            self.assertEqual((line["verdict"], line["check"]), ("tempfail", "slow_client"))
            self.assertRegex(line["because"], r"^\d+ octets in \d+ s$")

    def test_quick_enough(self):
        sink = self.sink()
        self.gateway(sink.port, timeouts={"data_rate_after": "1s"}, limits={"data_rate": "100"})
        client = self.greeted()
        client.mail()
        client.ask("DATA", 354)
        for _ in range(12):
            client.send("0123456789" * 5 + "\r\n")
            time.sleep(0.25)
        client.send(".\r\n")
        client.expect(250)
        self.assertEqual(len(sink.wait_for(1)), 1)

    def test_one_that_reads_nothing(self):
        """Commands are obeyed as long as their replies are read: what waits to be sent is bounded."""
        self.gateway(self.sink().port, timeouts={"command": "3s"}, limits={"junk_commands": 1000000, "errors_per_session": 1000000})
        client = self.greeted()
        before = self.memory()
        client.socket.settimeout(2)
        sent = 0
        try:
            while sent < 50_000_000:
                sent += client.socket.send(b"HELP\r\n" * 2000)
        except TimeoutError:
            pass
        self.assertLess(sent, 50_000_000)
        if PATIENCE <= 20:  # sanitizers keep what was freed
            self.assertLess(self.memory() - before, 1 << 20)
        wait_until("the end of its session", lambda: self.violations("slow_client") == 1)

    def memory(self):
        return memory_of(self.gateway_process.pid)


def memory_of(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return int(re.search(r"VmRSS:\s+(\d+) kB", status.read())[1]) * 1024


class Places(PressureTest):
    def test_four_fifths_of_all(self):
        self.fill_places(10)

    def test_four_fifths_of_more(self):
        self.fill_places(30)

    def fill_places(self, sessions):
        self.gateway(self.sink().port, limits={"sessions": sessions}, timeouts={"under_pressure": "3s"})
        inside = [self.greeted() for _ in range(sessions * 8 // 10)]
        reply = self.client().reply()
        self.assertRegex(reply, r"^421 4\.3\.2 mx\.test\.example .* \(id \w+\)$")
        line = self.wait_for_log("connection")[-1]
        self.assertEqual((line["verdict"], line["check"], line["code"]), ("tempfail", "resource", "421"))
        self.assertEqual(self.faults("resource"), 1)
        pressure, = self.wait_for_log("pressure")
        self.assertEqual((pressure["pressure"], pressure["sessions"]), ("high", "80"))
        self.assertEqual(self.gauge("pressure_percent"), 80)

        # Who says nothing makes room for others; who speaks stays.
        busy = inside[0]
        end = time.monotonic() + 4.5
        while time.monotonic() < end:
            busy.ask("NOOP", 250)
            time.sleep(0.5)
        for silent in inside[1:]:
            self.assertRegex(silent.reply(), r"^421 4\.4\.2 ")
        self.assertEqual(self.violations("slow_client"), len(inside) - 1)
        busy.mail()
        busy.message("Subject: x\r\n\r\ny")
        self.greeted()
        self.assertEqual(self.wait_for_log("pressure", 2)[-1]["pressure"], "none")

    def test_trusted_clients_have_the_rest(self):
        self.gateway(self.sink().port, limits={"sessions": 10}, trusted={"networks": ["127.0.0.9"]})
        inside = [self.greeted() for _ in range(8)]
        self.client().expect(421)
        own = [Client(self.port, source="127.0.0.9") for _ in range(3)]
        for client in own:
            self.addCleanup(client.socket.close)
        self.assertEqual([client.reply()[:9] for client in own], ["220 mx.te", "220 mx.te", "421 4.7.0"])
        self.assertEqual(len(inside), 8)


class Memory(PressureTest):
    ROOM = 48 << 20
    CONTENT = b"Subject: x\r\n\r\n" + (b"0123456789" * 7 + b"\r\n") * 3800  # a little more than memory_per_message

    def set_memory(self, octets):
        text = self.text.replace('"limits" = {', "").replace("limits = {", f'limits = {{ "memory" = "{octets}", ', 1)
        self.file.write_text(text)
        self.assertEqual(run([PROGRAM, "reload", "-c", self.file]).returncode, 0)

    def in_content(self):
        client = self.greeted()
        client.mail()
        client.ask("DATA", 354)
        return client

    @unittest.skipIf(PATIENCE > 20, "a sanitizer's own memory would be most of what is measured")
    def test_it_is_counted_and_given_back(self):
        sink = self.sink("--quiet")
        self.file = self.configuration(sink.port, limits={"sessions_per_ip": 10000})
        self.text = self.file.read_text()
        self.start_gateway(self.file)
        base = memory_of(self.gateway_process.pid)
        self.set_memory(base + self.ROOM)
        spare = [self.greeted() for _ in range(2)]
        clients = [self.in_content() for _ in range(150)]
        for client in clients[:80]:
            client.send(self.CONTENT)
        wait_until("what they hold", lambda: self.gauge("held_bytes") > 80 * (256 << 10) * 9 // 10)
        self.assertLess(self.gauge("held_bytes"), 81 * (256 << 10))
        self.assertEqual(self.log_lines("pressure"), [])
        for client in clients[80:]:
            client.send(self.CONTENT)
        wait_until("pressure", lambda: self.gauge("pressure_percent") >= 80)
        self.assertRegex(self.client().reply(), r"^421 4\.3\.2 ")
        self.assertIn(self.wait_for_log("pressure")[0]["pressure"], ("high", "full"))
        # Mails of those inside go on, and take less of it.
        held = self.gauge("held_bytes")
        spare[0].mail()
        spare[0].ask("DATA", 354)
        spare[0].send(self.CONTENT)
        wait_until("more of it", lambda: self.gauge("held_bytes") > held)
        time.sleep(0.5)
        self.assertLess(self.gauge("held_bytes") - held, 160 << 10)
        # Nearly nothing is left.
        self.set_memory(base + self.ROOM * 3 // 4)
        wait_until("more pressure", lambda: self.gauge("pressure_percent") >= 95)
        self.assertRegex(spare[1].ask("MAIL FROM:<ann@sender.example>", 452), r"^452 4\.3\.1 .*\(id \w+\)$")
        refused = self.wait_for_log()[-1]
        self.assertEqual((refused["verdict"], refused["check"], refused["stage"]), ("tempfail", "resource", "mail"))
        spare[0].send(b"\r\n.\r\n")
        spare[0].expect(250)
        for client in clients:
            client.socket.close()
        wait_until("the end of the pressure", lambda: self.gauge("held_bytes") == 0 and self.gauge("pressure_percent") < 80)
        spare[1].mail()
        spare[1].message("Subject: x\r\n\r\ny")
        self.greeted()
        self.assertEqual(self.wait_for_log("pressure", 3)[-1]["pressure"], "none")
        self.assertEqual(len(sink.wait_for(2)), 2)


if __name__ == "__main__":
    unittest.main()
