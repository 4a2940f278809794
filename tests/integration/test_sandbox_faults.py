"""Each fault of punch-sandbox does what its man page says, and nothing else."""
import calendar
import email.utils
import http.client
import json
import time

import pytest

from sandbox import Sandbox

BROKEN = (http.client.HTTPException, ConnectionError)
RATE = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")


@pytest.fixture(scope="module")
def shared(build, tmp_path_factory):
    with Sandbox(build, tmp_path_factory.mktemp("cloud"), "--seed", "1") as sandbox:
        yield sandbox


@pytest.fixture
def cloud(shared):
    shared.clear_faults()
    yield shared
    shared.clear_faults()


def count(cloud):
    return cloud.stats()["records"]


@pytest.mark.parametrize("status, code, kind", [
    (503, "service_unavailable", "api_error"), (500, "internal_error", "api_error"),
    (400, "invalid_request", "validation_error"), (401, "invalid_api_key", "authentication_error"),
    (403, "forbidden", "permission_error"), (404, "not_found", "not_found_error"),
    (409, "conflict", "conflict_error"), (422, "invalid_request", "validation_error"),
    (429, "rate_limit_exceeded", "rate_limit_error"),
])
def test_status_is_answered_and_nothing_is_done(cloud, status, code, kind):
    before = count(cloud)
    cloud.add_fault(f"status={status}")
    answer = cloud.post_attendance(key=f"status-{status}")
    assert answer.status == status
    assert (answer.error["code"], answer.error["type"]) == (code, kind)
    assert all(answer.headers[name] for name in RATE)
    assert count(cloud) == before
    cloud.clear_faults()
    # Nothing was kept under the key either.
    assert cloud.post_attendance(key=f"status-{status}").status == 201


def test_status_after_does_the_work(cloud):
    before = count(cloud)
    cloud.add_fault("status-after=500,count=1")
    assert cloud.post_attendance(key="after").status == 500
    assert count(cloud) == before + 1
    assert cloud.post_attendance(key="after").status == 201
    assert count(cloud) == before + 1


def test_drop_before_closes_and_does_nothing(cloud):
    before = cloud.stats()
    cloud.add_fault("drop-before,count=1")
    with pytest.raises(BROKEN):
        cloud.post_attendance(key="drop-before")
    after = cloud.stats()
    assert after["records"] == before["records"]
    assert after["dropped"] == before["dropped"] + 1
    assert after["running"] == 0
    assert cloud.post_attendance(key="drop-before").status == 201
    # The lost one was counted under its key: it was sent.
    assert cloud.stats()["posts_by_key"]["drop-before"] == 2


def test_drop_after_makes_the_record_and_loses_the_answer(cloud):
    before = count(cloud)
    cloud.add_fault("drop-after,count=1")
    with pytest.raises(BROKEN):
        cloud.post_attendance(key="drop-after")
    assert count(cloud) == before + 1
    record = cloud.records()[-1]
    assert record["idempotency_key"] == "drop-after"
    assert cloud.post_attendance(key="drop-after").data["id"] == record["id"]
    assert count(cloud) == before + 1


def test_slow_waits_first_and_works_then(cloud):
    cloud.add_fault("slow=300ms,path=/attendance")
    before = count(cloud)
    began = time.monotonic()
    assert cloud.post_attendance().status == 201
    assert time.monotonic() - began >= 0.3
    assert count(cloud) == before + 1


def test_a_client_that_leaves_a_slow_request_has_sent_it(cloud):
    before = cloud.stats()
    cloud.add_fault("slow=300ms,count=1")
    connection = cloud.connect()
    connection.request("POST", "/v1/attendance", body=json.dumps(cloud.punch()), headers={
        "Authorization": "Bearer " + cloud.key, "Content-Type": "application/json",
        "Idempotency-Key": "left"})
    cloud.wait_stats(lambda s: s["requests"] == before["requests"] + 1, "the request to arrive")
    connection.close()
    assert count(cloud) == before["records"]
    cloud.wait_stats(lambda s: s["records"] == before["records"] + 1, "the record")
    assert cloud.post_attendance(key="left").data["id"] == cloud.records()[-1]["id"]


def test_garbage_is_no_json_though_the_work_was_done(cloud):
    before = count(cloud)
    cloud.add_fault("garbage")
    bodies = {cloud.post_attendance(key=f"garbage-{i}").body for i in range(5)}
    assert len(bodies) == 5
    for body in bodies:
        with pytest.raises(ValueError):
            json.loads(body)
    assert count(cloud) == before + 5


@pytest.mark.parametrize("spec, status", [("html", 200), ("html=502", 502)])
def test_html_is_a_proxys_page(cloud, spec, status):
    before = count(cloud)
    cloud.add_fault(spec)
    answer = cloud.post_attendance()
    assert answer.status == status
    assert answer.headers["Content-Type"] == "text/html" and b"<html>" in answer.body
    assert [answer.headers[name] for name in RATE] == [None] * 3
    assert count(cloud) == before


def test_what_is_no_file_any_more_has_no_files_name(cloud):
    path = "/reports/attendance?start_date=2023-01-01&end_date=2023-01-31&format=csv"
    assert cloud.get(path).headers["Content-Disposition"]
    for spec in ("status-after=503,count=1", "html,count=1"):
        cloud.add_fault(spec)
        assert cloud.get(path).headers["Content-Disposition"] is None


def test_cut_leaves_half_of_the_json(cloud):
    before = count(cloud)
    cloud.add_fault("cut")
    answer = cloud.post_attendance()
    assert answer.status == 200 and answer.body.startswith(b'{"data":{"id":"att_')
    with pytest.raises(ValueError):
        json.loads(answer.body)
    assert count(cloud) == before + 1


def test_empty_has_no_body(cloud):
    before = count(cloud)
    cloud.add_fault("empty=204")
    answer = cloud.post_attendance()
    assert (answer.status, answer.body) == (204, b"")
    assert count(cloud) == before + 1


@pytest.mark.parametrize("spec, seconds", [("skew=90s", 90), ("skew=-90s", -90), ("skew=1d", 86400)])
def test_skew_moves_the_servers_clock(cloud, spec, seconds):
    true_reset = int(cloud.get("/users").headers["X-RateLimit-Reset"])
    cloud.add_fault(spec)
    body = cloud.punch()
    del body["timestamp"]
    answer = cloud.post("/attendance", body)
    date = email.utils.parsedate_to_datetime(answer.headers["Date"]).timestamp()
    assert abs(date - time.time() - seconds) < 30
    created = calendar.timegm(time.strptime(answer.data["created_at"], "%Y-%m-%dT%H:%M:%SZ"))
    assert abs(created - date) <= 1 and answer.data["timestamp"] == answer.data["created_at"]
    moved = int(answer.headers["X-RateLimit-Reset"]) - true_reset
    assert moved in (seconds, seconds + 60)


def test_no_headers(cloud):
    cloud.add_fault("no-headers")
    answer = cloud.get("/users")
    assert answer.status == 200
    assert [answer.headers[name] for name in RATE] == [None] * 3


def test_no_idempotency_makes_a_record_each_time(cloud):
    before = count(cloud)
    cloud.add_fault("no-idempotency")
    ids = {cloud.post_attendance(key="ignored").data["id"] for _ in range(3)}
    assert len(ids) == 3 and count(cloud) == before + 3
    assert [r["posts"] for r in cloud.records()[-3:]] == [3, 3, 3]
    cloud.clear_faults()
    # It knew nothing of the key; from now on it does.
    first = cloud.post_attendance(key="ignored").data["id"]
    assert cloud.post_attendance(key="ignored").data["id"] == first
    assert count(cloud) == before + 4


def test_a_key_is_forgotten_after_its_life(build, tmp_path):
    """A cloud may forget a key after a day: what comes under it then is new."""
    with Sandbox(build, tmp_path / "cloud") as cloud:
        first = cloud.post_attendance(key="k")
        cloud.set_clock(24 * 3600 - 60)
        assert cloud.post_attendance(key="k").body == first.body
        assert cloud.stats()["posts_by_key"] == {"k": 2}
        cloud.set_clock(24 * 3600 + 60)
        assert cloud.post_attendance(key="k", kind="check_out").status == 201
        assert [r["posts"] for r in cloud.records()] == [1, 1]
        cloud.restart("--idempotency-life", "1h")
        cloud.set_clock(25 * 3600 + 120)
        cloud.wait_stats(lambda s: s["keys"] == 0, "what is forgotten to be gone")
        cloud.restart("--idempotency-life", "none")
        again = cloud.post_attendance(key="k")
        cloud.set_clock(300 * 24 * 3600)
        assert cloud.post_attendance(key="k").body == again.body


def test_keys_can_be_forgotten(cloud):
    before = count(cloud)
    first = cloud.post_attendance(key="forgotten").data["id"]
    cloud.forget_keys()
    assert cloud.post_attendance(key="forgotten").data["id"] != first
    assert count(cloud) == before + 2


def test_retry_after_in_seconds_and_as_a_date(cloud):
    cloud.add_fault("status=503")
    cloud.add_fault("retry-after=1500ms")
    assert cloud.get("/users").headers["Retry-After"] == "2"
    cloud.clear_faults()
    cloud.add_fault("status=429")
    cloud.add_fault("retry-after-date=20s")
    answer = cloud.get("/users")
    date, after = (email.utils.parsedate_to_datetime(answer.headers[h]).timestamp()
                   for h in ("Date", "Retry-After"))
    assert after - date == 20
    cloud.clear_faults()
    cloud.add_fault("retry-after=5s")
    assert cloud.get("/users").headers["Retry-After"] is None


def test_shuffle_changes_the_order_of_users(cloud):
    cloud.add_fault("shuffle")
    orders = {tuple(u["id"] for u in cloud.get("/users").data) for _ in range(20)}
    assert len(orders) > 1
    assert len({frozenset(order) for order in orders}) == 1


# ---- to whom, how often

def test_path_method_and_count(cloud):
    cloud.add_fault("status=503,path=/users,method=GET,count=2")
    user = {"name": "A", "email": "a@example.org", "phone": "+919876543210"}
    assert cloud.post("/users", user).status == 201
    assert cloud.get("/devices").status == 200
    assert [cloud.get("/users?limit=1").status for _ in range(4)] == [503, 503, 200, 200]
    assert cloud.faults() == [{"spec": "status=503,path=/users,method=GET,count=2", "picked": 2,
                               "left": 0}]


def test_a_path_with_a_star_is_a_beginning(cloud):
    cloud.add_fault("status=503,path=/reports/*")
    assert cloud.get("/reports/attendance").status == 503
    assert cloud.get("/users").status == 200


def test_chance_is_a_ratio_and_repeats_with_the_seed(build, tmp_path):
    runs = []
    for name in ("one", "two"):
        with Sandbox(build, tmp_path / name, "--seed", "7", "--fault", "status=503,p=0.3") as own:
            runs.append([own.get("/users?limit=1").status for _ in range(1000)])
    assert runs[0] == runs[1]
    assert 230 <= runs[0].count(503) <= 370


def test_the_first_end_wins_and_manners_add_up(cloud):
    cloud.add_fault("no-headers")
    cloud.add_fault("status=503,count=1")
    cloud.add_fault("status=502")
    answers = [cloud.get("/users") for _ in range(2)]
    assert [a.status for a in answers] == [503, 502]
    assert all(a.headers["X-RateLimit-Limit"] is None for a in answers)


def test_a_wrong_key_is_told_before_any_end(cloud):
    cloud.add_fault("status=503")
    assert cloud.get("/users", api_key="wrong").status == 401
    assert cloud.faults()[0]["picked"] == 0


def test_sandbox_paths_meet_no_faults(cloud):
    cloud.add_fault("drop-before")
    assert cloud.stats()["running"] == 0


@pytest.mark.parametrize("spec", [
    "", "nothing", "status", "status=abc", "status=600", "drop-before=1", "slow=1h", "slow=-1s",
    "skew", "skew=--1s", "html=", "garbage=99", "status=503,p=", "status=503,p=1.1", "html,p=nan",
    "status=503,path=users", "status=503,method=DELETE", "status=503,count=-1", "status=503,,",
    "status=503,times=2", pytest.param("x" * 600, id="long"),
])
def test_a_bad_fault_is_refused_at_run_time(cloud, spec):
    answer = cloud.request("POST", "/_sandbox/faults", {"spec": spec}, api_key=False)
    assert (answer.status, answer.error["param"]) == (400, "spec")
    assert cloud.faults() == []
