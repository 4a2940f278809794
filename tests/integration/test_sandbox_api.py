"""What the documentation says beside single calls: what there is not, and what holds for all of them."""
import pytest

from sandbox import Sandbox

SECRET = "sk_live_that_nobody_may_see"


@pytest.fixture(scope="module")
def cloud(build, tmp_path_factory):
    with Sandbox(build, tmp_path_factory.mktemp("cloud"), "--verbose", key=SECRET) as sandbox:
        yield sandbox


def test_the_key_is_in_no_log_and_no_answer(cloud):
    answers = [cloud.get("/users"), cloud.get("/users", api_key=SECRET + "x"), cloud.post_attendance(),
               cloud.post("/attendance", {"user_id": "usr_000001"}), cloud.get("/nowhere"),
               cloud.ask(cloud.connect(), "GET", "/"), cloud.ask(cloud.connect(), "GET", "/_sandbox/stats")]
    assert {a.status for a in answers} >= {200, 201, 400, 401, 404}
    for answer in answers:
        assert SECRET.encode() not in answer.body and SECRET not in str(answer.headers)
    assert "/v1/users" in cloud.log() and SECRET not in cloud.log()


def test_there_is_no_other_call(cloud):
    """Attendance is not read back, users are not read alone, and nothing is sent together."""
    record = cloud.post_attendance().data
    before = len(cloud.records())
    for path in (f"/attendance/{record['id']}", "/users/usr_000001", "/devices/dev_000001", "/records"):
        answer = cloud.get(path)
        assert (answer.status, answer.error["code"]) == (404, "unknown_endpoint"), path
    for path in ("/attendance", "/attendance?user_id=usr_000001"):
        assert cloud.get(path).status == 405
    for method in ("PUT", "PATCH", "DELETE"):
        assert cloud.request(method, "/users").status == 405
    for path in ("/attendance/batch", "/attendance/bulk"):
        assert cloud.post(path, [cloud.punch()]).status == 404
    assert cloud.post("/attendance", [cloud.punch(), cloud.punch()]).status == 400
    assert len(cloud.records()) == before


def test_a_record_is_told_as_it_was_sent(cloud):
    sent = cloud.punch(user="usr_000003", kind="check_out", timestamp="2023-01-16T17:45:12Z")
    answer = cloud.post("/attendance", sent | {"note": "not a member"})
    assert answer.data == sent | {"id": answer.data["id"], "created_at": answer.data["created_at"]}


def test_the_same_mistake_is_refused_alike(cloud):
    """Code and param, by which a client sees that it is one mistake."""
    refusals = {(a.status, a.error["code"], a.error["param"]) for a in (
        cloud.post_attendance(user=f"usr_{n % 5 + 1:06d}", device="dev_of_a_wrong_setting",
                              timestamp=f"2023-01-16T08:00:{n:02d}Z") for n in range(20))}
    assert refusals == {(404, "not_found", "device_id")}


@pytest.mark.parametrize("status", [301, 302, 400, 402, 404, 405, 407, 408, 410, 413, 415, 422, 501, 502, 504])
def test_every_status_can_be_had(cloud, status):
    """Of which many are no answer of the API, but of what is on the road to it."""
    before = len(cloud.records())
    for spec in (f"status={status},count=1", f"html={status},count=1"):
        cloud.add_fault(spec)
        answer = cloud.post_attendance()
        assert answer.status == status
        assert answer.body.startswith(b"<!DOCTYPE html>" if "html" in spec else b'{"error":')
    cloud.clear_faults()
    assert len(cloud.records()) == before
