"""A store as it is after months: so many delivered punches, the last of them a moment ago.

Only the shape counts here, so hashes are random bytes; but they lie in the index as real ones do,
behind the hour of the punch (core/identity.h).
"""
import contextlib
import random
import sqlite3
import time

DAYS = 90  # [store] retention
TERMINALS, USERS = 20, 500
INSERT = ("INSERT INTO punch VALUES (?, ?, 2, 0, 80, ?, 0, ?, ?, ?, ?, ?, ?, 1, ?, ?, 1, ?, ?, ?, 0, ?,"
          " ?, ?, 1, NULL, NULL, NULL, NULL)")


def _row(seq, time_s, dice, by_hour):
    user, terminal = f"usr_{dice.randrange(USERS) + 1:06d}", dice.randrange(TERMINALS) + 1
    prefix = (time_s // 3600).to_bytes(4, "big") if by_hour else dice.randbytes(4)
    kind, ms = seq % 2 + 1, time_s * 1000 + dice.randrange(1000)
    sent = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time_s))
    return (seq, prefix + dice.randbytes(12), terminal, user, f"{seq // TERMINALS:06d}", sent, kind, ms,
            ms % 10 ** 9, time_s, kind, user, f"dev_{terminal:06d}", ms, dice.randbytes(16), ms + 900,
            f"att_{seq:010d}")


def _open(path):
    return contextlib.closing(sqlite3.connect(path, isolation_level=None))


def fill(path, count, by_hour=True):
    """Add them to a store that punchd has made and closed."""
    dice, end = random.Random(1), int(time.time()) - 3600
    step = DAYS * 24 * 3600 / count
    with _open(path) as db:
        db.execute("PRAGMA journal_mode = MEMORY").fetchall()
        db.execute("PRAGMA synchronous = OFF")
        db.execute("BEGIN")
        db.executemany("INSERT OR IGNORE INTO terminal VALUES (?, ?)",
                       [(i, f"BIO-FP-{i:03d}") for i in range(1, TERMINALS + 1)])
        db.executemany(INSERT, (_row(seq, int(end - (count - seq) * step), dice, by_hour)
                                for seq in range(1, count + 1)))
        db.execute("COMMIT")


def reshape(path, pragmas):
    """The same store with other pages: pragmas that SQLite takes on at a VACUUM."""
    with _open(path) as db:
        db.execute("PRAGMA journal_mode = DELETE").fetchall()
        for pragma in pragmas:
            db.execute(f"PRAGMA {pragma}")
        db.execute("VACUUM")
