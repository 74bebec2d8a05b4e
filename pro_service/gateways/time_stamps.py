"""A time-stamping authority (RFC 3161): it signs that it has seen a text at an instant, without seeing the text.

The libraries are imported where they are used: they take long, and few installations have an authority.
"""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from pro_service.core.addresses import is_this_machine
from pro_service.gateways.outgoing import Refused, Unavailable

TIMEOUTS = (5.0, 10.0)
"""Seconds to connect, and to wait for the answer."""
LARGEST = 256 * 1024
"""Bytes of an answer; the usual ones have two to six thousand."""
QUERY = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}


class NotGenuineError(Exception):
    """This is no time stamp of the authority over this text."""


@dataclass(frozen=True, slots=True)
class TimeStamps:
    """An authority that is asked for time stamps, and whose time stamps are checked."""

    url: str | None
    """None: no time stamp is asked for; stored ones can still be checked."""
    certificates: bytes
    """Certificates of the authorities that issued the signing ones, in PEM."""
    timeouts: tuple[float, float] = TIMEOUTS

    def stamp(self, text: str) -> bytes:
        """Return the authority's answer over a text, checked. Raise Unavailable, or Refused: it is no time stamp."""
        from rfc3161_client import HashAlgorithm, TimestampRequestBuilder, VerifierBuilder  # noqa: PLC0415

        asked = TimestampRequestBuilder().data(text.encode()).hash_algorithm(HashAlgorithm.SHA256).build()
        answer = self._post(asked.as_bytes())
        try:
            self._verify(VerifierBuilder.from_request(asked), answer, text)
        except NotGenuineError:
            raise Refused from None
        return answer

    def check(self, response: bytes, text: str) -> datetime:
        """Return when the authority saw this text; NotGenuineError if this is not its time stamp over it."""
        from rfc3161_client import VerifierBuilder  # noqa: PLC0415

        return self._verify(VerifierBuilder(), response, text)

    def _verify(self, builder: Any, response: bytes, text: str) -> datetime:
        from cryptography import x509  # noqa: PLC0415
        from rfc3161_client import VerificationError, decode_timestamp_response  # noqa: PLC0415

        for certificate in dict.fromkeys(x509.load_pem_x509_certificates(self.certificates)):
            builder = builder.add_root_certificate(certificate)
        try:
            found = decode_timestamp_response(response)
            builder.build().verify_message(found, text.encode())
            return found.tst_info.gen_time.astimezone(UTC)
        except (VerificationError, ValueError) as fault:
            raise NotGenuineError from fault

    def _post(self, query: bytes) -> bytes:
        import requests  # noqa: PLC0415

        url = self.url or ""
        with requests.Session() as session:
            # A proxy that the environment names is not for addresses on this machine.
            session.trust_env = not is_this_machine(urlsplit(url).hostname)
            try:
                # Redirects are not followed: only the address in the settings gets the question.
                how: dict[str, Any] = {"timeout": self.timeouts, "stream": True, "allow_redirects": False}
                with session.post(url, data=query, headers=QUERY, **how) as answer:
                    if answer.status_code != requests.codes.ok:
                        raise Unavailable(answer.status_code)
                    return self._body(answer)
            except requests.RequestException:
                raise Unavailable from None

    def _body(self, answer: Any) -> bytes:
        """Return the authority's answer; raise Unavailable if it does not end in time or is too long."""
        until, body = time.monotonic() + sum(self.timeouts), bytearray()
        # Byte by byte: the time limit of a read starts again with each packet, so a larger piece could take for ever.
        for piece in answer.iter_content(1):
            body += piece
            if len(body) > LARGEST or time.monotonic() > until:
                raise Unavailable
        return bytes(body)
