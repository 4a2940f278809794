"""MQTT 3.1.1 packets in a stream of bytes, by the standard alone."""

PUBLISH, PUBACK = 3, 4


class Packet:
    """kind: the four bits of the fixed header (3 PUBLISH, 4 PUBACK). first, last: the marks of the
    pieces that brought its first and its last byte."""

    def __init__(self, header, body, first, last):
        self.kind, self.flags = header >> 4, header & 15
        self.first, self.last = first, last
        self.topic = self.payload = self.mid = None
        self.qos = 0
        if self.kind == PUBLISH:
            self.qos = self.flags >> 1 & 3
            end = 2 + int.from_bytes(body[:2], "big")
            self.topic = body[2:end].decode()
            if self.qos:
                self.mid = int.from_bytes(body[end:end + 2], "big")
                end += 2
            self.payload = body[end:]
        elif self.kind == PUBACK:
            self.mid = int.from_bytes(body[:2], "big")

    def __repr__(self):
        return f"<kind {self.kind} mid {self.mid} {self.topic or ''} at {self.first}…{self.last}>"


def packets(pieces):
    """pieces: (mark, bytes) in order. Yields all whole packets."""
    data, marks = bytearray(), []  # marks: (end of the piece in data, its mark)
    for mark, piece in pieces:
        data += piece
        if piece:
            marks.append((len(data), mark))
    at, where = 0, 0

    def mark_of(place):
        nonlocal where
        while marks[where][0] <= place:
            where += 1
        return marks[where][1]

    while at < len(data):
        body = _body(data, at)
        if body is None or body[1] > len(data):
            return
        first = mark_of(at)
        yield Packet(data[at], bytes(data[body[0]:body[1]]), first, mark_of(body[1] - 1))
        at = body[1]


def _body(data, at):
    """Where the body of the packet at `at` begins and ends, by its Remaining Length."""
    length = shift = 0
    for place in range(at + 1, min(at + 5, len(data))):
        length |= (data[place] & 0x7f) << shift
        shift += 7
        if not data[place] & 0x80:
            return place + 1, place + 1 + length
    return None
