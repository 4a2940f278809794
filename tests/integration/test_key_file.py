"""A new API key is tried at once: with auth_retry an hour nothing else would have it tried."""
import pytest

from line import morning, rfc3339, user
from place import Place
from waiting import wait_for

NEW = "the-new-key"


@pytest.fixture
def refused(tmp_path):
    """The cloud takes another key than the gateway has, and a punch waits for that. The file lies in a
    folder of its own, where nothing else happens."""
    folder = tmp_path / "keys"
    folder.mkdir()
    with Place(tmp_path, start=False,
               settings={"api.auth_retry": "1h", "api.key_file": folder / "api.key"}) as place:
        place.gateway.key_file = folder / "api.key"
        place.gateway.write_key(place.cloud.key)
        yield place


def start(place):
    place.start()
    place.cloud.remove_key(place.cloud.key)
    place.cloud.add_key(NEW)
    refuse(place)


def refuse(place):
    place.hand.send({"id": "a", "user": user(1), "time": rfc3339(morning()), "type": "check_in"})
    wait_for(lambda: place.gateway.status()["api"]["state"] == "auth_failed", "it is refused")


def is_seen_at_once(place):
    place.gateway.wait_delivered(1)
    line, = place.gateway.lines("api_key")
    assert 'seen="at once"' in line


def fresh(place, name="fresh"):
    path = place.gateway.key_file.parent / name
    path.write_text(NEW)
    path.chmod(0o600)
    return path


def test_replaced(refused):
    start(refused)
    fresh(refused).rename(refused.gateway.key_file)
    is_seen_at_once(refused)


def test_link_to_a_folder_that_is_swapped(refused):
    """As Kubernetes mounts secrets: key → ..data/key, and ..data is swapped."""
    key = refused.gateway.key_file
    for version, text in (("v1", refused.cloud.key), ("v2", NEW)):
        (key.parent / version).mkdir()
        fresh(refused, f"{version}/api.key").write_text(text)
    (key.parent / "..data").symlink_to("v1")
    key.unlink()
    key.symlink_to("..data/api.key")
    start(refused)
    (key.parent / "..new").symlink_to("v2")
    (key.parent / "..new").rename(key.parent / "..data")
    is_seen_at_once(refused)


def test_there_at_last(refused):
    refused.gateway.key_file.unlink()
    refused.gateway.start()
    refused.gateway.wait_connected()
    refused.cloud.add_key(NEW)
    refuse(refused)
    fresh(refused).rename(refused.gateway.key_file)
    refused.gateway.wait_delivered(1)
    assert any('seen="at once"' in line for line in refused.gateway.lines("api_key"))


def test_folder_that_comes_later(refused):
    """That is seen by looking, and what happens in it at once again."""
    folder = refused.gateway.key_file.parent
    refused.gateway.key_file.unlink()
    folder.rmdir()
    refused.gateway.start()
    refused.gateway.wait_connected()
    refused.cloud.add_key(NEW)
    refuse(refused)
    folder.mkdir()
    fresh(refused, "api.key")
    refused.gateway.wait_delivered(1)
    before = len(refused.gateway.lines("api_key"))
    refused.gateway.write_key("a-third-key")
    wait_for(lambda: 'seen="at once"' in "".join(refused.gateway.lines("api_key")[before:]),
             "a change in the new folder")
