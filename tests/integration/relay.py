"""Between punchctl and punchd: a socket that passes calls on, and holds every answer to
docs/api/control.yaml. Gateway.relayed() is its path."""
import http.client
import socket
import threading

import contract


class Relay:
    def __init__(self, path, upstream):
        self.path, self.upstream = path, str(upstream)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=[client], daemon=True).start()

    def _serve(self, client):
        upstream = socket.socket(socket.AF_UNIX)
        try:
            upstream.connect(self.upstream)
            with client.makefile("rb") as asked:
                while self._one(client, asked, upstream):
                    pass
        except (OSError, http.client.HTTPException):
            pass  # whoever is left hears it from the end of the connection
        finally:
            client.close()
            upstream.close()

    @staticmethod
    def _one(client, asked, upstream):
        """A call and its answer; whether the connection goes on."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = asked.readline()
            if not line:
                return False
            head += line
        lines = head.decode().split("\r\n")
        method, target, _ = lines[0].split(" ")
        length = [line.split(":")[1] for line in lines if line.lower().startswith("content-length:")]
        upstream.sendall(head + asked.read(int(length[0]) if length else 0))
        answer = http.client.HTTPResponse(upstream, method=method)
        answer.begin()
        body = answer.read()
        try:
            contract.CONTROL.check_answer(method, target, answer.status, answer.headers, body)
        except contract.Violation:
            pass  # it is noted, and fails the test
        headers = [(n, v) for n, v in answer.headers.items()
                   if n.lower() not in ("content-length", "transfer-encoding")]
        headers.append(("Content-Length", str(len(body))))
        client.sendall(f"HTTP/1.1 {answer.status} {answer.reason}\r\n".encode() +
                       "".join(f"{n}: {v}\r\n" for n, v in headers).encode() + b"\r\n" + body)
        return not answer.will_close
