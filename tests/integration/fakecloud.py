"""A cloud that does what a test wants, well or badly, and keeps every request that it saw begin.

    with FakeCloud(tmp_path, users=10) as cloud:
        cloud.manner = fakecloud.answer(502, "<html>")   # to each POST /attendance from now on
        cloud.manner = None                              # well again
        cloud.sends_of(key)

A manner gets an Exchange and plays it; it returns whether the connection goes on. Lists are answered
well as long as there is a connection.
"""
import collections
import email.utils
import json
import re
import select
import socket
import ssl
import struct
import threading
import time
import urllib.parse

from fronts import Certificate, openssl

API_KEY = "sk_live_of_the_fake_cloud"
DATES = {"expired": ("200101000000Z", "210101000000Z"),
         "not yet valid": ("480101000000Z", "490101000000Z")}


class Send:
    """A POST /attendance whose head came; body: None where it was not read to its end."""

    def __init__(self, key):
        self.key, self.body = key, None


class Exchange:
    def __init__(self, cloud, conn, head, rest):
        self.cloud, self.conn = cloud, conn
        self.method, self.path = head.split(" ", 2)[:2]
        self.headers = {name.lower(): value for name, value in
                        re.findall(r"(?m)^([\w-]+): *(.*?)\r?$", head)}
        self._body = rest
        self.send = None

    def read(self, less=0):
        """The body, or all but so many bytes of it."""
        length = int(self.headers.get("content-length", 0)) - less
        while len(self._body) < length:
            got = self.conn.recv(length - len(self._body))
            if not got:
                raise ConnectionError("half a request")
            self._body += got
        if self.send and less == 0:
            self.send.body = self._body
        return self._body

    def say(self, data):
        self.conn.sendall(data)

    def answer(self, status, body=b"", headers=None, length=True):
        """length: whether it is told."""
        if not isinstance(body, bytes):
            body = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        lines = {"Date": email.utils.formatdate(time.time() + self.cloud.skew_s, usegmt=True),
                 "Content-Type": "application/json"}
        if length:
            lines["Content-Length"] = len(body)
        lines.update(headers or {})
        self.say(f"HTTP/1.1 {status} Word\r\n".encode() +
                 "".join(f"{n}: {v}\r\n" for n, v in lines.items()).encode() + b"\r\n" + body)

    def reset(self):
        """The connection ends by RST."""
        self.conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def wait_gone(self):
        try:
            while self.conn.recv(4096):
                pass
        except OSError:
            pass


# ---- manners

def well(x):
    """A record for each key, and the same answer to the same key."""
    body = json.loads(x.read())
    record = x.cloud.records.setdefault(x.send.key, body | {
        "id": f"att_{len(x.cloud.records) + 1:06d}",
        "created_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())})
    x.answer(201, {"data": record})
    return True


def answer(status, body=b"", headers=None):
    """Answered so, and nothing is done."""
    def play(x):
        x.read()
        x.answer(status, body, headers)
        return True
    return play


def done_but(manner):
    """The record is made; what comes then is another's."""
    def play(x):
        body = json.loads(x.read())
        x.cloud.records.setdefault(x.send.key, body | {
            "id": f"att_{len(x.cloud.records) + 1:06d}", "created_at": "2026-01-01T00:00:00Z"})
        return manner(x)
    return play


# ---- the cloud

class FakeCloud:
    def __init__(self, under, users=10, serial="BIO-FP-001"):
        self.key = API_KEY
        self.certificate = Certificate(under / "certificate")
        self.ca = self.certificate.ca
        self.contexts = {None: self._context(self.certificate.cert, self.certificate.key)}
        stranger = Certificate(under / "stranger")
        self.contexts["untrusted"] = self._context(stranger.cert, stranger.key)
        for flaw, dates in DATES.items():
            cert = self._dated(under, flaw.replace(" ", "_"), *dates)
            self.contexts[flaw] = self._context(cert, self.certificate.key)
        self.users = [{"id": f"usr_{n:06d}", "name": f"User {n}", "email": f"u{n}@example.com",
                       "phone": f"+9198765{n:05d}", "created_at": "2023-01-01T00:00:00Z",
                       "updated_at": "2023-01-01T00:00:00Z"} for n in range(1, users + 1)]
        self.devices = [{"id": "dev_000001", "name": "Door", "serial_number": serial,
                         "type": "fingerprint", "status": "active", "location": "here",
                         "last_sync": "2023-01-01T00:00:00Z", "created_at": "2023-01-01T00:00:00Z",
                         "updated_at": "2023-01-01T00:00:00Z"}]
        self.skew_s = 0
        self.manner = None   # of POST /attendance
        self.report = None   # of GET /reports/attendance
        self.greeting = None  # of a connection, before TLS: it gets the socket
        self.flaw = None     # of the certificate
        self.records = {}    # by key
        self.sends = []
        self.lock = threading.Lock()
        self.conns = set()
        self.threads = []
        self.listener, self.fillers = None, []
        self.port = 0

    def _dated(self, under, name, start, end):
        """A certificate of the same key and CA, with other dates."""
        folder = under / name
        folder.mkdir()
        c = self.certificate
        (folder / "index").write_text("")
        (folder / "config").write_text(f"""
[ca]
default_ca = own
[own]
database = {folder / "index"}
serial = {folder / "serial"}
new_certs_dir = {folder}
default_md = sha256
policy = any
[any]
commonName = supplied
""")
        openssl("ca", "-batch", "-config", folder / "config", "-create_serial", "-in",
                c.ca.parent / "request", "-cert", c.ca, "-keyfile", c.ca.parent / "ca.key",
                "-startdate", start, "-enddate", end, "-extfile", c.ca.parent / "names", "-notext",
                "-out", folder / "cert.pem")
        return folder / "cert.pem"

    @staticmethod
    def _context(cert, key):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        return context

    # ---- its port

    @property
    def base_url(self):
        return f"https://127.0.0.1:{self.port}/v1"

    def _listen(self, backlog):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(backlog)
        self.port = listener.getsockname()[1]
        return listener

    def open(self):
        self.listener = self._listen(64)
        self._start(self._accept, self.listener)

    def close(self):
        """Who comes now is refused; who is there is cut off."""
        if self.listener:
            self.listener.shutdown(socket.SHUT_RDWR)
            self.listener.close()
            self.listener = None
        for filler in self.fillers:
            filler.close()
        self.fillers = []
        self.drop()

    def open_hole(self):
        """It listens, and its queue is full: Linux drops each further SYN."""
        hole = self._listen(0)
        self.fillers = [hole]
        while len(self.fillers) < 32:
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", self.port))
            self.fillers.append(filler)
            # The loopback's handshake is over at once, or will not be.
            if not select.select([], [filler], [], 0.05)[1]:
                return
        raise AssertionError("the queue does not fill")

    def drop(self):
        """Cut off whoever is connected."""
        with self.lock:
            for conn in self.conns:
                try:
                    conn.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def __enter__(self):
        self.open()
        return self

    def __exit__(self, *_):
        self.close()
        for thread in self.threads:
            thread.join(30)

    # ---- at work

    def _start(self, function, *args):
        thread = threading.Thread(target=function, args=args, daemon=True)
        self.threads.append(thread)
        thread.start()

    def _accept(self, listener):
        while True:
            try:
                conn, _ = listener.accept()
            except OSError:
                return
            self._start(self._serve, conn)

    def _serve(self, raw):
        with self.lock:
            self.conns.add(raw)
        conn = raw
        try:
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.greeting and not self.greeting(raw):
                return
            conn = self.contexts[self.flaw].wrap_socket(raw, server_side=True)
            with self.lock:
                self.conns.discard(raw)
                self.conns.add(conn)
            while self._serve_one(conn):
                pass
        except OSError:
            pass
        finally:
            with self.lock:
                self.conns.discard(raw)
                self.conns.discard(conn)
            conn.close()

    def _serve_one(self, conn):
        data = b""
        while b"\r\n\r\n" not in data:
            got = conn.recv(65536)
            if not got:
                return False
            data += got
        head, rest = data.split(b"\r\n\r\n", 1)
        x = Exchange(self, conn, head.decode(), rest)
        if x.headers.get("authorization") != f"Bearer {self.key}":
            return answer(401, {"error": {"code": "invalid_api_key"}})(x)
        if x.method == "GET":
            return self._list(x)
        x.send = Send(x.headers.get("idempotency-key"))
        with self.lock:
            self.sends.append(x.send)
        return (self.manner or well)(x)

    def _list(self, x):
        path, _, query = x.path.partition("?")
        if path.endswith("/reports/attendance") and self.report:
            return self.report(x)
        if path.endswith("/devices"):
            x.answer(200, {"data": self.devices})
            return True
        asked = urllib.parse.parse_qs(query)
        limit, offset = (int(asked.get(n, [d])[0]) for n, d in (("limit", 20), ("offset", 0)))
        limit = min(limit, 100)
        x.answer(200, {"data": self.users[offset:offset + limit],
                       "meta": {"total": len(self.users), "limit": limit, "offset": offset}})
        return True

    # ---- what a test wants to know

    def sends_of(self, key):
        with self.lock:
            return sum(s.key == key for s in self.sends)

    def check_keys(self):
        """One body a key, ever, and one key a body; the keys of each body."""
        bodies, keys = collections.defaultdict(set), collections.defaultdict(set)
        with self.lock:
            for s in self.sends:
                assert s.key and re.fullmatch("[0-9a-f]{32}", s.key), s.key
                if s.body is not None:
                    bodies[s.key].add(s.body)
                    keys[s.body].add(s.key)
        assert all(len(b) == 1 for b in bodies.values()), bodies
        return keys
