"""What goes over a broker, held to docs/api/asyncapi.yaml: a listener of its own beside the test's.

conftest.py has every broker that lets anybody in overheard. What punchd says must be so; what terminals
say need not, since many tests play bad ones: Hand compares what it sent with what became of it, and
punches=True has them checked as well.
"""
import subprocess

from waiting import wait_for
import contract

GATEWAYS = ["att/v1/+/ack", "att/v1/+/cmd", "att/v1/gw/+/status"]


class Overheard:
    """folder: where it keeps what it heard."""

    on = False  # whether brokers are overheard

    def __init__(self, port, folder, punches=False):
        self.file = folder / "overheard"
        self.log = folder / "overheard.log"
        topics = GATEWAYS + (["att/v1/+/punch", "att/v1/+/status"] if punches else [])
        # It says when it has subscribed, and is to say so at once.
        command = ["stdbuf", "-oL", "mosquitto_sub", "-h", "127.0.0.1", "-p", str(port), "-d", "-F",
                   r"%t\t%x"] + [word for topic in topics for word in ("-t", topic)]
        with open(self.file, "ab") as out, open(self.log, "ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=log)
        wait_for(lambda: b"Subscribed" in self.file.read_bytes(), "the listener's subscription")

    def messages(self):
        """(topic, payload) of each that was heard whole: asked to end, mosquitto_sub (2.0.11) says in its
        signal handler that it disconnects, in the midst of what it is writing."""
        for line in self.file.read_bytes().decode().splitlines():
            if "\t" in line and "sending DISCONNECT" not in line:
                topic, payload = line.split("\t")
                yield topic, bytes.fromhex(payload)

    def end(self):
        """Stop listening, and check what was heard."""
        self.process.terminate()
        self.process.wait()
        for topic, payload in self.messages():
            contract.MQTT.check_message(topic, payload)
        self.file.unlink()
