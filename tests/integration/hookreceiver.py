"""The other end of a sandbox's webhook: keeps what came, and answers as a test wants."""
import http.server
import json
import threading

import contract
from waiting import wait_for


class Receiver:
    """Takes events; answers 500 as often as told first, and `answer` of a request's body and
    signature where that is set. close() and open() keep the port."""

    def __init__(self, failures=0, answer=None):
        self.events, self.bodies, self.signatures, self.statuses = [], [], [], []
        self.failures, self.answer, self.port = failures, answer, 0
        self.lock = threading.Lock()
        self.open()

    def open(self):
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = receiver.take(body, self.headers["X-Webhook-Signature"])
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            request_queue_size = 128
            daemon_threads = True

        self.server = Server(("127.0.0.1", self.port), Handler)
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/webhook/secret"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()

    def take(self, body, signature):
        contract.CLOUD.check_event(body, signature)
        status = self.answer(body, signature) if self.answer else 200
        with self.lock:
            if self.failures > 0:
                self.failures -= 1
                status = 500
            self.statuses.append(status)
            if status == 200:
                self.bodies.append(body)
                self.signatures.append(signature)
                self.events.append(json.loads(body))
        return status

    def wait(self, count):
        wait_for(lambda: len(self.events) >= count, f"{count} events")
        return self.events

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
