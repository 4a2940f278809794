"""Five days of fifty people, in many orders of arrival: what goes to the cloud is what an oracle says
that was written from the rules alone (judge_oracle.py). docs/testing.md tells what is in the week.

$PUNCHD_ORDERS: in how many orders (./dev orders 100), else in a few.
"""
import dataclasses
import json
import os
import time

import pytest

from fivedays import BARE, SETTINGS, TERMINALS, Week
from gateway import adds_up
from judge_oracle import Following, judge, kind_of, utc
from judged import Yard, by_arrival, in_doubt, in_order, key_in, key_of, quiet_link, raced_rightly, \
    receive, records_agree, settled, taps_of, wait_agreed

ORDERS = int(os.environ.get("PUNCHD_ORDERS", "6"))
WEEK = Week(20260326)
DAY = 86400


@pytest.fixture(scope="module")
def yard(tmp_path_factory):
    with Yard(tmp_path_factory.mktemp("week"), users=43, devices=TERMINALS,
              settings=SETTINGS) as yard:
        yield yard


def sent_keys(parts):
    return {key_in(s.terminal, s.punch, kind_of(s.punch)): (s.terminal, s.punch)
            for s in parts}


def plain(messages):
    return [(terminal, [s.punch for s in part]) for terminal, part in messages]


def put_links(gateway):
    status, document = gateway.request("PUT", "/v1/links", json.dumps({"links": WEEK.links()}))
    assert status == 200, document


def doubtful(gateway, sent, messages):
    """The probe of a cloud that was away, where the power was cut between its freezing and the end of
    the attempt."""
    shown = gateway.punches()
    there = {key_of(p) for p in shown}
    taps = taps_of(shown, {k: v for k, v in sent.items() if k in there})
    return in_doubt(gateway, by_arrival(taps, shown, messages), WEEK.rules(links=False, hired=False))


@pytest.mark.parametrize("order", range(ORDERS))
def test_the_cloud_is_away_until_all_has_come(yard, order):
    """Power is cut on the way, before the time was synchronised, and links are made on the way."""
    messages, timeless = WEEK.messages(order), WEEK.timeless()
    sent = sent_keys(WEEK.sent + timeless)
    cut, links = len(messages) * (order % 5 + 1) // 7, len(messages) * (order % 3 + 1) // 4
    yard.new_run(WEEK.linked() + WEEK.hired())
    yard.clock.reboot(wall_s=-3 * DAY, synchronized=False)
    gateway = yard.gateway()
    try:
        gateway.start()
        count = receive(yard, gateway, plain(messages[:cut] + [(BARE, timeless)]))
        adds_up(gateway.status())
        gateway.kill()
        yard.clock.reboot(wall_s=0, synchronized=True)
        gateway.start()
        frozen = doubtful(gateway, sent, plain(messages[:cut] + [(BARE, timeless)]))
        mark = max(cut, links)
        count = receive(yard, gateway, plain(messages[cut:mark]), count)
        put_links(gateway)
        count = receive(yard, gateway, plain(messages[mark:]), count)

        before = WEEK.rules(hired=False)
        shown = wait_agreed(gateway, lambda shown: judge(
            taps_of(shown, sent), before, time.time(), frozen), "the cloud is away")
        status = gateway.status()
        adds_up(status)
        assert status["counts"]["received"] >= count and status["counts"]["stored"] == len(sent)

        verdicts = judge(taps_of(shown, sent), WEEK.rules(), time.time(), frozen)
        yard.cloud.start()
        settled(gateway, verdicts)
        records_agree(yard.records(), verdicts)
        in_order(yard.records(), WEEK.rules())
    finally:
        yard.end_run(gateway)


def new_taps(shown, sent, known):
    """Of what is shown, those that were not there before. sent: all that may be there by now."""
    there = {key_of(p) for p in shown}
    return [t for t in taps_of(shown, {k: v for k, v in sent.items() if k in there})
            if t.ident not in known]


@pytest.mark.parametrize("order", range(2, 2 + max(2, ORDERS // 4)))
def test_the_cloud_comes_and_goes(yard, order):
    """Each time it is there all goes that may, and is fixed from then on. On the way links are made,
    and people are hired."""
    messages = WEEK.messages(order)
    sent, steps = sent_keys(WEEK.sent), 5
    yard.new_run(WEEK.linked())
    yard.clock.reboot(wall_s=0, synchronized=True)
    gateway = yard.gateway()
    there = Following(WEEK.rules(links=False, hired=False), now=time.time())
    try:
        gateway.start()
        count = 0
        for step in range(steps):
            part = messages[len(messages) * step // steps:len(messages) * (step + 1) // steps]
            count = receive(yard, gateway, plain(part), count)
            if step == 1:
                put_links(gateway)
            there.come(new_taps(gateway.punches(), sent, {t.ident for t in there.taps}))
            there.rules = WEEK.rules(links=step >= 1, hired=step > 3)
            wait_agreed(gateway, lambda _: there.verdicts(), f"step {step}, the cloud is away")
            yard.cloud.start()
            if step == 3:
                yard.people(WEEK.linked() + WEEK.hired())
                gateway.wait_status(lambda s: s["api"]["state"] == "ok", "the cloud is back")
                assert gateway.request("POST", "/v1/sync")[0] == 202
                there.rules = WEEK.rules()
            settled(gateway, there.verdicts())
            there.freeze_all()
            records_agree(yard.records(), there.verdicts())
            yard.cloud.stop()
        assert len(there.taps) == len(sent)
    finally:
        yard.end_run(gateway)


@pytest.mark.parametrize("order", range(2))
def test_the_cloud_is_there_all_the_time(yard, order):
    """What goes when is a race, and whatever goes was right at that moment."""
    messages, rules, sent = WEEK.messages(order), WEEK.rules(), sent_keys(WEEK.sent)
    yard.new_run(WEEK.linked() + WEEK.hired())
    yard.cloud.start()
    yard.clock.reboot(wall_s=0, synchronized=True)
    gateway = yard.gateway()
    try:
        gateway.start()
        gateway.wait_synced()
        put_links(gateway)
        receive(yard, gateway, plain(messages))
        gateway.wait_status(lambda s: s["queue"]["queued"] == 0, "all went that may")
        raced_rightly(yard, gateway, plain(messages), sent, rules, time.time())
    finally:
        yard.end_run(gateway)


def test_power_is_cut_before_the_time_is_synchronised(yard):
    """Punches without a time of their own. Those of a boot that never knew the time wait for a person;
    those of one that learns it get the time at which they came."""
    yard.new_run()
    yard.clock.reboot(wall_s=-3 * DAY, synchronized=False)
    gateway = yard.gateway()
    timeless = [{"id": f"n{i}", "user": f"usr_{i // 2 + 1:06d}"} for i in range(6)]
    sent = {key_in(BARE, p, "id"): (BARE, p) for p in timeless}

    def come(punches, before):
        quiet_link(gateway)
        return receive(yard, gateway, [(BARE, punches)], before)

    def reasons(reason):
        return sorted(p["record_id"] for p in gateway.punches() if p["reason"] == reason)

    def timed(shown):
        """The oracle's taps: those of this boot came when they were received."""
        return [dataclasses.replace(t, time=t.received) if p["record_id"] >= "n2" else t
                for t, p in zip(taps_of(shown, sent), shown)]

    def verdicts(shown):
        return judge(timed(shown), WEEK.rules(links=False, hired=False), now=time.time())

    try:
        gateway.start()
        count = come(timeless[:2], 0)
        assert reasons("no_time") == ["n0", "n1"]
        gateway.kill()
        yard.clock.reboot(wall_s=-2 * DAY, synchronized=False)
        gateway.start()
        begun = int(time.time())
        count = come(timeless[2:], count)
        assert reasons("no_time") == [p["id"] for p in timeless]
        yard.clock.set(wall_s=0, synchronized=True)
        shown = wait_agreed(gateway, verdicts, "the time is known")
        assert reasons("no_time") == ["n0", "n1"]
        assert [int(r[1:]) // 2 for r in reasons("double_tap")] == [1, 2]  # one of each person's two
        for p in shown:
            assert (begun <= utc(p["received"]) <= time.time()) == (p["record_id"] >= "n2"), p
        yard.cloud.start()
        settled(gateway, verdicts(shown))
        records_agree(yard.records(), verdicts(shown))
        adds_up(gateway.status())
        assert count == 6
    finally:
        yard.end_run(gateway)
