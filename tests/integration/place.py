"""A small site of a test's own: a broker, a cloud, a gateway and a terminal played by hand.

    with Place(tmp_path, users=250) as place:
        place.hand.send(…)
        place.gateway.wait_delivered(1)
"""
from conftest import BUILD
from gateway import Gateway
from line import Hand, fast_broker
from sandbox import Sandbox

SERIAL = "BIO-FP-001"


class Place:
    """args: further options of the cloud. settings: the gateway's. start: the gateway runs, and is
    connected and synced."""

    def __init__(self, work, *args, users=10, devices=SERIAL, settings=None, start=True, **gateway):
        self.broker = fast_broker(under=work)
        self.cloud = Sandbox(BUILD, work / "cloud", *args, users=users, devices=devices).start()
        self.gateway = Gateway(self.broker.port, self.cloud.base_url, self.cloud.ca, self.cloud.key,
                               under=work, settings=settings, start=False, **gateway)
        self.hand = Hand(self.broker.port)
        if start:
            self.start()

    def start(self):
        self.gateway.start()
        self.gateway.wait_connected()
        self.gateway.wait_synced()

    def sync(self):
        """Have the lists fetched, and wait for the end of that, good or bad; the directory."""
        status, document = self.gateway.request("POST", "/v1/sync")
        assert status == 202, document
        wanted = document["data"]["pass"]
        return self.gateway.wait_status(
            lambda s: max(s["directory"]["pass"], s["directory"]["failed_pass"]) >= wanted,
            f"pass {wanted}")["directory"]

    def send(self, punch):
        """Send, wait for the acks; the ack of each."""
        many = punch if isinstance(punch, list) else [punch]
        self.hand.send(punch)
        self.hand.wait_acked(many)
        acks = {ack["id"]: ack for ack in self.hand.acks}
        return [acks[p["id"]] for p in many]

    def requests(self, what="GET /users"):
        return self.cloud.stats()["by_path"].get(what, 0)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.hand.close()
        self.gateway.done()
        self.cloud.stop()
        self.broker.done()
