"""docs/api is true of the programs, and what holds answers to it notices when it is not."""
import copy
import json
import re
import ssl
import subprocess
import time

import jsonschema
import pytest

import contract
from broker import Broker
from conftest import BUILD, ROOT
from contract import CLOUD, CONTROL, MQTT
from gateway import Gateway
from line import Hand, rfc3339
from place import SERIAL, Place
from sandbox import Sandbox
from terminal import Terminal
from waiting import wait_for

DOCUMENTS = ("openapi.yaml", "asyncapi.yaml", "control.yaml")
# Both libraries mean the same by these, and by all that is left as a note.
KEYWORDS = {"type", "properties", "required", "additionalProperties", "items", "minItems", "maxItems", "anyOf",
            "minLength", "maxLength", "minimum", "maximum", "pattern", "enum", "const", "oneOf", "$ref",
            "format", "description", "examples", "default", "contentMediaType", "x-open", "x-choice",
            "x-unique"}


def source(name):
    return (ROOT / "src" / name).read_text()


def schemas(document):
    return [(p, n) for p, n in contract.nodes(document)
            if re.fullmatch(r"#/components/schemas/\w+", p) or p.endswith("/schema")]


# ---- the documents by themselves; their validator is in ./dev lint

@pytest.mark.parametrize("name", DOCUMENTS)
def test_schemas_are_schemas_and_pointers_lead_somewhere(name):
    document = contract.load(name)
    for pointer, schema in schemas(document):
        jsonschema.Draft202012Validator.check_schema(schema)
        for inner, node in contract.nodes(schema, pointer):
            if not re.search(r"/(properties|x-sandbox|x-known)$", inner):
                assert set(node) <= KEYWORDS | set(contract.OURS), inner
    for pointer, node in contract.nodes(document):
        if isinstance(node.get("$ref"), str):
            contract.at(document, node["$ref"])
        if node.get("x-open"):
            assert node["x-choice"].strip(), pointer


@pytest.mark.parametrize("checker", [CLOUD, CONTROL, MQTT], ids=DOCUMENTS)
def test_examples_are_examples_and_both_libraries_say_so(checker):
    """Whole, and with one thing changed at a time."""
    tried = 0
    for pointer, node in list(contract.nodes(checker.document)):
        schema = checker.resolve(pointer + "/" + ("payload" if "payload" in node else "schema")) \
            if ("payload" in node or "schema" in node) and "examples" in node else None
        examples = node.get("examples", []) if schema else []
        for example in examples.values() if isinstance(examples, dict) else examples:
            value = example.get("value", example.get("payload"))
            assert checker.fault(schema, value) is None, (pointer, value)
            for other in [value, *changed(value)]:
                slow = next(checker.reference(schema).iter_errors(other), None)
                assert (checker.fault(schema, other) is None) == (slow is None), (pointer, other)
                tried += 1
    assert tried > 50 or checker is CONTROL


def changed(value):
    """The value with one thing left out, added, or of another type."""
    for path, old in places(value):
        for new in (None, 5, "", "x" * 300, -1, [], {}, True):
            if new != old:
                yield put(value, path, new)
        if isinstance(old, dict):
            yield put(value, path, old | {"one_more": 1})
            for key in old:
                yield put(value, path, {k: v for k, v in old.items() if k != key})
        if isinstance(old, list):
            yield put(value, path, old * 101)


def places(value, path=()):
    yield path, value
    for key, inner in value.items() if isinstance(value, dict) else \
            enumerate(value) if isinstance(value, list) else ():
        yield from places(inner, path + (key,))


def put(value, path, new):
    if not path:
        return new
    value = copy.copy(value)
    value[path[0]] = put(value[path[0]], path[1:], new)
    return value


def test_every_open_point_is_marked():
    document = contract.load("openapi.yaml")
    marked = {p.rsplit("/", 1)[-1] if "/schemas/" in p or "/responses/" in p else p
              for p, n in contract.nodes(document) if n.get("x-open")}
    assert {"#/paths/~1users/get", "#/paths/~1users/get/parameters/0",  # order, largest limit
            "201", "#/components/parameters/IdempotencyKey",
            "#/components/parameters/Signature"} <= marked


# ---- the documents and the sources

def operations(checker):
    return {(method.upper(), path) for path, item in checker.document["paths"].items()
            for method in contract.METHODS if method in item}


def test_routes_of_the_sandbox():
    routes = re.findall(r'\{"([A-Z]+)", "/v1(/[^"]*)"', source("sandbox/route.c"))
    assert set(routes) == operations(CLOUD)


def test_codes_of_the_sandbox():
    used = set()
    for file in (ROOT / "src/sandbox").glob("*.c"):
        text = file.read_text()
        used |= set(re.findall(r'answer_error\(\s*[\w>-]+,\s*\d{3},\s*"(\w+)"', text))
        used |= set(re.findall(r'"(\w+_api_key)"', text))
    named = set()
    for pointer, node in contract.nodes(CLOUD.document):
        if re.fullmatch(r"#/components/schemas/Problem\w+/properties/error/properties/code", pointer):
            named |= set(node["enum"])
    # What a fault says of 503 is the documentation's own word.
    assert used == named - {"service_unavailable"}


def test_routes_of_the_control_socket_and_what_each_takes():
    routes = re.findall(r'\{"([A-Z]+)", "(/[^"]*)", (?:true|false),\s*\w+,\s*"([^"]*)"',
                        source("daemon/control.c"))
    there = {(m, p) for m, p in operations(CONTROL) if "servers" not in CONTROL.document["paths"][p]}
    assert {(method, path) for method, path, _ in routes} == there
    for method, path, query in routes:
        operation = CONTROL.document["paths"][path][method.lower()]
        named = {p["name"] for p in operation.get("parameters", []) if p["in"] == "query"}
        assert named == set(query.split()), (method, path)


def known(checker, pointer):
    return sorted(set(contract.at(checker.document, pointer)["enum"]) - {None})


def test_words_of_the_control_socket():
    """Lists that grow, and the tables that they are of."""
    folder = "#/components/schemas/"
    alarms = re.findall(r'\[ALARM_\w+\] = \{"(\w+)"', source("daemon/alarms.c"))
    assert known(CONTROL, folder + "Alarm/properties/code") == sorted(alarms)
    codes = set()
    for file in (ROOT / "src/daemon").glob("control*.c"):
        text = file.read_text()
        codes |= set(re.findall(r'control_fail\([^"]*?"(\w+)"', text))
        codes |= set(re.findall(r'\? "(\w+)" : "(\w+)", "%s", words', text) and ["busy", "refused"])
        codes |= set(re.findall(r'case NEWPEOPLE_\w+: return "(\w+)"', text))
        codes |= set(re.findall(r'refusal_of\(\s*"(\w+)"', text))
    codes |= set(re.findall(r'\[REFUSED_\w+\] = \{\d+, "(\w+)"', source("daemon/hooks.c")))
    codes |= set(re.findall(r'\\"code\\":\\"(\w+)\\"', source("edge/http.c")))
    assert known(CONTROL, folder + "Problem/properties/error/properties/code") == sorted(codes)
    outcomes = re.findall(r'case API_\w+: return "(\w+)"', source("api/outcome.c"))
    assert known(CONTROL, folder + "Outcome") == sorted(outcomes)


def test_reasons_and_states_are_those_of_the_page():
    page = (ROOT / "man/punchd.8").read_text()
    part = page[page.index(".Sh WHAT HAPPENS TO A PUNCH"):page.index(".Sh TROUBLE")]
    words = {w for line in re.findall(r"(?m)^\.It Ic (.+)$", part) for w in line.split(" , ")}
    folder = "#/components/schemas/"
    assert words == set(known(CONTROL, folder + "Reason")) | set(known(CONTROL, folder + "State"))
    acks = set(known(MQTT, folder + "Ack/properties/status"))
    assert acks == set(known(CONTROL, folder + "State")) | {"duplicate"}


def test_limits_of_punches():
    text = source("core/payload.h") + source("core/payload.c")
    punches = contract.at(MQTT.document, "#/components/schemas/Punches/oneOf/1")
    assert f"#define PAYLOAD_RECORDS    {punches['maxItems']} " in text
    punch = contract.at(MQTT.document, "#/components/schemas/Punch/properties")
    assert f"characters(text) > {punch['id']['maxLength']}" in text
    assert f"characters(text) > {punch['user']['maxLength']}" in text
    acks = contract.at(MQTT.document, "#/components/schemas/Acks/properties/acks")
    assert f"#define ACKS_A_MESSAGE {acks['maxItems']}" in source("daemon/acks.c")


# ---- every documented answer of the sandbox

@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    with Sandbox(BUILD, tmp_path_factory.mktemp("cloud"), "--read-key", "reader") as sandbox:
        yield sandbox


PERSON = {"name": "N", "email": "n@example.com", "phone": "+4915112340000"}
REPORT = "/reports/attendance?start_date=2023-01-01&end_date=2023-01-31"
CALLS = {("GET", "/users"): ("/users", None), ("POST", "/users"): ("/users", PERSON),
         ("GET", "/devices"): ("/devices", None), ("POST", "/attendance"): ("/attendance", Sandbox.punch()),
         ("GET", "/reports/attendance"): (REPORT, None)}
OVER = b'{"x":"' + b"x" * (1 << 20) + b'"}'
# How each answer is had, beside those that every call has.
SPECIAL = {
    ("GET", "/users", 400): ("/users?limit=0", None, {}),
    ("POST", "/users", 400): ("/users", {}, {}),
    ("POST", "/users", 409): ("/users", PERSON, {}),
    ("POST", "/users", 413): ("/users", OVER, {}),
    ("POST", "/users", 415): ("/users", "a=b", {"Content-Type": "text/plain"}),
    ("POST", "/users", 422): ("/users", PERSON | {"phone": "1"}, {}),
    ("POST", "/attendance", 400): ("/attendance", "{", {}),
    ("POST", "/attendance", 404): ("/attendance", Sandbox.punch(user="usr_nobody"), {}),
    ("POST", "/attendance", 413): ("/attendance", OVER, {}),
    ("POST", "/attendance", 415): ("/attendance", "a=b", {"Content-Type": "text/plain"}),
    ("POST", "/attendance", 422): ("/attendance", Sandbox.punch(kind="lunch"), {}),
    ("GET", "/reports/attendance", 400): (REPORT + "&format=xml", None, {}),
    ("GET", "/reports/attendance", 404): (REPORT + "&user_id=usr_nobody", None, {}),
}
# What takes more than a call, and is had where that is played; seen by the same checker.
ELSEWHERE = {("POST", "/attendance", 409): ("test_sandbox.py", "test_while_the_first_runs_409"),
             ("GET", "/reports/attendance", 501): ("test_sandbox_reports.py",
                                                   "test_without_the_program_501_names_its_package")}


def documented(statuses):
    return [(method, path, int(status)) for method, path in sorted(operations(CLOUD))
            for status in CLOUD.document["paths"][path][method.lower()]["responses"]
            if status.isdigit() and int(status) in statuses and
            (method, path, int(status)) not in ELSEWHERE]


def test_what_is_had_elsewhere():
    for file, name in ELSEWHERE.values():
        assert f"def {name}(" in (ROOT / "tests/integration" / file).read_text()


@pytest.mark.parametrize("method, path, status", documented(range(100, 600)))
def test_every_documented_answer(cloud, tmp_path, method, path, status):
    target, body = CALLS[method, path]
    headers, key = {}, True
    if (method, path, status) in SPECIAL:
        target, body, headers = SPECIAL[method, path, status]
    elif status == 401:
        key = "wrong"
    elif status == 403:
        key = forbidden_key(cloud, method)
    elif status == 429:
        with Sandbox(BUILD, tmp_path / "spent", "--plan", "1", "--window", "1h") as spent:
            spent.get("/devices")
            assert spent.request(method, target, body=body).status == 429
        return
    if status in (201, 409) and path == "/users":
        cloud.post("/users", PERSON)
        body = PERSON if status == 409 else PERSON | {"email": "o@example.com", "phone": "+4915112340001"}
    try:
        answered_with = cloud.request(method, target, body=body, headers=headers, api_key=key).status
    except (ConnectionError, ssl.SSLError):
        answered_with = 413 if body is OVER else None  # it hears no more before it is through
    assert answered_with == status


def forbidden_key(cloud, method):
    if method == "POST":
        return "reader"
    cloud._admin("POST", "keys", {"add": "clock", "rights": "attendance"})
    return "clock"


def test_any_status_of_the_servers_own_fault(cloud):
    try:
        for (method, _), (target, body) in CALLS.items():
            for status in (500, 502, 503, 504):
                cloud.add_fault(f"status={status},count=1")
                cloud.spoilt = False
                assert cloud.request(method, target, body=body).status == status
    finally:
        cloud.clear_faults()


# ---- drift is noticed

def answered(cloud, target="/users?limit=2", method="GET", **kwargs):
    answer = cloud.request(method, target, **kwargs)
    return [method, target, answer.status, contract.headers_of(answer.headers.items()), answer.body]


def without(headers, name):
    return contract.headers_of((n, v) for n, v in headers.items() if n != name)


def rewritten(body, change):
    document = json.loads(body)
    change(document)
    return json.dumps(document).encode()


DRIFTS = {
    "a renamed member": lambda a: a.__setitem__(4, a[4].replace(b'"email"', b'"mail"')),
    "a member more": lambda a: a.__setitem__(4, rewritten(a[4], lambda d: d["meta"].update(pages=1))),
    "a member less": lambda a: a.__setitem__(4, rewritten(a[4], lambda d: d["data"][0].pop("phone"))),
    "a number as text": lambda a: a.__setitem__(4, rewritten(
        a[4], lambda d: d["meta"].update(total="10"))),
    "another form of time": lambda a: a.__setitem__(4, rewritten(
        a[4], lambda d: d["data"][1].update(created_at="2023-01-15 10:30:00"))),
    "an id without its prefix": lambda a: a.__setitem__(4, rewritten(
        a[4], lambda d: d["data"][0].update(id="1"))),
    "a larger page than is promised": lambda a: a.__setitem__(4, rewritten(
        a[4], lambda d: d["meta"].update(limit=101))),
    "another status": lambda a: a.__setitem__(2, 203),
    "a status of another call": lambda a: a.__setitem__(2, 409),
    "a header less": lambda a: a.__setitem__(3, without(a[3], "X-RateLimit-Reset")),
    "a header of words": lambda a: a[3].replace_header("X-RateLimit-Limit", "many"),
    "another media type": lambda a: a[3].replace_header("Content-Type", "text/json"),
    "no JSON": lambda a: a.__setitem__(4, a[4][:-1]),
    "an answer where there is no call": lambda a: a.__setitem__(1, "/people"),
    "another method": lambda a: a.__setitem__(0, "PUT"),
}


@pytest.mark.parametrize("drift", DRIFTS)
def test_an_answer_that_has_drifted(cloud, drift):
    answer = answered(cloud)
    CLOUD.check_answer(*answer)
    DRIFTS[drift](answer)
    with pytest.raises(contract.Violation) as found:
        CLOUD.check_answer(*answer)
    contract.violations.clear()
    assert f"{answer[0]} {answer[1]} → {answer[2]}: " in str(found.value)


def test_the_words_say_where(cloud):
    answer = answered(cloud)
    answer[4] = rewritten(answer[4], lambda d: d["data"][1].update(phone=5))
    with pytest.raises(contract.Violation, match=r"GET /users\?limit=2 → 200: at data\[1\]\.phone: 5 "):
        CLOUD.check_answer(*answer)
    contract.violations.clear()


def renamed(document, pointer, old, new):
    members = contract.at(document, pointer)
    members["properties"][new] = members["properties"].pop(old)
    members["required"] = [new if name == old else name for name in members["required"]]


DOCUMENT_DRIFTS = {
    "a member renamed": lambda d: renamed(d, "#/components/schemas/User", "phone", "telephone"),
    "a member forgotten": lambda d: d["components"]["schemas"]["User"]["properties"].pop("department"),
    "a type changed": lambda d: d["components"]["schemas"]["Page"]["properties"]["total"].update(
        type="string"),
    "a status forgotten": lambda d: d["paths"]["/users"]["get"]["responses"].pop("200"),
    "a call forgotten": lambda d: d["paths"].pop("/users"),
    "a header more": lambda d: d["components"]["headers"]["Retry-After"].update(required=True) or
    d["paths"]["/users"]["get"]["responses"]["200"]["headers"].update(
        {"Retry-After": {"$ref": "#/components/headers/Retry-After"}}),
}


@pytest.mark.parametrize("drift", DOCUMENT_DRIFTS)
def test_a_document_that_has_drifted(cloud, drift):
    document = contract.load("openapi.yaml")
    answer = answered(cloud)
    contract.Cloud(copy.deepcopy(document)).check_answer(*answer)
    DOCUMENT_DRIFTS[drift](document)
    with pytest.raises(contract.Violation):
        contract.Cloud(document).check_answer(*answer)
    contract.violations.clear()


def test_a_status_document_that_has_drifted(tmp_path):
    with Gateway(under=tmp_path) as gateway:
        whole = gateway.status()
    headers = contract.headers_of([("Content-Type", "application/json")])
    for change, where in ((lambda d: d["queue"].update(waiting=d["queue"].pop("queued")), "queue"),
                          (lambda d: d.update(extra=1), "the whole"),
                          (lambda d: d["alarms"].append({"code": "api_auth"}), "alarms"),
                          (lambda d: d.update(state="fine"), "state")):
        document = copy.deepcopy(whole)
        change(document)
        with pytest.raises(contract.Violation, match=f"GET /v1/status → 200: at {where}"):
            CONTROL.check_answer("GET", "/v1/status", 200, headers, json.dumps(document))
        contract.violations.clear()


def test_a_violation_that_a_thread_swallows_fails_the_test(tmp_path):
    (tmp_path / "test_swallowed.py").write_text(
        "import contract\n"
        "def test_swallowed():\n"
        "    try:\n"
        "        contract.CLOUD.check_answer('GET', '/nowhere', 200, {}, b'')\n"
        "    except AssertionError:\n"
        "        pass\n")
    (tmp_path / "conftest.py").write_text("from conftest_of_the_tree import *\n")
    (tmp_path / "conftest_of_the_tree.py").symlink_to(ROOT / "tests/integration/conftest.py")
    run = subprocess.run(["/usr/bin/python3", "-m", "pytest", "-q", "-p", "no:cacheprovider", "."],
                         cwd=tmp_path, capture_output=True, text=True,
                         env={"PYTHONPATH": str(ROOT / "tests/integration"), "PATH": "/usr/bin:/bin"})
    assert run.returncode == 1 and "GET /nowhere → 200" in run.stdout, run.stdout + run.stderr


def test_an_event_has_to_be_of_a_type_that_is_documented():
    event = contract.load("openapi.yaml")["webhooks"]["user.created"]["post"]["requestBody"]["content"][
        "application/json"]["examples"]["one"]["value"]
    CLOUD.check_event(json.dumps(event).encode(), "sha256=" + "0" * 64)
    assert not contract.violations
    for other, signature in ((event | {"type": "user.deleted"}, None), (event | {"id": "1"}, None),
                             (event | {"data": {}}, None), (event, "sha256=" + "0" * 63)):
        CLOUD.check_event(json.dumps(other).encode(), signature)
        assert len(contract.violations) == 1
        contract.violations.clear()


def recorded(**changes):
    line = {"method": "POST", "target": "/v1/attendance", "fault": False, "status": 201,
            "request": {"User-Agent": "punchd/0", "Idempotency-Key": "k"},
            "body": json.dumps(Sandbox.punch()),
            "answer": {"Content-Type": "application/json", "X-RateLimit-Limit": "1",
                       "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1"},
            "text": json.dumps({"data": Sandbox.punch() | {"id": "att_1", "created_at": "2023-01-16T08:00:01Z"}})}
    return line | changes


@pytest.mark.parametrize("changes, words", [
    ({}, None), ({"status": 500, "text": "<html>", "fault": True}, None), ({"status": None}, None),
    ({"text": "{}"}, "'data' is a required property"), ({"status": 500}, "500"),
    ({"request": {"User-Agent": "punchd/0"}}, "no Idempotency-Key"),
    ({"body": json.dumps(Sandbox.punch(kind="lunch"))}, "the body at type"),
    # Others may send what they like.
    ({"request": {}, "body": "lunch"}, None)])
def test_what_a_sandbox_has_recorded(tmp_path, changes, words):
    record = tmp_path / "record"
    record.write_text(json.dumps(recorded(**changes)) + '\n{"cut off')
    assert CLOUD.check_record(record) == record.stat().st_size
    found = list(contract.violations)
    contract.violations.clear()
    assert [words in text for text in found] == [True] if words else not found


# ---- MQTT

def test_what_terminals_and_gateway_say(tmp_path):
    """Everything of a day on the wire, at the QoS that the document says: punches, acks, presence."""
    with Broker(shipped=None, under=tmp_path, punches=True) as broker, \
            Sandbox(BUILD, tmp_path / "cloud", devices="T-1,T-2") as cloud:
        listener = subprocess.Popen(
            ["mosquitto_sub", "-p", str(broker.port), "-q", "2", "-t", "att/v1/#", "-F", r"%q %r %t"],
            stdout=subprocess.PIPE, text=True)
        with Gateway(broker.port, cloud.base_url, cloud.ca, cloud.key, under=tmp_path) as gateway:
            gateway.wait_connected()
            with Terminal(broker.port, "--terminals", "2", "--serial", "T-%d", "--count", "250",
                          "--batch", "40", build=BUILD, under=tmp_path) as terminal:
                assert terminal.wait()["code"] == 0
            gateway.stop()
        listener.terminate()
        heard = {re.sub("T-[12]", "*", line) for line in listener.communicate()[0].splitlines()}
    topics = {line.split(" ")[2] for line in heard}
    assert topics == {"att/v1/*/punch", "att/v1/*/ack", "att/v1/*/status", "att/v1/gw/test/status"}
    # The last word of the gateway and of each terminal is retained, and told to who was there at once.
    assert {line for line in heard if "/ack" in line or "/gw/" in line} <= {
        "0 0 att/v1/*/ack", "1 0 att/v1/gw/test/status"}


def test_presence_of_the_gateway_is_retained(tmp_path):
    with Broker(under=tmp_path) as broker, Gateway(broker.port, under=tmp_path) as gateway:
        gateway.wait_connected()
        said = subprocess.run(["mosquitto_sub", "-p", str(broker.port), "-C", "1", "-W", "10", "-F", "%r %p",
                               "-t", "att/v1/gw/+/status"], capture_output=True, text=True, check=True)
        retained, payload = said.stdout.strip().split(" ", 1)
        assert retained == "1"
        MQTT.check_message("att/v1/gw/test/status", payload.encode())


def test_what_the_contract_calls_no_punch_is_malformed(tmp_path):
    """Hand compares; here are punches at and over each limit."""
    good = {"id": "1", "user": "usr_000001", "time": rfc3339(int(time.time()) - 60)}
    many = [good | {"id": "i" * 64}, good | {"id": "i" * 65}, good | {"id": "é" * 64},
            good | {"id": "u", "user": "u" * 128}, good | {"id": "v", "user": "u" * 129},
            good | {"id": "m", "method": "m" * 256}, good | {"id": "n", "method": "m" * 257},
            good | {"id": "l", "live": "yes"}, good | {"id": "t", "type": "lunch"},
            good | {"id": "k", "user_kind": "face"}, good | {"id": "e", "more": {"than": ["that"]}}]
    with Place(tmp_path) as place:
        for punch in many:
            place.hand.send(punch)
        place.hand.send([good | {"id": f"a{i}"} for i in range(100)])
        place.gateway.wait_status(lambda s: s["counts"]["received"] == len(many) + 100, "all of them")
        # What has no sound id gets no answer.
        wanted = {p["id"] for p in many} - {"i" * 65}
        wait_for(lambda: wanted <= place.hand.acked().keys(), "their acks")
        malformed = {ack["id"] for ack in place.hand.acks if ack.get("reason") == "malformed"}
        assert malformed == {"v", "n", "l", "t", "k"}


def test_a_hand_that_finds_another_verdict(tmp_path):
    with Broker(shipped=None, under=tmp_path, listens=False) as broker, Hand(broker.port) as hand:
        hand.send({"id": "1", "user": "usr_000001", "live": "yes"})
        hand.client.publish(f"att/v1/{SERIAL}/ack", '{"acks":[{"id":"1","status":"queued"}]}', qos=1)
        wait_for(lambda: contract.violations, "the difference")
        assert "the contract says {False} of punch 1" in contract.violations[0]
        contract.violations.clear()
