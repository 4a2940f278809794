"""Webhook calls by hand: events in the cloud's shape, signed or not, over plain TCP or TLS.

    caller = Caller(port, SECRET)
    caller.post(event("user.created", user))      # (status, document)
"""
import hashlib
import hmac
import http.client
import itertools
import json
import secrets
import ssl
import time

import contract

SECRET = "the-secret-of-the-path-0123456789"
HMAC_SECRET = "the-secret-that-signs-bodies-0123"
numbers = itertools.count(1)


def rfc3339(unix_s):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(unix_s))


def event(kind, data, created=None, event_id=None):
    created = time.time() if created is None else created
    return {"id": event_id or f"evt_{secrets.token_hex(8)}", "type": kind,
            "created_at": rfc3339(created), "data": data}


def user_of(number, updated=None, **fields):
    """A user whom the cloud's list does not know."""
    at = rfc3339(time.time() if updated is None else updated)
    return {"id": f"usr_{number:06d}", "name": f"Told {number}",
            "email": f"told{number}@example.com", "phone": f"+49301{number:06d}",
            "department": "Told", "created_at": at, "updated_at": at} | fields


def record_of(user_id, at, kind="check_in", device_id="dev_000001", att_id=None, created=None):
    return {"id": att_id or f"att_told_{next(numbers)}", "user_id": user_id,
            "device_id": device_id, "type": kind, "timestamp": at,
            "created_at": rfc3339(time.time() if created is None else created)}


def signature(body, secret=HMAC_SECRET, prefix="sha256="):
    return prefix + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


class Caller:
    """ca: speak TLS, and trust this. hmac_secret: sign with it."""

    def __init__(self, port, secret=SECRET, hmac_secret=None, ca=None, host="127.0.0.1"):
        self.host, self.port, self.secret = host, port, secret
        self.hmac_secret, self.ca = hmac_secret, ca

    def connect(self, timeout=30):
        if not self.ca:
            return http.client.HTTPConnection(self.host, self.port, timeout=timeout)
        context = ssl.create_default_context(cafile=str(self.ca))
        return http.client.HTTPSConnection(self.host, self.port, context=context, timeout=timeout)

    def call(self, method, path, body=b"", headers=None):
        """(status, document, headers)"""
        connection = self.connect()
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            text = answer.read()
            if path.startswith("/webhook/"):
                contract.CONTROL.check_answer(method, path, answer.status, answer.headers, text)
            return answer.status, json.loads(text) if text else None, answer.headers
        finally:
            connection.close()

    def post(self, body, headers=None, path=None):
        """body: a document, or bytes. (status, document)"""
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        headers = dict(headers or {})
        if self.hmac_secret:
            headers.setdefault("X-Webhook-Signature", signature(body, self.hmac_secret))
        return self.call("POST", path or f"/webhook/{self.secret}", body, headers)[:2]
