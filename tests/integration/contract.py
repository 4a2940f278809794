"""docs/api as checkers: what an answer or a message may be, and what it is not.

    CLOUD.check_answer("GET", "/users?limit=1", 200, headers, body)
    CONTROL.check_answer("GET", "/v1/status", 200, headers, body)
    MQTT.check_message("att/v1/BIO-FP-001/ack", payload)

The documents are open, since clients have to be ready for more; our own programs are held to them
closed: an object has no member that is not named, unless it says `additionalProperties`, and the
keywords under `x-sandbox` and `x-known` count. A violation is raised, and kept too, so that a test
fails whose thread or loop has swallowed it (conftest.py).
"""
import email.message
import functools
import json
import re

import fastjsonschema
import jsonschema
import yaml

from conftest import ROOT

FOLDER = ROOT / "docs/api"
METHODS = ("get", "put", "post", "delete", "patch")
OURS = ("x-sandbox", "x-known")  # keywords that hold for our own programs beside the schema's

DIGITS = bytes.maketrans(b"123456789", b"000000000")

violations = []


class Violation(AssertionError):
    """Whoever sees one of these has found a document, or a program, that is not true."""


def violate(what):
    note(what)
    raise Violation(what)


def note(what):
    """The same where nobody could catch it."""
    violations.append(what)


def load(name):
    return yaml.load((FOLDER / name).read_text(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def nodes(tree, pointer="#"):
    """Every object of a document with its JSON pointer, from the leaves up."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from nodes(value, f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}")
        yield pointer, tree
    elif isinstance(tree, list):
        for index, value in enumerate(tree):
            yield from nodes(value, f"{pointer}/{index}")


def at(document, pointer):
    for part in pointer.split("/")[1:]:
        part = part.replace("~1", "/").replace("~0", "~")
        document = document[int(part) if isinstance(document, list) else part]
    return document


def close(document):
    """In place: what our own programs are held to."""
    for _, node in list(nodes(document)):
        if isinstance(node.get("properties"), dict):
            node.setdefault("additionalProperties", False)
        for name in OURS:
            if isinstance(node.get(name), dict):
                node.update(node.pop(name))
    return document


def place(path):
    """A path of keys as people write it: data.users[0].id"""
    text = "".join(f"[{p}]" if isinstance(p, int) or str(p).isdigit() else f".{p}" for p in path)
    return text.lstrip(".") or "the whole"


class Contract:
    """One of the documents, closed."""

    def __init__(self, document):
        self.document = close(document)
        # Kept for good: a schema is compiled once a run.
        self.compiled = functools.lru_cache(None)(self._compile)
        self.response = functools.lru_cache(None)(self._response)
        self.operation = functools.lru_cache(1024)(self._operation)

    # ---- schemas

    def _schema(self, pointer):
        return {**self.document, "allOf": [{"$ref": pointer}]}

    def _compile(self, pointer):
        return fastjsonschema.compile(
            {**self._schema(pointer), "$schema": "http://json-schema.org/draft-07/schema#"})

    def reference(self, pointer):
        """The same by the other library, which is slow and explains itself."""
        return jsonschema.Draft202012Validator(self._schema(pointer))

    def fault(self, pointer, value):
        """What is wrong with it, in words; None where nothing is."""
        try:
            self.compiled(pointer)(value)
        except fastjsonschema.JsonSchemaValueException as e:
            worst = jsonschema.exceptions.best_match(self.reference(pointer).iter_errors(value))
            if worst is None:
                return f"at {place(e.path[1:])}: {e.message}"
            return f"at {place(worst.absolute_path)}: {worst.message}"
        return None

    def resolve(self, pointer):
        """Where a pointer leads in the end."""
        while isinstance(node := at(self.document, pointer), dict) and "$ref" in node:
            pointer = node["$ref"]
        return pointer

    # ---- HTTP

    def _operation(self, method, path):
        """(pointer of the path, of the operation), each None where there is none."""
        there = None
        for template in sorted(self.document["paths"], key=lambda t: t.count("{")):
            pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template))
            if not re.fullmatch(pattern, path):
                continue
            there = "#/paths/" + template.replace("/", "~1")
            if method.lower() in at(self.document, there):
                return there, f"{there}/{method.lower()}"
        return there, None

    def _response(self, operation, status):
        responses = at(self.document, operation + "/responses")
        for name in (str(status), f"{status // 100}XX", "default"):
            if name in responses:
                return self.resolve(f"{operation}/responses/{name}")
        return None

    def answer_to(self, method, path, status):
        """The pointer of the response that this answer has to be. None: it is not documented."""
        there, operation = self.operation("GET" if method == "HEAD" else method, path)
        return self.response(operation, status) if operation else self._elsewhere(there, status)

    def _elsewhere(self, _there, _status):
        return None

    def check_answer(self, method, target, status, headers, body):
        """headers: a mapping that does not mind case."""
        path = target.partition("?")[0]
        call = f"{method} {target} → {status}"
        response = self.answer_to(method, path, status)
        if not response:
            violate(f"{call}: the document knows no such answer")
        self._check_headers(call, response, headers)
        if method != "HEAD":
            self._check_body(call, response, headers.get("Content-Type") or "", body)

    def _check_headers(self, call, response, headers):
        for name in at(self.document, response).get("headers", {}):
            pointer = self.resolve(f"{response}/headers/{name}")
            header, value = at(self.document, pointer), headers.get(name)
            if value is None:
                if header.get("required"):
                    violate(f"{call}: no {name}")
                continue
            if header["schema"]["type"] == "integer" and re.fullmatch(r"-?\d+", value):
                value = int(value)
            fault = self.fault(pointer + "/schema", value)
            if fault:
                violate(f"{call}: {name} {fault}")

    def _check_body(self, call, response, content_type, body):
        content = at(self.document, response).get("content", {})
        kind = content_type.partition(";")[0]
        if kind not in content:
            violate(f"{call}: it comes as {kind or 'nothing'}, documented are {', '.join(content)}")
        if kind == "application/json":
            try:
                value = json.loads(body)
            except ValueError as e:
                violate(f"{call}: no JSON: {e}")
        elif kind.startswith("text/"):
            value = body.decode()
        else:
            return
        fault = self.fault(f"{response}/content/{kind.replace('/', '~1')}/schema", value)
        if fault:
            violate(f"{call}: {fault}")

    def check_request(self, method, path, body):
        """A JSON body of a documented call; what a client of ours sends."""
        _, operation = self.operation(method, path)
        if not operation:
            violate(f"{method} {path}: the document knows no such call")
        pointer = self.resolve(operation + "/requestBody") + "/content/application~1json/schema"
        fault = self.fault(pointer, body)
        if fault:
            violate(f"{method} {path}: the body {fault}")

    # ---- MQTT

    def channel(self, topic):
        for name, channel in self.document.get("channels", {}).items():
            if re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(channel["address"])), topic):
                return name
        return None

    def check_message(self, topic, payload, qos=None):
        """payload: bytes. qos: as it was published, where the sender is punchd."""
        name = self.channel(topic)
        if not name:
            violate(f"{topic}: the document knows no such topic")
        for operation in self.document["operations"].values():
            if operation["channel"]["$ref"] == f"#/channels/{name}" and qos is not None and \
                    operation["action"] == "send" and operation["bindings"]["mqtt"]["qos"] != qos:
                violate(f"{topic}: QoS {qos}")
        try:
            value = json.loads(payload)
        except ValueError as e:
            violate(f"{topic}: no JSON: {e}: {payload[:200]!r}")
        faults = [self.fault(self.resolve(f"#/channels/{name}/messages/{m}") + "/payload", value)
                  for m in self.document["channels"][name]["messages"]]
        if all(faults):
            violate(f"{topic}: {faults[0]}: {payload[:200]!r}")


class Cloud(Contract):
    """Below the base path there are answers that no operation has: those to other paths."""

    def check_record(self, path, start=0):
        """What punch-sandbox --record wrote from there on. It only notes: whoever ends a server has
        something else in hand. Returns where it ends."""
        with open(path, "rb") as file:
            file.seek(start)
            lines = file.read()
        whole = lines.rpartition(b"\n")[0]  # the last one may be cut off
        seen = set()
        for line in whole.splitlines():
            # Of very many the ones that differ in more than digits.
            alike = line.translate(DIGITS)
            if len(seen) > 20000 and alike in seen:
                continue
            seen.add(alike)
            self._check_line(json.loads(line))
        return start + len(lines)

    def _check_line(self, line):
        method, target = line["method"], line["target"].removeprefix("/v1")
        try:
            if line["request"].get("User-Agent", "").startswith("punchd/") and method == "POST":
                self.check_request(method, target, json.loads(line["body"]))
                if not line["request"].get("Idempotency-Key"):
                    violate(f"{method} {target}: no Idempotency-Key")
            if line["status"] is not None and not line["fault"]:
                self.check_answer(method, target, line["status"], headers_of(line["answer"].items()),
                                  (line.get("text") or "").encode())
        except Violation:
            pass

    def check_event(self, body, signature):
        """body: bytes that came to a webhook. It only notes what is wrong: a server asks."""
        event = json.loads(body)
        operation = f"#/webhooks/{event.get('type')}/post"
        if event.get("type") not in self.document["webhooks"]:
            note(f"an event of type {event.get('type')}: the document knows no such")
            return
        fault = self.fault(operation + "/requestBody/content/application~1json/schema", event)
        if not fault and signature is not None:
            fault = self.fault("#/components/parameters/Signature/schema", signature)
        if fault:
            note(f"an event {body[:300]!r}: {fault}")

    def _elsewhere(self, there, status):
        if status == (405 if there else 404):
            return f"#/components/responses/{'MethodNotAllowed' if there else 'UnknownEndpoint'}"
        # What is looked at before the path is the same for every call.
        return self._response("#/paths/~1attendance/post", status) \
            if status in (401, 403, 413, 429) or status >= 500 else None


class Everything(Contract):
    """punchd: a path or method that there is not is refused like any other call, and where a secret is
    in the path nobody is told which it was."""

    def _elsewhere(self, there, status):
        hidden = there and "servers" in at(self.document, there) and status == 404
        if status == (405 if there else 404) or hidden or status >= 500 or status in (400, 413):
            return "#/components/responses/Refused"
        return None


def headers_of(lines):
    """A mapping that does not mind case, of (name, value)."""
    message = email.message.Message()
    for name, value in lines:
        message[name] = value
    return message


CLOUD = Cloud(load("openapi.yaml"))
CONTROL = Everything(load("control.yaml"))
MQTT = Contract(load("asyncapi.yaml"))
