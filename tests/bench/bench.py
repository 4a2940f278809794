#!/usr/bin/python3
"""Measurements of the real programs. They report, and never fail on a figure.

    ./dev bench                  all of them
    ./dev bench bytes            what reaches the disk for a punch; --variants: and what else it could be
    ./dev bench intake           from the broker to the disk
    ./dev bench forward          from the disk, and from the terminal, to the cloud; beside libcurl alone
    ./dev bench broker           what the broker keeps while the gateway is away, and what that costs
    ./dev bench sandbox          what punch-sandbox serves in a second, and its memory meanwhile
    ./dev bench rejudge          how intake fares while 100,000 held punches are judged again
    ./dev bench report           the same while reports of half a million punches are computed
"""
import argparse
import pathlib
import signal
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration"))

import broker_kept
import bytes_written
import rejudging
import reporting
import sandbox_rate
import speed

BENCHES = {"bytes": bytes_written.run, "intake": speed.intake, "forward": speed.forward,
           "broker": broker_kept.run, "rejudge": rejudging.run, "sandbox": sandbox_rate.run,
           "report": reporting.run}


def main():
    parser = argparse.ArgumentParser(
        prog="./dev bench", description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("name", nargs="*", help=", ".join(BENCHES))
    parser.add_argument("--variants", nargs="?", const="", metavar="PART",
                        help="bytes: also the choices that were not taken, those named PART alone")
    parser.add_argument("--rows", type=int, default=1000000, metavar="N",
                        help="bytes: rows of the large store (1000000)")
    parser.add_argument("--runs", type=int, default=3, metavar="N",
                        help="intake, forward: runs, of which the median is shown (3)")
    parser.add_argument("--sync-ms", type=int, default=0, metavar="N",
                        help="rejudge: each sync takes so much longer (0)")
    options = parser.parse_args()
    # In order, as after Ctrl-C: what was started and mounted is taken away again.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    for name in options.name or BENCHES:
        if name not in BENCHES:
            parser.error(f"no measurement is named {name}")
        print(f"== {name}", flush=True)
        BENCHES[name](options)


if __name__ == "__main__":
    main()
