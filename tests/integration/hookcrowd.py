"""Run in a network namespace of its own by test_webhook.py: a gateway that listens to others than this
machine, and two households that call it. Prints what came of it as JSON."""
import json
import pathlib
import socket
import ssl
import subprocess
import sys

from fronts import openssl
from gateway import Gateway
from hookcall import SECRET, event, user_of
from waiting import wait_for

HERE, ONE, OTHER = "198.51.100.1", "198.51.100.2", "198.51.100.3"
PORT = 8481


def certificate(work):
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
            work / "key.pem", "-out", work / "cert.pem", "-days", "2", "-subj", "/CN=gateway",
            "-addext", f"subjectAltName=IP:{HERE}")


def connect(source):
    return socket.create_connection((HERE, PORT), timeout=20, source_address=(source, 0))


def call(work, source):
    """The status line of an event from there; "" where it is hung up on."""
    body = json.dumps(event("user.created", user_of(900100))).encode()
    context = ssl.create_default_context(cafile=str(work / "cert.pem"))
    try:
        with context.wrap_socket(connect(source), server_hostname=HERE) as conn:
            conn.sendall(f"POST /webhook/{SECRET} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
                         .encode() + body)
            return conn.recv(15).decode()
    except OSError:
        return ""


def is_open(conn):
    conn.setblocking(False)
    try:
        return conn.recv(1) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


def main(work):
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for address in (HERE, ONE, OTHER):
        subprocess.run(["ip", "addr", "add", f"{address}/32", "dev", "lo"], check=True)
    certificate(work)
    (work / "secret").write_text(SECRET)
    with Gateway(under=work, settings={
            "webhook.listen": f"0.0.0.0:{PORT}", "webhook.secret_file": work / "secret",
            "webhook.cert_file": work / "cert.pem", "webhook.key_file": work / "key.pem"}):
        first = call(work, ONE)
        idle = [connect(ONE) for _ in range(60)]
        wait_for(lambda: sum(map(is_open, idle)) <= 32, "those beyond the cap are closed")
        alive = sum(map(is_open, idle))
        others, own = call(work, OTHER), call(work, ONE)
        for conn in idle:
            conn.close()
        wait_for(lambda: call(work, ONE), "it is served again")
        print(json.dumps({"first": first, "alive": alive, "others": others, "own": own}))


main(pathlib.Path(sys.argv[1]))
