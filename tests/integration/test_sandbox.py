"""punch-sandbox keeps what CLOUD-API.md says of the API: each fact has its test here."""
import calendar
import email.utils
import http.client
import re
import socket
import ssl
import subprocess
import threading
import time

import pytest

from conftest import ROOT
from sandbox import API_KEY, Sandbox
from waiting import wait_for

RATE = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")
UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


@pytest.fixture(scope="module")
def cloud(build, tmp_path_factory):
    with Sandbox(build, tmp_path_factory.mktemp("cloud"), users=250) as sandbox:
        yield sandbox


@pytest.fixture
def own(build, tmp_path):
    """Starts sandboxes of the test's own: own("--plan", "5", users=3)."""
    started = []

    def start(*args, name="cloud", **kwargs):
        started.append(Sandbox(build, tmp_path / name, *args, **kwargs))
        return started[-1].start()

    yield start
    assert [sandbox.stop() for sandbox in started] == [0] * len(started)


def rate_of(answer):
    return [int(answer.headers[name]) for name in RATE]


def date_of(answer):
    return email.utils.parsedate_to_datetime(answer.headers["Date"]).timestamp()


# ---- ground rules

def test_ready_line_tells_where(cloud):
    assert re.fullmatch(r"https://127\.0\.0\.1:[1-9]\d*/v1", cloud.base_url)


def test_plain_http_fails_without_an_http_answer(cloud):
    connection = http.client.HTTPConnection("127.0.0.1", cloud.port, timeout=30)
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        connection.request("GET", "/v1/users")
        connection.getresponse()
    assert cloud.get("/users").status == 200


def test_a_client_without_the_ca_refuses_it(cloud):
    connection = http.client.HTTPSConnection("127.0.0.1", cloud.port, timeout=30)
    with pytest.raises(ssl.SSLCertVerificationError):
        connection.request("GET", "/v1/users")


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
@pytest.mark.parametrize("version, good", [
    (ssl.TLSVersion.TLSv1_1, False),
    (ssl.TLSVersion.TLSv1_2, True),
    (ssl.TLSVersion.TLSv1_3, True),
])
def test_tls_is_1_2_or_newer(cloud, version, good):
    context = ssl.create_default_context(cafile=str(cloud.ca))
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = version
    context.minimum_version = version
    with socket.create_connection(("127.0.0.1", cloud.port), timeout=30) as raw:
        if good:
            context.wrap_socket(raw, server_hostname="127.0.0.1").close()
        else:
            with pytest.raises((ssl.SSLError, ConnectionError)):
                context.wrap_socket(raw, server_hostname="127.0.0.1")


@pytest.mark.parametrize("name", ["127.0.0.1", "::1", "localhost"])
def test_the_certificate_names_the_usual(cloud, name):
    context = ssl.create_default_context(cafile=str(cloud.ca))
    with socket.create_connection(("127.0.0.1", cloud.port), timeout=30) as raw:
        context.wrap_socket(raw, server_hostname=name).close()


def test_connections_are_kept(cloud):
    cloud.get("/users")
    before = cloud.stats()["connections"]
    for _ in range(20):
        assert cloud.get("/users?limit=1").status == 200
    assert cloud.stats()["connections"] == before


@pytest.mark.parametrize("key, code", [
    (False, "missing_api_key"), ("wrong", "invalid_api_key"), (API_KEY + "x", "invalid_api_key"),
])
def test_without_a_valid_key_401(cloud, key, code):
    for method, path, body in (("GET", "/users", None), ("POST", "/attendance", cloud.punch())):
        answer = cloud.request(method, path, body=body, api_key=key)
        assert answer.status == 401
        assert answer.error["code"] == code
        assert answer.error["type"] == "authentication_error"
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_basic_authorization_is_no_key(cloud):
    headers = {"Authorization": "Basic " + API_KEY}
    assert cloud.get("/users", headers=headers).status == 401


def test_success_is_json_in_data_with_the_time_in_date(cloud):
    answer = cloud.get("/users")
    assert answer.headers["Content-Type"] == "application/json"
    assert set(answer.json) == {"data", "meta"}
    assert abs(date_of(answer) - time.time()) < 30


def test_body_must_come_as_json(cloud):
    answer = cloud.request("POST", "/attendance", body="a=b",
                           headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert answer.status == 415 and answer.error["code"] == "unsupported_media_type"


def test_unknown_paths_and_methods(cloud):
    answer = cloud.get("/attendance/1")
    assert answer.status == 404 and answer.error["code"] == "unknown_endpoint"
    answer = cloud.get("/attendance")
    assert answer.status == 405 and answer.headers["Allow"] == "POST"
    # Outside the base path there is a web server without the API's manners.
    outside = cloud.ask(cloud.connect(), "GET", "/v2/users")
    assert outside.status == 404 and b"error" not in outside.body
    assert outside.headers["X-RateLimit-Limit"] is None


# ---- GET and POST /users, GET /devices

def test_users_come_in_pages_of_20(cloud):
    answer = cloud.get("/users")
    assert [u["id"] for u in answer.data] == [f"usr_{i:06}" for i in range(1, 21)]
    assert answer.json["meta"]["limit"] == 20 and answer.json["meta"]["offset"] == 0
    assert answer.json["meta"]["total"] >= 250


@pytest.mark.parametrize("asked, given", [(1, 1), (100, 100), (101, 100), (5000, 100)])
def test_limit_is_capped_and_meta_tells(cloud, asked, given):
    answer = cloud.get(f"/users?limit={asked}")
    assert len(answer.data) == answer.json["meta"]["limit"] == given


def test_pages_are_whole_and_do_not_overlap(cloud):
    total = cloud.get("/users").json["meta"]["total"]
    seen = []
    for offset in range(0, total + 100, 100):
        seen += [u["id"] for u in cloud.get(f"/users?limit=100&offset={offset}").data]
    assert len(seen) == len(set(seen)) == total
    assert cloud.get(f"/users?offset={total}").data == []


@pytest.mark.parametrize("query, param", [
    ("limit=0", "limit"), ("limit=x", "limit"), ("limit=-1", "limit"), ("offset=-1", "offset"),
    ("offset=1.5", "offset"), ("limit=99999999999999999999", "limit"),
])
def test_bad_paging_is_refused(cloud, query, param):
    answer = cloud.get("/users?" + query)
    assert (answer.status, answer.error["param"]) == (400, param)


def test_made_up_users_are_the_same_everywhere_and_in_many_scripts(cloud, own):
    other = own(users=250)
    first = [cloud.get(f"/users?limit=100&offset={o}").data for o in (0, 100)]
    assert first == [other.get(f"/users?limit=100&offset={o}").data for o in (0, 100)]
    users = first[0] + first[1]
    assert all(re.fullmatch(r"\+[1-9]\d{6,14}", u["phone"]) for u in users)
    assert len({u["email"] for u in users}) == len({u["phone"] for u in users}) == 200
    assert all(UTC.fullmatch(u["created_at"]) for u in users)
    names = "".join(u["name"] for u in users)
    for letter in "aशñЖش王தΓ":
        assert letter in names
    assert set(users[0]) == {"id", "name", "email", "phone", "department", "created_at",
                             "updated_at"}


def test_a_user_can_be_made(cloud):
    new = {"name": "நிலா O'Neil", "email": "nila@example.org", "phone": "+919876543210"}
    answer = cloud.post("/users", {**new, "department": "Night"})
    assert answer.status == 201
    assert answer.data["id"].startswith("usr_") and answer.data["department"] == "Night"
    assert {k: answer.data[k] for k in new} == new
    total = cloud.get("/users").json["meta"]["total"]
    assert cloud.get(f"/users?offset={total - 1}").data == [answer.data]
    new = {"name": "B", "email": "b@example.org", "phone": "+919876543211"}
    assert cloud.post("/users", {**new, "department": None}).data["department"] is None


@pytest.mark.parametrize("change, status, param", [
    ({"name": None}, 400, "name"), ({"email": None}, 400, "email"), ({"phone": None}, 400, "phone"),
    ({"name": ""}, 400, "name"), ({"name": 5}, 400, "name"), ({"name": "x" * 201}, 400, "name"),
    ({"department": 5}, 400, "department"), ({"email": "nobody"}, 422, "email"),
    ({"email": "a@b@c"}, 422, "email"), ({"phone": "9876543210"}, 422, "phone"),
    ({"phone": "+0123456789"}, 422, "phone"), ({"phone": "+1234567890123456"}, 422, "phone"),
])
def test_a_bad_user_is_refused_with_its_param(cloud, change, status, param):
    user = {"name": "A", "email": "a@example.org", "phone": "+919876543210", **change}
    total = cloud.get("/users").json["meta"]["total"]
    answer = cloud.post("/users", {k: v for k, v in user.items() if v is not None})
    assert (answer.status, answer.error["param"]) == (status, param)
    assert answer.error["type"] == "validation_error"
    assert cloud.get("/users").json["meta"]["total"] == total


def test_no_two_users_share_an_address_or_a_number(own):
    """The sandbox's own rule, which a fault takes away."""
    cloud = own(users=3)
    user = {"name": "A", "email": "a@example.org", "phone": "+919876543210"}
    made = cloud.post("/users", user).data
    for change, param in (({"phone": "+919876543211"}, "email"),
                          ({"phone": "+919876543211", "email": "A@Example.ORG"}, "email"),
                          ({"email": "b@example.org"}, "phone"),
                          ({"email": "user000003@example.com"}, "email")):
        answer = cloud.post("/users", {**user, **change})
        assert answer.status == 409
        assert {k: answer.error[k] for k in ("code", "param", "type")} == {
            "code": "already_exists", "param": param, "type": "conflict_error"}
    assert cloud.get("/users").json["meta"]["total"] == 4
    cloud.add_fault("no-unique,count=1")
    assert cloud.post("/users", user).status == 201
    assert cloud.post("/users", user).status == 409
    for user_id in (made["id"], "usr_000005"):
        cloud.remove_user(user_id)
    assert cloud.post("/users", user).status == 201


def test_devices_are_not_paged(own):
    serials = [f"BIO-FP-{i:03}" for i in range(1, 31)]
    cloud = own(devices=",".join(serials))
    answer = cloud.get("/devices?limit=5")
    assert [d["serial_number"] for d in answer.data] == serials
    assert "meta" not in answer.json
    device = answer.data[0]
    assert set(device) == {"id", "name", "serial_number", "type", "status", "location",
                           "last_sync", "created_at", "updated_at"}
    assert (device["id"], device["type"], device["status"]) == ("dev_000001", "fingerprint",
                                                                "active")
    assert device["last_sync"] is None
    cloud.post_attendance()
    assert UTC.fullmatch(cloud.get("/devices").data[0]["last_sync"])


# ---- POST /attendance

def test_a_record_is_echoed_and_kept(cloud):
    answer = cloud.post_attendance(kind="check_out", timestamp="2023-01-15T10:30:00Z", key="echo")
    assert answer.status == 201
    data = answer.data
    assert set(data) == {"id", "user_id", "device_id", "type", "timestamp", "created_at"}
    assert data["id"].startswith("att_") and UTC.fullmatch(data["created_at"])
    assert {k: data[k] for k in ("user_id", "device_id", "type", "timestamp")} == cloud.punch(
        kind="check_out", timestamp="2023-01-15T10:30:00Z")
    kept = cloud.records()[-1]
    assert {k: kept[k] for k in data} == data
    assert (kept["idempotency_key"], kept["posts"]) == ("echo", 1)


def test_without_timestamp_it_is_now(cloud):
    body = cloud.punch()
    del body["timestamp"]
    data = cloud.post("/attendance", body).data
    assert data["timestamp"] == data["created_at"]
    assert cloud.records()[-1]["idempotency_key"] is None


@pytest.mark.parametrize("sent, kept", [
    ("2023-01-15T16:00:00+05:30", "2023-01-15T10:30:00Z"),
    ("2023-01-15T10:30:00.999Z", "2023-01-15T10:30:00Z"),
    ("2023-01-15T23:30:00-01:00", "2023-01-16T00:30:00Z"),
])
def test_times_are_kept_in_utc_and_whole_seconds(cloud, sent, kept):
    assert cloud.post_attendance(timestamp=sent).data["timestamp"] == kept


@pytest.mark.parametrize("change, status, param", [
    ({"user_id": None}, 400, "user_id"), ({"device_id": None}, 400, "device_id"),
    ({"type": None}, 400, "type"), ({"user_id": 7}, 400, "user_id"), ({"type": []}, 400, "type"),
    ({"timestamp": 1673778600}, 400, "timestamp"), ({"type": "in"}, 422, "type"),
    ({"type": "Check_In"}, 422, "type"), ({"timestamp": "yesterday"}, 422, "timestamp"),
    ({"timestamp": "2023-02-29T10:00:00Z"}, 422, "timestamp"),
    ({"timestamp": "2023-01-15T10:30:00"}, 422, "timestamp"),
    ({"user_id": "usr_999999"}, 404, "user_id"), ({"device_id": "dev_999999"}, 404, "device_id"),
    ({"device_id": "BIO-FP-001"}, 404, "device_id"),
])
def test_a_bad_record_is_refused_with_its_param(cloud, change, status, param):
    body = {k: v for k, v in {**cloud.punch(), **change}.items() if v is not None}
    before = cloud.stats()["records"]
    answer = cloud.post("/attendance", body)
    assert (answer.status, answer.error["param"]) == (status, param)
    assert answer.error["code"] == ("not_found" if status == 404 else "invalid_request")
    assert set(answer.error) == {"code", "message", "param", "type"}
    assert cloud.stats()["records"] == before


@pytest.mark.parametrize("body", [
    "", "{", "[]", "null", '"x"', '{"user_id":"a","user_id":"b"}', b'{"user_id":"\xff"}',
    '{"user_id":"a\\u0000b"}', pytest.param("[" * 100000, id="deep"),
])
def test_a_body_that_is_no_object_is_refused(cloud, body):
    answer = cloud.post("/attendance", body)
    assert answer.status == 400 and answer.error["message"]


def test_a_body_over_a_mebibyte_is_not_read(cloud):
    before = cloud.stats()["records"]
    try:
        status = cloud.ask(cloud.connect(), "POST", "/v1/attendance", "x" * (2 << 20)).status
    except (ConnectionError, ssl.SSLError):
        status = 413
    assert status == 413 and cloud.stats()["records"] == before


# ---- idempotency

def test_same_key_same_body_gets_the_first_answer_again(cloud):
    before = cloud.stats()
    first = cloud.post_attendance(key="same")
    again = [cloud.post_attendance(key="same") for _ in range(3)]
    assert all((a.status, a.body) == (first.status, first.body) for a in again)
    after = cloud.stats()
    assert after["records"] == before["records"] + 1
    assert after["replayed"] == before["replayed"] + 3
    assert after["posts_again"] == before["posts_again"] + 3
    assert after["posts_by_key"]["same"] == 4
    assert cloud.records()[-1]["posts"] == 4


def test_without_a_key_each_post_is_a_record(cloud):
    before = cloud.stats()["records"]
    assert cloud.post_attendance().data["id"] != cloud.post_attendance().data["id"]
    assert cloud.stats()["records"] == before + 2


def test_same_key_other_body_is_refused(cloud):
    cloud.post_attendance(key="other")
    before = cloud.stats()["records"]
    answer = cloud.post_attendance(key="other", kind="check_out")
    assert (answer.status, answer.error["code"]) == (422, "idempotency_key_reused")
    assert cloud.stats()["records"] == before
    assert cloud.post_attendance(key="other").status == 201


def test_a_refusal_is_kept_under_its_key(cloud):
    first = cloud.post_attendance(key="refused", user="usr_later")
    assert first.status == 404
    cloud.put_user(id="usr_later")
    again = cloud.post_attendance(key="refused", user="usr_later")
    assert (again.status, again.body) == (404, first.body)
    assert cloud.post_attendance(key="refused-2", user="usr_later").status == 201


def test_while_the_first_runs_409(own):
    cloud = own("--fault", "slow=2s,path=/attendance,count=1")
    first = {}

    def post():
        first["answer"] = cloud.ask(cloud.connect(), "POST", "/v1/attendance", cloud.punch(),
                                    {"Idempotency-Key": "k"})

    thread = threading.Thread(target=post)
    thread.start()
    wait_for(lambda: cloud.stats()["running"] == 1, "the first POST to run")
    second = cloud.post_attendance(key="k")
    assert second.status == 409
    assert second.error["code"] == "request_in_progress"
    assert cloud.post_attendance(key="another").status == 201
    thread.join()
    assert first["answer"].status == 201
    assert cloud.post_attendance(key="k").body == first["answer"].body
    assert len(cloud.records()) == 2
    assert cloud.stats()["key_running"] == 1
    assert cloud.stats()["max_concurrent"] == 2


@pytest.mark.parametrize("length, status", [(0, 400), (256, 400), (255, 201)])
def test_a_key_has_1_to_255_characters(cloud, length, status):
    assert cloud.post_attendance(key="x" * length).status == status


def test_users_are_made_once_under_a_key(cloud):
    user = {"name": "A", "email": "once@example.org", "phone": "+919876543212"}
    first = cloud.post("/users", user, key="user")
    total = cloud.get("/users").json["meta"]["total"]
    assert cloud.post("/users", user, key="user").body == first.body
    assert cloud.get("/users").json["meta"]["total"] == total
    # One key is one request: the same body to another path is another one.
    assert cloud.post("/attendance", user, key="user").status == 422


# ---- rates

def spend_window(cloud, limit):
    """All requests of one window, then one more: (answers, refusal), not torn by its end."""
    for _ in range(20):
        def first_of_a_window():
            answer = cloud.get("/users?limit=1")
            return answer if rate_of(answer)[1] == limit - 1 else None

        answers = [wait_for(first_of_a_window, "a new window")]
        answers += [cloud.get("/users?limit=1") for _ in range(limit - 1)]
        refused = cloud.get("/users?limit=1")
        if len({rate_of(a)[2] for a in answers + [refused]}) == 1:
            return answers, refused
    raise AssertionError("never a whole window")


def test_a_window_is_spent_and_turns_over(own):
    cloud = own("--plan", "5", "--window", "1s")
    answers, refused = spend_window(cloud, 5)
    assert [rate_of(a)[:2] for a in answers] == [[5, n] for n in (4, 3, 2, 1, 0)]
    assert all(a.status == 200 for a in answers)
    assert refused.status == 429
    assert rate_of(refused)[:2] == [5, 0]
    assert refused.error["code"] == "rate_limit_exceeded"
    assert refused.error["type"] == "rate_limit_error"
    assert refused.headers["Retry-After"] is None
    reset = rate_of(refused)[2]
    assert {reset - date_of(a) for a in answers + [refused]} == {1}
    fresh = wait_for(lambda: next((a for a in [cloud.get("/users")] if a.status == 200), None),
                     "the next window")
    assert date_of(fresh) >= reset
    assert rate_of(fresh)[2] > reset
    assert cloud.stats()["refused_429"] >= 1


def test_a_refused_post_leaves_nothing(own):
    cloud = own("--plan", "2", "--window", "24h")
    answers = [cloud.post_attendance(key=f"k{i}").status for i in range(4)]
    assert answers == [201, 201, 429, 429]
    assert [r["idempotency_key"] for r in cloud.records()] == ["k0", "k1"]


@pytest.mark.parametrize("plan, limit", [("basic", 100), ("premium", 500), ("enterprise", 1000),
                                         ("42", 42), ("none", 1000000)])
def test_plans(own, plan, limit):
    cloud = own("--plan", plan, "--window", "24h")
    assert rate_of(cloud.get("/users"))[0] == limit


@pytest.mark.parametrize("counting", ["sliding", "bucket"])
def test_what_comes_back_by_and_by(own, counting):
    """All at once, and then none until one has come back."""
    cloud = own("--plan", "4", "--window", "2s", "--counting", counting)
    answers = [cloud.get("/users?limit=1") for _ in range(4)]
    assert [a.status for a in answers] == [200] * 4
    assert [rate_of(a)[1] for a in answers] == [3, 2, 1, 0]
    resets = [rate_of(a)[2] - date_of(a) for a in answers]
    assert resets == sorted(resets), "the oldest's end stays, a bucket's moves off"
    assert max(resets) <= 3
    after = [cloud.get("/users?limit=1")]
    while after[-1].status == 429:
        assert rate_of(after[-1])[:2] == [4, 0]
        after.append(cloud.get("/users?limit=1"))
    assert after[-1].status == 200
    windows = cloud.stats()["windows"]
    assert sum(w["accepted"] for w in windows) == 5
    assert sum(w["refused"] for w in windows) == len(after) - 1 == cloud.stats()["refused_429"]


def test_another_plan_while_it_runs(own):
    cloud = own("--plan", "2", "--window", "24h")
    assert [cloud.get("/users").status for _ in range(3)] == [200, 200, 429]
    cloud.set_plan(5)
    answer = cloud.get("/users")
    assert (answer.status, rate_of(answer)[:2]) == (200, [5, 2])
    cloud.set_plan(1)
    answer = cloud.get("/users")
    assert (answer.status, rate_of(answer)[:2]) == (429, [1, 0])


def test_a_clock_that_jumps_takes_the_windows_along(own):
    cloud = own("--plan", "5", "--window", "24h")
    assert rate_of(cloud.get("/users"))[1] == 4
    before = cloud.get("/users")
    cloud.set_clock(2 * 24 * 3600)
    after = cloud.get("/users")
    assert rate_of(after)[1] == 4
    assert rate_of(after)[2] > rate_of(before)[2]
    assert date_of(after) >= date_of(before) + 2 * 24 * 3600
    cloud.post_attendance()
    created = time.strptime(cloud.records()[-1]["created_at"], "%Y-%m-%dT%H:%M:%SZ")
    assert calendar.timegm(created) >= date_of(after)
    assert [(w["accepted"], w["refused"]) for w in cloud.stats()["windows"]] == [(2, 0), (2, 0)]


@pytest.mark.parametrize("path, body", [
    ("plan", {}), ("plan", {"limit": 0}), ("plan", {"limit": "5"}), ("plan", {"limit": 1000001}),
    ("clock", {}), ("clock", {"off_ms": 1e14}), ("clock", {"off_ms": "90s"}),
])
def test_a_bad_plan_or_clock_is_refused(cloud, path, body):
    answer = cloud.request("POST", f"/_sandbox/{path}", body, api_key=False)
    assert (answer.status, answer.error["code"]) == (400, "invalid_request")


def test_keys_have_a_window_each_and_401_costs_nothing(own):
    cloud = own("--plan", "10", "--window", "24h", "--key", "second")
    assert rate_of(cloud.get("/users"))[1] == 9
    assert rate_of(cloud.get("/users", api_key="second"))[1] == 9
    assert rate_of(cloud.get("/users", api_key="wrong")) == [10, 10, rate_of(
        cloud.get("/users"))[2]]
    assert rate_of(cloud.get("/users"))[1] == 7


def test_every_answer_tells_the_rate_and_none_counts_for_sandbox_paths(own):
    cloud = own("--plan", "100", "--window", "24h")
    answers = [cloud.get("/users"), cloud.get("/nothing"), cloud.get("/users?limit=0"),
               cloud.post_attendance(user="usr_nobody"), cloud.post("/attendance", "{")]
    assert [a.status for a in answers] == [200, 404, 400, 404, 400]
    for _ in range(10):
        cloud.stats()
    answers.append(cloud.get("/users"))
    assert [rate_of(a)[1] for a in answers] == [99, 98, 97, 96, 95, 94]


# ---- keys and people at run time

def test_keys_come_and_go(own):
    cloud = own()
    cloud.add_key("new-key")
    assert cloud.get("/users", api_key="new-key").status == 200
    cloud.remove_key("new-key")
    assert cloud.get("/users", api_key="new-key").status == 401
    answer = cloud.request("POST", "/_sandbox/keys", {"remove": "new-key"}, api_key=False)
    assert answer.status == 404


def test_a_reading_key_may_not_post(own):
    cloud = own("--read-key", "reader")
    assert cloud.get("/users", api_key="reader").status == 200
    answer = cloud.post("/attendance", cloud.punch(), api_key="reader")
    assert answer.status == 403
    assert (answer.error["code"], answer.error["type"]) == ("forbidden", "permission_error")
    assert cloud.records() == []


CALLS = {"GET /users": None, "GET /devices": None,
         "GET /reports/attendance?start_date=2023-01-01&end_date=2023-01-31": None,
         "POST /users": {"name": "A", "email": "a@example.org", "phone": "+919876543210"},
         "POST /attendance": Sandbox.punch()}


@pytest.mark.parametrize("option, may", [
    ("--read-key", [call for call in CALLS if call.startswith("GET")]),
    ("--attendance-key", ["POST /attendance"]),
])
def test_a_key_may_only_what_its_rights_say(own, option, may):
    """Each call's 403 can be met, and what a key may outlives a restart."""
    cloud = own(option, "narrow")
    cloud.restart("--plan", "none")
    for call, body in CALLS.items():
        answer = cloud.request(*call.split(" "), body=body, api_key="narrow")
        if call in may:
            assert answer.status in (200, 201), call
            continue
        assert answer.status == 403, call
        assert set(answer.error) == {"code", "message", "param", "type"}
        assert {k: answer.error[k] for k in ("code", "param", "type")} == {
            "code": "forbidden", "param": None, "type": "permission_error"}
    assert len(cloud.records()) == ("POST /attendance" in may)
    assert cloud.get("/users").json["meta"]["total"] == 10


def test_rights_are_changed_while_it_runs(own):
    cloud = own("--plan", "10", "--window", "24h")
    for rights, statuses in (("attendance", [403, 201]), ("read", [200, 403]),
                             ("all", [200, 201])):
        cloud.add_key("k", rights=rights)
        assert [cloud.get("/users", api_key="k").status,
                cloud.post("/attendance", cloud.punch(), api_key="k").status] == statuses
    assert rate_of(cloud.get("/users", api_key="k"))[1] == 3, "a 403 is one of the window too"
    for body in ({"add": "k", "rights": "some"}, {"add": "k", "rights": 1},
                 {"add": "k", "read_only": "yes"}, {"add": "k k"}, {}):
        answer = cloud.request("POST", "/_sandbox/keys", body, api_key=False)
        assert (answer.status, answer.error["param"]) == (400, "add")


def test_people_and_devices_become_known_later_and_go(own):
    cloud = own()
    assert cloud.post_attendance(user="usr_late").status == 404
    made = cloud.put_user(id="usr_late", name="Late Comer")
    assert made["name"] == "Late Comer"
    assert cloud.post_attendance(user="usr_late").status == 201
    assert cloud.put_user(id="usr_late", department="Night")["name"] == "Late Comer"
    cloud.remove_user("usr_late")
    assert cloud.post_attendance(user="usr_late").status == 404
    assert "usr_late" not in [u["id"] for u in cloud.get("/users").data]
    assert cloud.put_user(id="usr_late")["department"] == "Night"
    assert cloud.post_attendance(user="usr_late").status == 201

    device = cloud.put_device(serial_number="BIO-FP-009")
    assert cloud.post_attendance(device=device["id"]).status == 201
    cloud.put_device(serial_number="BIO-FP-009", status="inactive")
    assert cloud.get("/devices").data[1]["status"] == "inactive"
    cloud.remove_device("BIO-FP-009")
    assert cloud.post_attendance(device=device["id"]).status == 404


# ---- reports

def days_of_january():
    return [f"2023-01-{d:02}" for d in range(1, 32)]


def is_working(day):
    return time.strptime(day, "%Y-%m-%d").tm_wday < 5


@pytest.fixture(scope="module")
def payroll(build, tmp_path_factory):
    """January 2023: user 1 is present on 21 of the 22 working days, and on a Sunday."""
    with Sandbox(build, tmp_path_factory.mktemp("payroll"), users=4) as cloud:
        working = [d for d in days_of_january() if is_working(d)]
        for i, day in enumerate(working[:-1]):
            late, early = i < 3, i < 2
            cloud.post_attendance(timestamp=f"{day}T{'09:15:01' if late else '09:15:00'}Z")
            cloud.post_attendance(timestamp=f"{day}T11:00:00Z")
            cloud.post_attendance(kind="check_out", timestamp=f"{day}T12:00:00Z")
            cloud.post_attendance(kind="check_out",
                                  timestamp=f"{day}T{'16:59:59' if early else '17:00:00'}Z")
        cloud.post_attendance(timestamp="2023-01-08T08:00:00Z")
        cloud.post_attendance(timestamp="2023-02-01T00:00:00Z")
        cloud.post_attendance(kind="check_out", timestamp=f"{working[-1]}T17:00:00Z")
        yield cloud


JANUARY = "/reports/attendance?start_date=2023-01-01&end_date=2023-01-31"


def test_the_worked_example(payroll):
    report = payroll.get(JANUARY).data
    assert set(report) == {"report_id", "start_date", "end_date", "department", "generated_at",
                           "summary", "users"}
    assert report["report_id"].startswith("rep_") and UTC.fullmatch(report["generated_at"])
    assert report["summary"] == {"total_users": 4, "total_days": 31, "working_days": 22,
                                 "average_attendance": 23.86}
    assert report["users"][0] == {
        "id": "usr_000001", "name": "Asha Okafor", "department": "Engineering",
        "attendance": {"present_days": 21, "absent_days": 1, "late_days": 3,
                       "early_departure_days": 2, "attendance_percentage": 95.45}}
    assert report["users"][1]["attendance"] == {
        "present_days": 0, "absent_days": 22, "late_days": 0, "early_departure_days": 0,
        "attendance_percentage": 0}


def test_the_percentage_is_written_in_two_places(payroll):
    assert b'"attendance_percentage":95.45}' in payroll.get(JANUARY).body


def test_percentages_are_rounded_half_up(payroll):
    path = "/reports/attendance?start_date=2023-01-27&end_date=2023-01-31&user_id=usr_000001"
    report = payroll.get(path).data
    assert report["summary"]["working_days"] == 3
    assert report["users"][0]["attendance"]["attendance_percentage"] == 66.67


def test_report_filters(payroll):
    report = payroll.get(JANUARY + "&user_id=usr_000001").data
    assert [u["id"] for u in report["users"]] == ["usr_000001"]
    assert report["summary"]["average_attendance"] == 95.45
    report = payroll.get(JANUARY + "&department=Sales").data
    assert report["department"] == "Sales"
    assert [u["id"] for u in report["users"]] == ["usr_000002"]
    assert payroll.get(JANUARY + "&department=None").data["users"] == []
    assert payroll.get(JANUARY + "&user_id=usr_nobody").error["param"] == "user_id"


def test_a_weekend_has_no_working_days(payroll):
    report = payroll.get("/reports/attendance?start_date=2023-01-07&end_date=2023-01-08").data
    assert (report["summary"]["total_days"], report["summary"]["working_days"]) == (2, 0)
    assert report["users"][0]["attendance"]["attendance_percentage"] == 0


def test_report_as_csv(payroll):
    answer = payroll.get(JANUARY + "&format=csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer.headers["Content-Disposition"]
    payroll.put_user(id="usr_000003", name='Zoë "Z", Núñez')
    lines = payroll.get(JANUARY + "&format=csv").body.decode().split("\r\n")
    assert lines[0] == ("id,name,department,present_days,absent_days,late_days,"
                        "early_departure_days,attendance_percentage")
    assert lines[1] == "usr_000001,Asha Okafor,Engineering,21,1,3,2,95.45"
    assert lines[3] == 'usr_000003,"Zoë ""Z"", Núñez",Production,0,22,0,0,0.00'
    assert lines[5:] == [""]


@pytest.mark.parametrize("query, param", [
    ("end_date=2023-01-31", "start_date"), ("start_date=2023-01-01", "end_date"),
    ("start_date=2023-1-1&end_date=2023-01-31", "start_date"),
    ("start_date=2023-01-01&end_date=2023-02-30", "end_date"),
    ("start_date=2023-01-02&end_date=2023-01-01", "end_date"),
    ("start_date=0001-01-01&end_date=9999-12-31", "end_date"),
    ("start_date=2023-01-01&end_date=2023-01-31&format=xml", "format"),
    ("start_date=2023-01-01&end_date=2023-01-31&format=CSV", "format"),
    ("start_date=2023-01-01&end_date=2023-01-31&user_id=", "user_id"),
    ("start_date=2023-01-01&end_date=2023-01-31&department=", "department"),
])
def test_bad_reports_are_refused_with_their_param(payroll, query, param):
    answer = payroll.get("/reports/attendance?" + query)
    assert (answer.status, answer.error["param"]) == (400, param)


# ---- the command line

@pytest.mark.parametrize("args, word", [
    (["--nonsense"], "usage"), (["--plan", "0"], "--plan"), (["--plan", "gold"], "--plan"),
    (["--window", "60"], "--window"), (["--counting", "odd"], "--counting"),
    (["--listen", "8443"], "--listen"),
    (["--listen", "::1:8443"], "brackets"), (["--listen", "h:70000"], "port"),
    (["--users", "-1"], "--users"), (["--fault", "flood"], "no such fault"),
    (["--fault", "status=99"], "bad value"), (["--fault", "slow"], "bad value"),
    (["--fault", "html,p=2"], "bad filter"), (["--fault", "html,count=0"], "bad filter"),
    (["--webhook", "ftp://x"], "--webhook"), (["--name", "a,DNS:b"], "--name"),
    (["--seed", "x"], "--seed"), (["extra"], "extra"),
    (["--device-schedule", "BIO-FP-001"], "SERIAL=STATUS@AFTER"),
    (["--device-schedule", "BIO-FP-001=a@1s,"], "SERIAL=STATUS@AFTER"),
    (["--device-schedule", "BIO-FP-001=a@1s,,b@2s"], "SERIAL=STATUS@AFTER"),
    (["--device-schedule", "=a@1s"], "SERIAL=STATUS@AFTER"),
    (["--device-schedule", "x=a@1"], "SERIAL=STATUS@AFTER"),
    (["--working-days", ""], "a day"), (["--working-days", "mon,tues"], "must be of"),
    (["--late-after", "9:15"], "09:15"), (["--early-before", "24:00"], "time of day"),
    (["--report-zone", "Mars/Olympus"], "time zone"), (["--report-zone", ""], "time zone"),
    (["--idempotency-life", "0"], "1s"), (["--attendance-key", ""], "empty"),
    (["--webhook-parallel", "65"], "64"), (["--webhook-tries", "0"], "1000"),
    (["--fault", "webhook-drop,path=/users"], "bad filter"),
    (["--pdf-program", ""], "empty"),
])
def test_bad_options_are_told_and_exit_2(build, args, word):
    run = subprocess.run([build / "punch-sandbox", *args], capture_output=True, text=True,
                         timeout=30, check=False)
    assert run.returncode == 2
    assert word in run.stderr and "usage: punch-sandbox" in run.stderr
    assert run.stdout == ""


def test_help_and_version(build):
    run = subprocess.run([build / "punch-sandbox", "--help"], capture_output=True, text=True,
                         timeout=30, check=True)
    for word in ("--listen HOST:PORT", "--fault SPEC", "drop-after", "no-idempotency"):
        assert word in run.stdout
    run = subprocess.run([build / "punch-sandbox", "--version"], capture_output=True, text=True,
                         timeout=30, check=True)
    assert re.fullmatch(r"punch-sandbox \d+\.\d+\.\d+\n", run.stdout)


def test_the_man_page_knows_every_option_and_fault(build):
    text = (ROOT / "man" / "punch-sandbox.1").read_text()
    page = subprocess.run(["mandoc", "-Tascii"], input=text, capture_output=True, text=True,
                          timeout=30, check=True).stdout
    page = re.sub(r".\x08", "", page)
    lines = subprocess.run([build / "punch-sandbox", "--help"], capture_output=True, text=True,
                           timeout=30, check=True).stdout.splitlines()
    words = [re.split(r"[=\[]", line.split()[0])[0] for line in lines if line.startswith("  ")]
    assert len(words) > 30
    assert [w for w in words if not re.search(rf"^ +{w}|, {w}", page, re.M)] == []


def test_a_taken_port_and_a_taken_folder_are_told(build, cloud, tmp_path):
    command = [build / "punch-sandbox", "--data"]
    port = subprocess.run([*command, tmp_path / "d", "--listen", f"127.0.0.1:{cloud.port}"],
                          capture_output=True, text=True, timeout=30, check=False)
    assert port.returncode == 1 and "listen:" in port.stderr and port.stdout == ""
    folder = subprocess.run([*command, cloud.directory / "data", "--listen", "127.0.0.1:0"],
                            capture_output=True, text=True, timeout=30, check=False)
    assert folder.returncode == 1 and "another punch-sandbox" in folder.stderr
