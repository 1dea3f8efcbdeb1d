"""The log of the running program: its target takes nothing, and its thread has no more rights than the others."""
import fcntl
import os
import pathlib
import subprocess
import threading
import unittest

from support import PATIENCE, PROGRAM, Client, GatewayTest, accepts, parse_log_line, wait_until

F_SETPIPE_SZ = 1031


class NobodyReads(GatewayTest):
    """stderr is a pipe with room for a few lines."""

    def start_with_pipe(self):
        self.upstream = self.sink()
        file = self.configuration(self.upstream.port, log={"target": "stderr"})
        reading, writing = os.pipe()
        fcntl.fcntl(writing, F_SETPIPE_SZ, 4096)
        self.reading = os.fdopen(reading, "rb")
        self.addCleanup(self.reading.close)
        gateway = subprocess.Popen([PROGRAM, "run", "-c", file], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=writing)
        os.close(writing)
        self.addCleanup(gateway.wait, PATIENCE)
        self.addCleanup(gateway.kill)
        wait_until("the gateway", lambda: accepts(self.port) or gateway.poll() is not None)
        self.assertIsNone(gateway.poll())
        return gateway

    def deliver(self, mails):
        with Client(self.port) as client:
            client.greet()
            for number in range(mails):
                client.mail(sender=f"ann{number}@sender.example")
                client.message("Subject: x\r\n\r\ny")
            client.ask("QUIT", 221)

    def test_mail_flows_and_the_end_comes(self):
        gateway = self.start_with_pipe()
        self.deliver(60)
        self.assertEqual(len(self.upstream.wait_for(60)), 60)
        gateway.terminate()
        self.assertEqual(gateway.wait(PATIENCE), 0)

    def test_the_lines_come_when_the_reader_does(self):
        gateway = self.start_with_pipe()
        self.deliver(60)
        text = []
        reader = threading.Thread(target=lambda: text.append(self.reading.read()))
        reader.start()
        self.deliver(1)
        gateway.terminate()
        self.assertEqual(gateway.wait(PATIENCE), 0)
        reader.join()
        lines = [parse_log_line(line) for line in text[0].decode().splitlines()]
        self.assertEqual([line["from"] for line in lines if line["event"] == "transaction"],
                         [f"<ann{number}@sender.example>" for number in [*range(60), 0]])
        self.assertEqual([line["event"] for line in lines if line["event"] != "transaction"],
                         ["ready", "stopping", "stopped"])


class Threads(GatewayTest):
    def test_each_thread_has_given_up_new_privileges(self):
        gateway = self.gateway(self.sink().port, workers=2)
        with Client(self.port) as client:
            client.greet()
            client.mail()
            client.message("Subject: x\r\n\r\ny")
        self.wait_for_log()
        tasks = {path.name: dict(line.split(":\t", 1) for line in (path / "status").read_text().splitlines()
                                 if ":\t" in line)
                 for path in pathlib.Path(f"/proc/{gateway.pid}/task").iterdir()}
        self.assertIn("log", [status["Name"] for status in tasks.values()])
        self.assertEqual({status["Name"]: status["NoNewPrivs"] for status in tasks.values()
                          if status["NoNewPrivs"] != "1"}, {})


if __name__ == "__main__":
    unittest.main(verbosity=2)
