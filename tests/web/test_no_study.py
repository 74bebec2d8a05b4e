"""Before a study is loaded every page answers: most say so, what belongs to a study is not found."""

import pytest
from flask.testing import FlaskClient

from pro_service.runtime import Runtime
from tests import support
from tests.web.test_roles import KNOWN

SAYS_SO = {
    "GET dashboard.today",
    "GET dashboard.compliance",
    "GET dashboard.outcomes",
    "GET dashboard.participants",
    "GET dashboard.messages",
    "GET dashboard.protocol",
    "GET dashboard.texts",
    "GET dashboard.worklist",
    "GET dashboard.inbox_page",
    "GET dashboard.enrol_form",
    "GET dashboard.import_form",
    "GET dashboard.what_if",
    "GET dashboard.column_names",
    "GET dashboard.confirmation",
    "GET dashboard.closing",
    "GET dashboard.data",
    "GET dashboard.paper",
    "GET dashboard.queries",
    "POST dashboard.search",
    "GET dashboard.cards",
    "GET dashboard.revelations_log",
    "GET clinic.list",
    "GET administration.team",
}
OTHERWISE = {
    "GET dashboard.today_lists": 303,
    "GET dashboard.inbox_text": 403,
    "POST dashboard.inbox_deal": 403,
    "POST dashboard.act": 404,
    "GET dashboard.ask": 403,
    "POST dashboard.asked": 403,
    "POST dashboard.close_query": 403,
}
NAMES = {"code": "P-001", "task": 1, "decision": 1, "text": 1, "message": 1, "user": 1, "query": 1}


@pytest.fixture
def desk(rt: Runtime, client: FlaskClient) -> FlaskClient:
    """Return a browser of somebody who may do everything, in an installation without a study."""
    for role in ("coordinator", "investigator", "administrator"):
        support.coordinator(rt, role=role, language="en")
    support.sign_in(client)
    return client


@pytest.mark.parametrize(
    "name", [name for name in KNOWN if name.partition(" ")[2].startswith(("dashboard.", "clinic."))]
)
def test_a_page_says_that_there_is_no_study_or_is_not_found(desk: FlaskClient, name: str) -> None:
    route, (method, _, endpoint) = KNOWN[name], name.partition(" ")
    csrf = support.csrf_of(desk.get("/account").text)
    fields = {"csrf": csrf, "task": "1", **route.fields} if method == "POST" else None
    answer = desk.open(route.path.format(**NAMES), method=method, data=fields)
    if name in SAYS_SO:
        assert (answer.status_code, "No study yet" in answer.text) == (200, True)
    elif endpoint == "dashboard.study":
        assert answer.status_code == 303
    else:
        assert answer.status_code == OTHERWISE.get(name, 404)


@pytest.mark.parametrize(
    "path", ["/team", "/users", "/users/invite", "/users/1", "/sites", "/system", "/audit", "/account"]
)
def test_pages_about_no_study_are_there_without_one(desk: FlaskClient, path: str) -> None:
    assert desk.get(path).status_code == 200


def test_a_page_of_no_study_cannot_be_asked_for_one_by_name(desk: FlaskClient) -> None:
    assert desk.get("/enrol?study=DEMO").status_code == 404
    assert desk.get("/compliance?study=DEMO").status_code == 200
