"""Pages go compressed where no other site has led to them, and what they say is the same."""

import gzip

import pytest
from flask.testing import FlaskClient

from pro_service.runtime import Runtime
from tests import support

OURS = {"Accept-Encoding": "gzip, br", "Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def desk(client: FlaskClient, rt: Runtime, participant: int) -> FlaskClient:
    """Return a browser in which a coordinator is signed in."""
    assert participant
    support.coordinator(rt)
    support.sign_in(client)
    return client


@pytest.mark.parametrize("path", ["/", "/participants.csv", "/static/pro.css"])
def test_what_is_compressed_says_the_same(desk: FlaskClient, path: str) -> None:
    plain, packed = desk.get(path, buffered=True), desk.get(path, headers=OURS, buffered=True)
    assert (plain.status_code, packed.status_code) == (200, 200)
    assert ("Content-Encoding" in plain.headers, packed.headers["Content-Encoding"]) == (False, "gzip")
    assert gzip.decompress(packed.data) == plain.data
    assert len(packed.data) < len(plain.data) or path.endswith(".csv")
    assert {"accept-encoding", "sec-fetch-site"} <= plain.vary.as_set() & packed.vary.as_set()


@pytest.mark.parametrize(
    "changed", [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": ""}, {"Accept-Encoding": "gzip;q=0, br"}]
)
def test_a_page_that_another_site_led_to_goes_as_it_is(desk: FlaskClient, changed: dict[str, str]) -> None:
    assert "Content-Encoding" not in desk.get("/?done=guess", headers=OURS | changed).headers


def test_a_compressed_file_that_has_not_changed_is_not_sent_again(desk: FlaskClient) -> None:
    first = desk.get("/static/pro.css", headers=OURS, buffered=True)
    again = desk.get("/static/pro.css", headers=OURS | {"If-None-Match": first.headers["ETag"]}, buffered=True)
    assert (first.headers["ETag"][:2], again.status_code, again.data) == ("W/", 304, b"")


def test_what_fits_one_packet_goes_as_it_is(client: FlaskClient) -> None:
    answer = client.get("/static/pro.svg", headers=OURS, buffered=True)
    assert (answer.status_code, "Content-Encoding" in answer.headers) == (200, False)
