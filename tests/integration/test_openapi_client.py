"""A client that is not ours runs the whole API from docs/api/openapi.yaml alone: generic Python, and curl
with command lines that come out of the document."""
import collections
import email.parser
import json
import subprocess

import pytest
import yaml

import contract
from conftest import BUILD, ROOT
from openapi_client import Client
from sandbox import Sandbox

DOCUMENT = yaml.safe_load((ROOT / "docs/api/openapi.yaml").read_text())
PDF = BUILD / "punch-report-pdf"
PDF_ARGS = ["--pdf-program", PDF] if PDF.exists() else []


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    with Sandbox(BUILD, tmp_path_factory.mktemp("cloud"), *PDF_ARGS) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def client(cloud):
    client = Client(DOCUMENT, cloud.base_url, cloud.ca, cloud.key)
    yield client
    client.close()


def test_every_good_call(client):
    """All parameters, their examples and their edges: each is answered 2xx, as the document says."""
    done, parts = collections.Counter(), collections.Counter()
    for call in client.good_calls():
        status, _, content = client.send(call)
        assert 200 <= status < 300, (str(call), call.body, status, content)
        done[call.method, call.path] += 1
        parts.update(call.query.keys() | call.headers.keys() | (call.body or {}).keys())
    assert set(done) == {(m, p) for m, p, _, _ in client.operations()}
    for _, _, operation, parameters in client.operations():
        body = client.body_of(operation)
        members = client.follow(body["schema"])["properties"] if body else ()
        assert all(parts[name] for name in [n for _, n in parameters] + list(members))
    assert sum(done.values()) > 40


def test_every_bad_call(client, cloud):
    """Whatever is wrong is refused with a documented status, and the answer says what it is about."""
    before, people = len(cloud.records()), total(client)
    seen = collections.Counter()
    for call in client.bad_calls():
        status, _, content = client.send(call)
        assert 400 <= status < 500, (str(call), call.body, status, content)
        error = json.loads(content)["error"]
        assert error["param"] == (call.about or None), (str(call), call.body, error)
        seen[status] += 1
    assert set(seen) == {400, 422} and sum(seen.values()) > 80, seen
    assert (len(cloud.records()), total(client)) == (before, people)


def total(client):
    """How many there are, by whichever list has a total."""
    for method, path, _, parameters in client.operations():
        if method == "GET" and not any(p.get("required") for p in parameters.values()):
            _, _, content = client.send(client.call(method, path, {}))
            if "meta" in json.loads(content):
                return json.loads(content)["meta"]["total"]
    raise AssertionError("no list has a total")


def test_every_call_without_a_key(client):
    for method, path, operation, parameters in client.operations():
        least = {k: client.examples(p)[0] for k, p in parameters.items() if p.get("required")}
        call = client.call(method, path, least, {} if client.body_of(operation) else None)
        status, headers, content = client.send(call, key="of-nobody")
        assert status == 401, (str(call), content)


def test_one_key_one_record(client, cloud):
    """What the document says of the header for which it has no word of the vendor's."""
    method, path, operation, parameters = next(
        o for o in client.operations() if any(p.get("x-open") and p["in"] == "header" for p in o[3].values())
        and "timestamp" in json.dumps(o[2]["responses"]["201"]["content"]))
    header = next(p for p in parameters.values() if p["in"] == "header")
    bodies = [e["value"] for e in client.body_of(operation)["examples"].values()]
    before = len(cloud.records())
    call = client.call(method, path, {("header", header["name"]): "one-and-only"}, bodies[0],
                       unique=False)
    first, second = client.send(call), client.send(call)
    assert first[0] == second[0] == 201 and first[2] == second[2]
    call.body = bodies[1]
    status, _, content = client.send(call)
    assert status == 422 and json.loads(content)["error"]["param"] == header["name"]
    assert len(cloud.records()) == before + 1


def curl(command):
    """(status, headers, body) of a command line."""
    run = subprocess.run(command, shell=True, capture_output=True, check=True)
    head, _, body = run.stdout.partition(b"\r\n\r\n")
    first, _, lines = head.decode().partition("\r\n")
    return int(first.split()[1]), email.parser.HeaderParser().parsestr(lines), body


def test_curl_runs_every_example(build, tmp_path):
    """Good and refused ones as they stand, then each parameter."""
    with Sandbox(build, tmp_path / "cloud", *PDF_ARGS) as cloud:
        client = Client(DOCUMENT, cloud.base_url, cloud.ca, cloud.key)
        methods = collections.Counter()
        for call in [*client.example_calls(), *client.refused_calls(), *client.good_calls()]:
            status, headers, body = curl(client.curl(call))
            client.check(call, status, headers, body)
            if call.wanted:
                assert str(status) == call.wanted, (str(call), body)
                assert json.loads(body)["error"]["param"] == call.about
            else:
                assert 200 <= status < 300, (str(call), body)
            methods[call.method, call.path, call.good] += 1
        assert {key[:2] for key in methods} == {(m, p) for m, p, _, _ in client.operations()}
        assert sum(n for key, n in methods.items() if not key[2]) >= 6


def test_the_document_has_no_help_from_the_client():
    """What would be knowledge of this API in the generic client."""
    text = (ROOT / "tests/integration/openapi_client.py").read_text()
    known = [p.strip("/") for p in DOCUMENT["paths"]] + ["usr_", "dev_", "att_", "meta", "offset", "check_in"]
    for schema in ("User", "Record", "Device", "Report"):
        known += [m for m in DOCUMENT["components"]["schemas"][schema]["properties"]
                  if m not in ("id", "name", "type", "status")]
    assert not [word for word in known if f'"{word}"' in text or f"'{word}'" in text]
    assert "sandbox" not in text.split('"""', 2)[2] and not hasattr(contract, "openapi_client")
