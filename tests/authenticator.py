"""An authenticator app and a letter box: codes as a telephone shows them (RFC 6238), mails as they come."""

import base64
import hashlib
import hmac
import re
import struct
from dataclasses import dataclass, field
from datetime import datetime

from flask.testing import FlaskClient

from pro_service.gateways.outgoing import Accepted, Outgoing
from tests import support


@dataclass
class Post:
    """A mail relay that takes everything and keeps it."""

    sent: list[Outgoing] = field(default_factory=list)

    def send(self, outgoing: Outgoing) -> Accepted:
        """Take one mail."""
        self.sent.append(outgoing)
        return Accepted(str(outgoing.message_id), "accepted")

    def link(self) -> str:
        """The path of the link in the newest mail that has one."""
        found = [re.search(r"(/welcome/\S+)", mail.body) for mail in self.sent]
        return [link[1] for link in found if link is not None][-1]


def code(secret: str, now: datetime) -> str:
    """What a telephone shows at this instant for a key as people type it."""
    key = base64.b32decode(secret.replace(" ", ""))
    mac = hmac.digest(key, struct.pack(">Q", int(now.timestamp()) // 30), hashlib.sha1)
    start = mac[-1] & 15
    return f"{(struct.unpack('>I', mac[start : start + 4])[0] & 0x7FFFFFFF) % 10**6:06}"


def key_on(page: str) -> str:
    """The key on the page that sets a second factor up."""
    found = re.search(r'<b class="number">([A-Z2-7 ]+)</b>', page)
    assert found is not None
    return found[1]


def codes_on(page: str) -> list[str]:
    """The recovery codes on the page that shows them once."""
    return re.findall(r"<code>([a-z0-9-]+)</code>", page)


def set_up(client: FlaskClient, now: datetime) -> tuple[str, list[str]]:
    """Set a second factor up for whoever is signed in: (key, recovery codes)."""
    page = client.get("/account/second-factor").text
    key = key_on(page)
    fields = {"csrf": support.csrf_of(page), "code": code(key, now)}
    done = client.post("/account/second-factor", data=fields)
    assert done.status_code == 200
    return key, codes_on(done.text)


def show(client: FlaskClient, what: str) -> int:
    """Type a code where it is asked for after the password; gives the answer's status."""
    page = client.get("/login/code").text
    return client.post("/login/code", data={"csrf": support.csrf_of(page), "code": what}).status_code
