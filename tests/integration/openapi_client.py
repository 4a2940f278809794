"""A client that knows an OpenAPI document and nothing else: no path, no member and no status of the
API is written down here. test_openapi_client.py has it talk to punch-sandbox.

    client = Client(document, base_url, ca, key)
    for call in client.good_calls(): status, headers, body = client.send(call)

It refuses an answer that its document does not know, by python3-jsonschema.
"""
import dataclasses
import http.client
import itertools
import json
import re
import shlex
import ssl
import urllib.parse

import jsonschema

counter = itertools.count(1)
METHODS = ("get", "put", "post", "delete", "patch")


@dataclasses.dataclass
class Call:
    method: str
    path: str               # as in the document
    query: dict
    headers: dict
    body: object = None     # what becomes JSON, or None
    about: str = ""         # the member or parameter that is tried out
    good: bool = True
    wanted: str = ""        # a status that the document promises for it

    def target(self):
        query = urllib.parse.urlencode(self.query)
        return self.path + ("?" + query if query else "")

    def __str__(self):
        return f"{self.method} {self.target()} {self.about}"


class Client:
    def __init__(self, document, base_url, ca, key):
        self.document = document
        self.base = urllib.parse.urlsplit(base_url)
        self.ca, self.key = str(ca), key
        self.connection = None

    # ---- reading the document

    def follow(self, node):
        while isinstance(node, dict) and "$ref" in node:
            target = self.document
            for part in node["$ref"].split("/")[1:]:
                target = target[part.replace("~1", "/").replace("~0", "~")]
            node = target
        return node

    def operations(self):
        """(method, path, operation, parameters by (place, name))"""
        for path, item in self.document["paths"].items():
            for method in METHODS:
                if method in item:
                    parameters = [self.follow(p) for p in
                                  item.get("parameters", []) + item[method].get("parameters", [])]
                    yield method.upper(), path, item[method], {(p["in"], p["name"]): p for p in parameters}

    def operation(self, call):
        return self.document["paths"][call.path][call.method.lower()]

    def body_of(self, operation):
        return self.follow(operation.get("requestBody", {})).get("content", {}).get("application/json")

    # ---- calls that the document calls good

    def least(self, parameters):
        return {key: self.examples(p)[0] for key, p in parameters.items() if p.get("required")}

    def example_calls(self):
        """The examples of bodies as they stand."""
        for method, path, operation, parameters in self.operations():
            body = self.body_of(operation)
            for name, example in body["examples"].items() if body else ():
                yield self.call(method, path, self.least(parameters), example["value"], about=name,
                                unique=False)

    def good_calls(self):
        """Each parameter by its examples and edges, all at once, each member at its edges."""
        for method, path, operation, parameters in self.operations():
            body, least = self.body_of(operation), self.least(parameters)
            whole = self.first(body)
            yield self.call(method, path, least, whole)
            for key, parameter in parameters.items():
                for value in self.examples(parameter) + self.edges(parameter["schema"]):
                    yield self.call(method, path, least | {key: value}, whole, about=key[1])
            yield self.call(method, path, {k: self.examples(p)[0] for k, p in parameters.items()}, whole)
            if body:
                yield from self.good_bodies(method, path, least, self.follow(body["schema"]), whole)

    def good_bodies(self, method, path, least, schema, whole):
        for member, inner in schema["properties"].items():
            # Any text is right for an id by its schema, and yet names nobody.
            for edge in self.edges(inner) if not member.endswith("_id") else ():
                yield self.call(method, path, least, whole | {member: edge}, about=member)
        yield self.call(method, path, least, {k: v for k, v in whole.items() if k in schema["required"]})
        if schema.get("additionalProperties", True):
            yield self.call(method, path, least, whole | {"something_more": [1]})

    @staticmethod
    def first(body):
        return next(iter(body["examples"].values()))["value"] if body else None

    def call(self, method, path, values, body=None, unique=True, **more):
        """unique: what each request takes a value of its own for gets one."""
        operation, parameters = next(o[2:] for o in self.operations() if o[:2] == (method, path))
        if unique:
            values = {key: self.another(v, parameters[key]["schema"]) for key, v in values.items()}
        if unique and isinstance(body, dict):
            members = self.follow(self.body_of(operation)["schema"])["properties"]
            body = {name: self.another(v, members.get(name, {})) for name, v in body.items()}
        query = {name: v for (where, name), v in values.items() if where == "query"}
        headers = {name: str(v) for (where, name), v in values.items() if where == "header"}
        return Call(method, path, query, headers, body, **more)

    def another(self, value, schema):
        """As good a value that hardly any request had before."""
        schema = self.follow(schema)
        validator = jsonschema.Draft202012Validator(schema)
        if not schema.get("x-unique") or not validator.is_valid(value) or value is None:
            return value
        number = f"{next(counter):08d}"
        options = (number + value, value[:-len(number)] + number) if len(value) > len(number) else (
            chr(ord("a") + int(number) % 26) * len(value),)
        return next((o for o in options if validator.is_valid(o)), value)

    def examples(self, parameter):
        return [e["value"] for e in parameter["examples"].values()]

    def edges(self, schema):
        """Values at the edges of a schema that still are good by it."""
        schema = self.follow(schema)
        candidates = list(schema.get("enum", []))
        if "default" in schema:
            candidates.append(schema["default"])
        if "minimum" in schema:
            candidates += [schema["minimum"], schema["minimum"] + 1]
        if "maximum" in schema:
            candidates += [schema["maximum"], schema["maximum"] - 1]
        candidates += ["k" * schema[length] for length in ("minLength", "maxLength") if length in schema]
        if "null" in schema.get("type", []):
            candidates.append(None)
        validator = jsonschema.Draft202012Validator(schema)
        return [c for c in candidates if validator.is_valid(c)]

    # ---- calls that the document calls bad

    def bad_calls(self):
        for method, path, operation, parameters in self.operations():
            body, least = self.body_of(operation), self.least(parameters)
            whole = self.first(body)
            for key, parameter in parameters.items():
                # In a header there is nothing that is no text.
                wrong = self.wrong_texts if key[0] == "query" else self.too_long
                for value in wrong(parameter["schema"]):
                    yield self.call(method, path, least | {key: value}, whole, about=key[1], good=False)
                if parameter.get("required"):
                    yield self.call(method, path, {k: v for k, v in least.items() if k != key}, whole,
                                    about=key[1], good=False)
            if body:
                yield from self.bad_bodies(method, path, least, self.follow(body["schema"]), whole)

    def bad_bodies(self, method, path, least, schema, whole):
        for member, inner in schema["properties"].items():
            if member in schema["required"]:
                yield self.call(method, path, least, {k: v for k, v in whole.items() if k != member},
                                about=member, good=False)
            for value in self.wrong_values(inner):
                yield self.call(method, path, least, whole | {member: value}, about=member, good=False)
        for value in ([], "text", 5, [whole]):
            yield self.call(method, path, least, value, good=False)

    def refused_calls(self):
        """What the document shows as refused, as it stands; good after example_calls."""
        for method, path, operation, parameters in self.operations():
            for name, refused in (self.body_of(operation) or {}).get("x-refused", {}).items():
                yield self.call(method, path, self.least(parameters), refused["value"], good=False,
                                unique=False, wanted=str(refused["status"]),
                                about=self.promised(path, method, refused["status"], name))

    def promised(self, path, method, status, name):
        """What the answer's example of the same name is about."""
        response = self.follow(self.document["paths"][path][method.lower()]["responses"][str(status)])
        return response["content"]["application/json"]["examples"][name]["value"]["error"]["param"]

    def wrong_texts(self, schema):
        """Values of a query that are not good by a schema."""
        kind, texts = schema["type"], ("", "x", "-1", "1.5", "2023-02-30", "9" * 20, " ")
        validator = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
        return [t for t in texts if not validator.is_valid(
            int(t) if kind == "integer" and re.fullmatch(r"-?\d+", t) else t)] + self.too_long(schema)

    def wrong_values(self, schema):
        """Values of a member that are not good by a schema."""
        schema = self.follow(schema)
        validator = jsonschema.Draft202012Validator(schema)
        values = (5, 1.5, True, [], {}, [1], None, "", " ", "x")
        return [v for v in values if not validator.is_valid(v)] + self.too_long(schema)

    def too_long(self, schema):
        return ["x" * (schema["maxLength"] + 1)] if "maxLength" in schema else []

    # ---- sending

    def authorization(self, key=None):
        schemes = self.document["components"]["securitySchemes"]
        (name, _), = self.document["security"][0].items()
        assert (schemes[name]["type"], schemes[name]["scheme"]) == ("http", "bearer")
        return {"Authorization": f"Bearer {key or self.key}"}

    def send(self, call, key=None):
        """(status, headers, body), which the document knows."""
        headers = self.authorization(key) | call.headers
        body = None
        if call.body is not None:
            headers["Content-Type"] = "application/json"
            body = json.dumps(call.body)
        if self.connection is None:
            self.connection = http.client.HTTPSConnection(
                self.base.hostname, self.base.port, timeout=30,
                context=ssl.create_default_context(cafile=self.ca))
        self.connection.request(call.method, self.base.path + call.target(), body, headers)
        response = self.connection.getresponse()
        content = response.read()
        self.check(call, response.status, response.headers, content)
        return response.status, response.headers, content

    def close(self):
        if self.connection:
            self.connection.close()

    def curl(self, call):
        """The same as a command, for a shell."""
        words = ["curl", "-sS", "--cacert", self.ca, "-i", "-X", call.method]
        for name, value in (self.authorization() | call.headers).items():
            words += ["-H", f"{name}: {value}"]
        if call.body is not None:
            words += ["-H", "Content-Type: application/json", "-d", json.dumps(call.body)]
        return shlex.join(words + [self.base.geturl() + call.target()])

    # ---- what came

    def check(self, call, status, headers, content):
        responses = self.operation(call)["responses"]
        response = self.follow(responses.get(str(status)) or responses.get(f"{status // 100}XX"))
        assert response, f"{call}: {status} is not documented"
        for name, header in response.get("headers", {}).items():
            header = self.follow(header)
            value = headers.get(name)
            assert value is not None or not header.get("required"), f"{call}: {status} without {name}"
            if value is not None:
                self.validate(header["schema"], int(value) if header["schema"]["type"] == "integer" else value)
        kind = headers.get("Content-Type", "").partition(";")[0]
        assert kind in response["content"], f"{call}: {status} as {kind}"
        if kind == "application/json":
            self.validate(response["content"][kind]["schema"], json.loads(content))

    def validate(self, schema, value):
        jsonschema.validate(value, {**self.document, **schema}, jsonschema.Draft202012Validator)
