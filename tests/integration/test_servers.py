"""The line to servers and through proxies that are not ours: each punch arrives, once, and what is on
the wire is what was decided. What speaks which HTTP, over how many connections, is what the other
side's log says."""
import base64
import hashlib
import re

import pytest

from conftest import ROOT
from fronts import Nghttpx, Nginx, Tinyproxy, openssl
from line import attendance_posts, each_once, punches, sends_decided
from place import Place

IN_FLIGHT = 8
COUNT = 200


@pytest.fixture
def place(tmp_path):
    """Without its gateway running: what it is to be told is not known yet."""
    with Place(tmp_path, start=False, settings={"api.max_in_flight": IN_FLIGHT}) as made:
        yield made


def start_with(place, **settings):
    place.gateway.settings.update({f"api.{key}": value for key, value in settings.items()})
    place.start()


def send_and_check(place, count=COUNT, label="p"):
    """As many go all the way; the cloud holds each once."""
    many = punches(count, label=label)
    for first in range(0, count, 50):
        place.send(many[first:first + 50])
    place.gateway.wait_delivered(count)
    each_once(place.cloud.records(), many)
    assert place.gateway.status()["queue"] == {
        "queued": 0, "held": 0, "parked": 0, "oldest_queued_s": None, "drain_eta_s": None}
    # Counted where it arrives, and where it was decided: nobody in between has sent one again.
    assert attendance_posts(place.cloud) <= sends_decided(place.gateway)


def check_front(front, protocol, connections):
    """All of its requests were of that protocol; over how many connections they came."""
    posts = front.requests("POST /v1/attendance")
    assert {r.protocol for r in front.requests()} == {protocol}
    used = len({r.connection for r in posts})
    assert used <= connections, used
    return used


def test_nginx_http2(tmp_path, place):
    with Nginx(tmp_path, place.cloud, http2=True) as front:
        start_with(place, base_url=front.base_url, ca_file=front.ca)
        send_and_check(place)
        check_front(front, "HTTP/2.0", 1)
        assert len(front.requests("POST /v1/attendance")) == COUNT


def test_nginx_http1(tmp_path, place):
    with Nginx(tmp_path, place.cloud, http2=False) as front:
        start_with(place, base_url=front.base_url, ca_file=front.ca)
        send_and_check(place)
        assert check_front(front, "HTTP/1.1", IN_FLIGHT) > 1
        assert len(front.requests("POST /v1/attendance")) == COUNT


@pytest.mark.parametrize("http2", [True, False])
def test_nginx_that_drains_its_connections(tmp_path, place, http2):
    """After ten requests: HTTP/1.1 closes, HTTP/2 says GOAWAY and refuses the streams that follow.
    What is refused, or races with that, is in doubt, and goes again under its key."""
    with Nginx(tmp_path, place.cloud, http2=http2, keepalive=10) as front:
        start_with(place, base_url=front.base_url, ca_file=front.ca)
        send_and_check(place)
        by_connection = {}
        for r in front.requests():
            by_connection[r.connection] = by_connection.get(r.connection, 0) + 1
        assert len(by_connection) >= COUNT / 10
        assert max(by_connection.values()) <= 10


def test_nghttpx(tmp_path, place):
    with Nghttpx(tmp_path, place.cloud) as front:
        start_with(place, base_url=front.base_url, ca_file=front.ca)
        send_and_check(place)
        check_front(front, "h2", 1)
        assert len(front.requests("POST /v1/attendance")) == COUNT


def test_forward_proxy(tmp_path, place):
    """It is asked for a tunnel a connection, and neither it nor our log gets to see a secret."""
    with Tinyproxy(tmp_path, place.cloud, "gw", "OnlyForTheProxy4711") as proxy:
        start_with(place, proxy=f"http://gw:OnlyForTheProxy4711@127.0.0.1:{proxy.port}")
        send_and_check(place)
        assert 1 <= proxy.tunnels() <= IN_FLIGHT
        assert place.cloud.key not in proxy.access.read_text()
        assert "OnlyForTheProxy" not in place.gateway.messages()


def test_forward_proxy_that_refuses(tmp_path, place):
    """A wrong login: nothing has left, and all of it goes once the login is right."""
    with Tinyproxy(tmp_path, place.cloud, "gw", "right") as proxy:
        place.gateway.settings["api.proxy"] = f"http://gw:OnlyForTheProxy4711@127.0.0.1:{proxy.port}"
        place.gateway.start()
        place.gateway.wait_connected()
        place.gateway.wait_line("sync_failed", "CONNECT tunnel failed")
        assert "OnlyForTheProxy" not in place.gateway.messages()
        place.gateway.stop()
        assert set(place.cloud.stats()["by_path"].values()) == {0}
        start_with(place, proxy=f"http://gw:right@127.0.0.1:{proxy.port}")
        send_and_check(place, 20)


def recipe_of_the_man_page(certificate):
    """The pin of a certificate, as punchd.conf(5) says to compute it."""
    page = (ROOT / "man/punchd.conf.5").read_text()
    commands = re.search(r"pinned_public_key No(?s:.*?)\.Bd -literal\n((?s:.*?))\.Ed", page)[1]
    assert commands.split("|")[0].split()[1:] == "openssl x509 -in api.pem -noout -pubkey".split()
    key = openssl("x509", "-in", certificate, "-noout", "-pubkey")
    der = openssl("pkey", "-pubin", "-outform", "DER", text=key)
    return "sha256//" + base64.b64encode(hashlib.sha256(der).digest()).decode()


def test_pinned_key(tmp_path, place):
    with Nginx(tmp_path, place.cloud, http2=True) as front:
        other = "sha256//" + base64.b64encode(bytes(32)).decode()
        place.gateway.settings.update({"api.base_url": front.base_url, "api.ca_file": front.ca,
                                       "api.pinned_public_key": other})
        place.gateway.start()
        place.gateway.wait_connected()
        place.gateway.wait_line("sync_failed", "none of the pinned ones")
        place.gateway.stop()
        assert front.requests() == []
        start_with(place, pinned_public_key=f"{other} {recipe_of_the_man_page(front.certificate.cert)}")
        send_and_check(place, 20)
