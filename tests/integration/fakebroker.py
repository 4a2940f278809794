"""Brokers that misbehave, on a port of their own: each connection is handed to a function.

    with FakeBroker(says_nothing) as broker:
        Gateway(broker.port, …)
"""
import socket
import threading
import time

CONNACK = b"\x20\x02\x00\x00"


class Link:
    """One client's connection."""

    def __init__(self, sock):
        self.sock = sock
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _exactly(self, count):
        data = b""
        while len(data) < count:
            more = self.sock.recv(count - len(data))
            if not more:
                raise ConnectionError
            data += more
        return data

    def read(self):
        """The next packet: its kind, and its body."""
        header, length, shift = self._exactly(1)[0], 0, 0
        while True:
            byte = self._exactly(1)[0]
            length |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return header >> 4, self._exactly(length)

    def expect(self, kind):
        """Read on up to a packet of this kind; its body."""
        while True:
            found, body = self.read()
            if found == kind:
                return body

    def send(self, data, pause_s=0.0):
        """pause_s: byte by byte, with so long between them."""
        if not pause_s:
            self.sock.sendall(data)
            return
        for i in range(len(data)):
            self.sock.sendall(data[i:i + 1])
            time.sleep(pause_s)

    def swallow(self):
        """Read until the other side hangs up."""
        while self.sock.recv(65536):
            pass


def suback(subscribe, codes):
    """The answer to a SUBSCRIBE, by its body."""
    return b"\x90" + bytes([2 + len(codes)]) + subscribe[:2] + bytes(codes)


def publish(topic, payload, mid):
    """QoS 1; the whole under 128 bytes of topic, and 16 KiB."""
    body = len(topic).to_bytes(2, "big") + topic.encode() + mid.to_bytes(2, "big") + payload
    return b"\x32" + bytes([len(body) & 127 | 128, len(body) >> 7]) + body


def says_nothing(link):
    link.swallow()


def takes_in_and_says_no_more(link):
    link.expect(1)
    link.send(CONNACK)
    link.swallow()


class FakeBroker:
    def __init__(self, behave):
        self.behave = behave
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.links = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            self.links.append(sock)
            threading.Thread(target=self._serve, args=[sock], daemon=True).start()

    def _serve(self, sock):
        try:
            self.behave(Link(sock))
        except OSError:
            pass
        finally:
            sock.close()

    def close(self):
        """Its port is free then."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for sock in self.links:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()


class FullBacklog:
    """A port that never answers a SYN: its queue is full, and nobody accepts."""

    def __init__(self):
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(0)
        self.port = self.listener.getsockname()[1]
        self.waiting = [socket.socket() for _ in range(4)]
        for sock in self.waiting:
            sock.setblocking(False)
            sock.connect_ex(("127.0.0.1", self.port))

    def close(self):
        for sock in self.waiting + [self.listener]:
            sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()
