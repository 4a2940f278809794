"""What lies in the store goes its way after a start, whether or not anything new comes."""
import subprocess

from conftest import BUILD
from gateway import Gateway, adds_up
from line import Hand, each_once, fast_broker, punches
from sandbox import Sandbox

BACKLOG = 100


class Place:
    """A gateway that knows its cloud, with a backlog in its store: the cloud is away."""

    def __init__(self, work):
        self.broker = fast_broker(under=work)
        self.cloud = Sandbox(BUILD, work / "cloud").start()
        self.gateway = Gateway(self.broker.port, self.cloud.base_url, self.cloud.ca, self.cloud.key,
                               under=work)
        self.gateway.wait_connected()
        self.gateway.wait_synced()
        self.cloud.kill()
        self.hand = Hand(self.broker.port)
        self.backlog = punches(BACKLOG)
        self.send(self.backlog)

    def send(self, many):
        self.hand.send_all(many)
        self.hand.wait_acked(many)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.hand.close()
        self.gateway.done()
        self.cloud.stop()
        self.broker.done()


def test_a_backlog_goes_without_anything_new(tmp_path):
    with Place(tmp_path) as place:
        place.gateway.stop()
        place.cloud.start()
        # The directory is as it was: nothing but the answers to its requests happens now.
        place.gateway.start()
        adds_up(place.gateway.wait_delivered(BACKLOG))
        each_once(place.cloud.records(), place.backlog)


def test_an_older_copy_of_the_store(tmp_path):
    """What it still has to send goes again under the same keys, what it has forgotten is taken anew."""
    with Place(tmp_path) as place:
        gateway, later = place.gateway, punches(20, first=BACKLOG)
        copy = tmp_path / "copy.db"
        subprocess.run(["sqlite3", gateway.store, f".backup {copy}"], check=True)
        place.cloud.start()
        place.send(later)
        gateway.wait_delivered(BACKLOG + len(later))
        gateway.stop()
        copy.rename(gateway.store)
        gateway.start()
        adds_up(gateway.wait_delivered(BACKLOG))
        place.hand.send_all(later)
        adds_up(gateway.wait_delivered(BACKLOG + len(later)))
        each_once(place.cloud.records(), place.backlog + later)
        assert place.cloud.stats()["keys_again"] == BACKLOG + len(later)
