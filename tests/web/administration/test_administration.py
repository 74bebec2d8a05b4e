"""Administration: users invited, given roles, shut out; the audit trail as each role may read it; health."""

import logging
import re
from dataclasses import replace
from datetime import date

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from pro_service.core.problems import RejectedError
from pro_service.reports import audit
from pro_service.runtime import Runtime
from pro_service.store.schema import audit_trail, roles, users
from pro_service.use_cases.delivery.deliver import deliver
from pro_service.use_cases.staff import administration
from pro_service.use_cases.tasks import calls
from pro_service.web.app import create_app
from tests import support
from tests.authenticator import Post
from tests.peers import databases
from tests.support import EMAIL

ADMIN = "admin@example.org"
PHONE = "+12025550123"


@pytest.fixture
def post() -> Post:
    """Return where mails go."""
    return Post()


@pytest.fixture
def rt(rt: Runtime, post: Post) -> Runtime:
    """Return a runtime that can send mails."""
    return replace(rt, mail=post)


@pytest.fixture
def office(rt: Runtime, study_id: int, client: FlaskClient) -> FlaskClient:
    """Return a browser in which an administrator is signed in."""
    assert study_id
    support.coordinator(rt, ADMIN, role="administrator", language="en")
    support.sign_in(client, ADMIN)
    return client


def user(rt: Runtime, email: str) -> int:
    """Return the id of an account."""
    with rt.sessions.reading() as session:
        return int(session.scalars(select(users.c.id).where(users.c.email == email)).one())


def sent(client: FlaskClient, path: str, **fields: str) -> tuple[int, str]:
    """Send a form: (status, where it leads or what it says)."""
    csrf = support.csrf_of(client.get("/account").text)
    answer = client.post(path, data={"csrf": csrf, **fields})
    return answer.status_code, answer.location or answer.text


def test_where_no_mail_can_be_sent_an_invitation_is_shown_once_to_be_handed_over(
    rt: Runtime, study_id: int, caplog: pytest.LogCaptureFixture
) -> None:
    assert study_id
    app = create_app(replace(rt, mail=None))
    office, owner = app.test_client(), app.test_client()
    support.coordinator(rt, ADMIN, role="administrator", language="en")
    support.sign_in(office, ADMIN)
    fields = {"email": "new@example.org", "role": "coordinator", "place": "DEMO/IST", "language": "en"}
    with caplog.at_level(logging.INFO, "pro_service"):
        status, page = sent(office, "/users/invite", **fields)
        assert status == 200
        first = re.search(r"/welcome/([\w-]+)<", page)
        assert first is not None
        user_id = user(rt, "new@example.org")
        assert "/welcome/" not in office.get(f"/users/{user_id}").text
        # Another ends the one before.
        again = re.search(r"/welcome/([\w-]+)<", sent(office, f"/users/{user_id}/send-link")[1])
        assert again is not None
    assert [owner.get(f"/welcome/{token}").status_code for token in (first[1], again[1])] == [410, 200]
    assert not [record for record in caplog.records if first[1] in str(vars(record)) or again[1] in str(vars(record))]
    # For an account that is in use already, a link comes only by mail to its owner.
    status, page = sent(office, f"/users/{user(rt, ADMIN)}/send-link")
    assert (status, "/welcome/" in page) == (422, False)
    app.extensions["intake"].close()


@databases.ON_BOTH
def test_an_administrator_invites_and_the_mail_goes_out(rt: Runtime, office: FlaskClient, post: Post) -> None:
    fields = {"email": "New@Example.org", "role": "coordinator", "place": "DEMO/IST", "language": "tr"}
    status, location = sent(office, "/users/invite", **fields)
    assert (status, location.endswith("?done=invited")) == (303, True)
    deliver(rt)
    assert [(mail.to, mail.subject) for mail in post.sent] == [("new@example.org", "PRO Service: hesabınız")]
    page = office.get(location).text
    assert "The invitation is on its way." in page
    assert "DEMO, IST" in page


def test_an_invitation_keeps_what_was_typed_and_names_each_fault(office: FlaskClient) -> None:
    status, page = sent(office, "/users/invite", email="no address", role="boss", place="DEMO/XXX")
    assert status == 422
    for part in ('value="no address"', 'id="f-email"', 'id="f-role"', 'id="f-place"', 'role="alert"'):
        assert part in page


@databases.ON_BOTH
def test_a_role_is_given_once_and_ended_once(rt: Runtime, office: FlaskClient) -> None:
    user_id = support.coordinator(rt, site="IST")
    path = f"/users/{user_id}"
    given = {"role": "monitor", "place": "DEMO/*"}
    assert sent(office, f"{path}/grant", **given)[1].endswith("done=grant")
    assert sent(office, f"{path}/grant", **given)[1].endswith("done=unchanged")
    with rt.sessions.reading() as session:
        role_id = session.scalars(select(roles.c.id).where(roles.c.role == "monitor")).one()
    assert sent(office, f"{path}/revoke", of=str(role_id))[1].endswith("done=revoke")
    assert sent(office, f"{path}/revoke", of=str(role_id))[1].endswith("done=unchanged")


def test_whoever_is_shut_out_is_out_at_once_and_back_with_the_same_password(
    rt: Runtime, app_of_two: tuple[FlaskClient, FlaskClient]
) -> None:
    office, other = app_of_two
    user_id = support.coordinator(rt)
    support.sign_in(other)
    assert sent(office, f"/users/{user_id}/disable")[0] == 303
    assert other.get("/").location.startswith("/login?")
    assert support.sign_in(other).status_code == 422
    assert sent(office, f"/users/{user_id}/enable")[0] == 303
    assert support.sign_in(other).status_code == 303


@pytest.fixture
def app_of_two(office: FlaskClient) -> tuple[FlaskClient, FlaskClient]:
    """Return the administrator's browser and somebody else's."""
    return office, office.application.test_client()


@databases.ON_BOTH
def test_nobody_shuts_out_themselves_or_the_last_administrator(rt: Runtime, office: FlaskClient) -> None:
    admin = user(rt, ADMIN)
    with rt.sessions.reading() as session:
        role_id = session.scalars(select(roles.c.id).where(roles.c.user_id == admin)).one()
    status, page = sent(office, f"/users/{admin}/disable")
    assert (status, "ask another administrator" in page) == (422, True)
    status, page = sent(office, f"/users/{admin}/revoke", of=str(role_id))
    assert (status, "must remain administrator" in page) == (422, True)
    with pytest.raises(RejectedError):
        administration.disable(rt, support.SETUP, admin)
    support.coordinator(rt, "second@example.org", role="administrator")
    assert administration.disable(rt, support.SETUP, admin)


def test_pages_of_users_that_do_not_exist_are_not_found(office: FlaskClient) -> None:
    for path in ("/users/999999", f"/users/{2**63}"):
        assert office.get(path).status_code == 404
    assert sent(office, "/users/999999/disable")[0] == 404


@databases.ON_BOTH
def test_users_are_searched_and_listed_in_pages(rt: Runtime, office: FlaskClient) -> None:
    with rt.sessions.begin() as session:
        for number in range(60):
            row = {"email": f"u{number:02}@example.org", "language": "en", "created_at": rt.clock()}
            session.execute(users.insert().values(id=10_000 + number, **row))
    first = office.get("/users").text
    assert "u40@" in first
    assert "u59@" not in first
    assert "u59@" in office.get("/users?after=u48@example.org").text
    found = office.get("/users?search=U07").text
    assert "u07@" in found
    assert "u08@" not in found


def test_sites_and_health_are_shown(office: FlaskClient) -> None:
    assert "Istanbul Demo Clinic" in office.get("/sites").text
    page = " ".join(office.get("/system").text.split())
    assert "Scheduler" in page
    assert re.search(r"<b>Newest backup</b>.{,200}none in BACKUP_DIR", page)
    assert re.search(r"Free space for .{,200}>[\d,]+ MB</span>", page)


# --- the audit trail --------------------------------------------------------------------------------------------------


@pytest.fixture
def trail(rt: Runtime, study_id: int, clock: support.SetClock) -> int:
    """Return a coordinator who looked at a number, with answers at two sites in the trail."""
    clock.now = support.at("2026-03-02 15:00")
    for code, site in (("P-001", "IST"), ("P-002", "BER")):
        support.enrolled(rt, study_id, code, date(2026, 3, 2), site=site, phone=PHONE)
    user_id = support.coordinator(rt, site="IST", language="en")
    clock.now = support.at("2026-03-09 10:00")
    support.answered(rt, "P-001", "W1", {"NRS-AVG": "7", "PGIC": "2"})
    support.answered(rt, "P-002", "W1", {"NRS-AVG": "4", "PGIC": "3"})
    actor = replace(support.SETUP, kind="staff", id=f"user:{user_id}", user_id=user_id)
    calls.show_telephone(rt, actor, study_id, "P-001")
    return user_id


def test_a_coordinator_reads_their_sites_trail_with_values_masked(client: FlaskClient, trail: int) -> None:
    assert trail
    support.sign_in(client)
    page = client.get("/audit").text
    assert "P-001" in page
    assert "P-002" not in page
    assert re.search(r"NRS-AVG</span>:\s+•••", page)
    assert "Signed in" not in page
    assert PHONE not in page
    # Whether a code exists at another site is not told either.
    other, none = (client.get(f"/audit?participant={code}") for code in ("P-002", "P-999"))
    assert (other.status_code, other.text.replace("P-002", "")) == (422, none.text.replace("P-999", ""))


def test_a_monitor_reads_values_and_no_typed_words_an_investigator_both(
    rt: Runtime, client: FlaskClient, trail: int
) -> None:
    assert trail
    for role, words in (("monitor", False), ("data-manager", False), ("investigator", True)):
        email = f"{role}@example.org"
        support.coordinator(rt, email, role=role, study="DEMO")
        browser = client.application.test_client()
        support.sign_in(browser, email)
        page = browser.get("/audit").text
        assert re.search(r"NRS-AVG</span>:\s+7\b", page)
        assert "P-002" in page
        assert ("entered by a test" in page) == words
        assert PHONE not in page


def test_an_administrator_reads_of_accounts_and_never_of_participants(office: FlaskClient, trail: int) -> None:
    assert trail
    page = office.get("/audit").text
    assert "Role given" in page
    assert "Signed in" in page
    assert "P-001" not in page
    assert "NRS-AVG" not in page
    assert office.get("/audit?participant=P-001").status_code == 422


@databases.ON_BOTH
def test_the_trail_is_filtered_by_who_what_whom_and_when(rt: Runtime, client: FlaskClient, trail: int) -> None:
    assert trail
    support.coordinator(rt, "monitor@example.org", role="monitor")
    support.sign_in(client, "monitor@example.org")

    def rows(query: str) -> int:
        return client.get(f"/audit?{query}").text.count('<th scope="row"')

    assert rows(f"who={EMAIL}") == 1
    assert rows("action=view_contact") == 1
    assert rows("action=answer") == 4
    assert rows("action=answer&participant=P-002") == 2
    assert rows("action=answer&from=2026-03-09&to=2026-03-09") == 4
    assert rows("action=answer&from=2026-03-10") == 0
    assert rows("action=answer&to=2026-03-08") == 0
    assert rows("action=enrol&to=2026-03-02") == 2


@pytest.mark.parametrize(
    "query, fault",
    [
        ("who=nobody@example.org", "f-who"),
        ("from=yesterday", "f-from"),
        ("from=2026-03-09&to=2026-03-01", "f-to"),
        ("participant=P-999", "f-participant"),
    ],
)
def test_a_filter_that_means_nothing_is_said_beside_its_field(
    client: FlaskClient, trail: int, query: str, fault: str
) -> None:
    assert trail
    support.sign_in(client)
    answer = client.get(f"/audit?{query}")
    assert (answer.status_code, f'id="{fault}"' in answer.text) == (422, True)


@databases.ON_BOTH
def test_pages_of_the_trail_meet_without_a_gap(rt: Runtime, study_id: int, trail: int) -> None:
    assert trail
    with rt.sessions.reading() as session:
        every = list(session.scalars(select(audit_trail.c.id).where(audit_trail.c.study_id == study_id)))
        reach = audit.Reach(study_id, None, system=False, values=True, free_text=True)
        found: list[int] = []
        before: int | None = None
        while True:
            lines, after = audit.page(session, reach, audit.AuditQuery(before=before), rt.vault, size=3)
            found += [line.id for line in lines]
            if after is None:
                break
            before = after
    assert found == sorted(every, reverse=True)
