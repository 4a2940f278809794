"""A terminal without a clock says the same again: when that is the punch that is there already, and
when nobody can tell (JUDGING.md §1)."""
from clockwork import Clockwork
from gateway import adds_up
from judged import quiet_link
from place import Place

HOUR = 3600
PUNCH = {"id": "000001", "user": "usr_000001", "type": "check_in"}


def test_the_same_again_without_a_time(tmp_path):
    clock = Clockwork(tmp_path, synchronized=True)
    with Place(tmp_path, env=clock.environment) as place:
        def again():
            quiet_link(place.gateway)
            before = len(place.hand.acks)
            place.hand.send(PUNCH)
            place.gateway.wait_status(lambda _: len(place.hand.acks) > before, "the ack")
            adds_up(place.gateway.status())
            ack = place.hand.acks[-1]
            return ack["status"], ack.get("reason")

        def down_for(hours, **boot):
            place.gateway.stop()
            clock.advance(hours * HOUR)
            if boot:
                clock.reboot(**boot)
            place.gateway.start()

        assert (again(), again()) == (("queued", None), ("duplicate", None))
        down_for(23)
        assert again() == ("duplicate", None)
        down_for(2)
        assert again() == ("held", "no_time")
        # Within a day of that one, by clocks that were right in both boots.
        down_for(1, synchronized=True)
        assert again() == ("duplicate", None)
        # The cloud's clock is hours behind ours: it says nothing for it.
        down_for(1, synchronized=False)
        assert again() == ("held", "no_time")
        assert place.gateway.status()["counts"]["stored"] == 3
        place.gateway.wait_delivered(1)
