"""Twilio's signature on webhooks: HMAC-SHA1 over the public URL and the sorted parameters, with the Auth Token.

Source: Twilio, "Validating requests are coming from Twilio". API keys do not sign.
"""

import base64
import hmac
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from twilio.request_validator import RequestValidator, add_port, remove_port

SIGNATURE_HEADER = "X-Twilio-Signature"
# Appended to every webhook URL: without it Twilio retries only what it could not connect to. It is never sent.
CALLBACK_RETRIES = "#rc=3&rp=5xx,ct,rt"


def sign(token: str, url: str, params: Mapping[str, Any]) -> str:
    """Return the signature Twilio would send; `params` is a mapping or a MultiDict with `getlist`."""
    return str(RequestValidator(token).compute_signature(url, params))


def valid_signature(tokens: Sequence[str], url: str, params: Mapping[str, Any], signature: str | None) -> bool:
    """Whether any of the tokens (two during rotation) signed this request.

    `url` is the configured public URL + path + *raw* query string, exactly as Twilio was given it. `params` is the
    decoded form; a body that is not a form must be refused before, because a signature over no parameters says nothing
    about it. A missing header is simply not valid.
    """
    if not signature:
        return False
    said, given = _signed_text(params), signature.encode()
    return _signed_by_one_of(tokens, url + said, given) or any(
        _signed_by_one_of(tokens, address + said, given) for address in _addresses(url) - {url}
    )


def _addresses(url: str) -> set[str]:
    """Return the ways in which a signer may have written this address.

    Exactly; with our retry parameters, which a signer may count as part of it; with a bare "?", which servers drop;
    with and without its port, as the SDK's own validator allows, which drops a bare "?" in turn.
    """
    bare = {url} if "?" in url else {url, f"{url}?"}
    parts = urlsplit(url)
    return bare | {each + CALLBACK_RETRIES for each in bare} | {add_port(parts), remove_port(parts)}


def _signed_text(params: Mapping[str, Any]) -> str:
    """Return the parameters as they are signed: sorted, each name with each of its values.

    Built once for each request. The SDK's validator builds it for each address and once more for the port, which costs
    more than the rest of a webhook.
    """
    values = getattr(params, "getlist", lambda name: [params[name]])
    return "".join(name + value for name in sorted(params) for value in sorted(set(values(name))))


def _signed_by_one_of(tokens: Sequence[str], text: str, given: bytes) -> bool:
    # No early exit: the time must not tell which token it was.
    return any([hmac.compare_digest(_signed(token, text), given) for token in tokens if token])  # noqa: C419


def _signed(token: str, text: str) -> bytes:
    return base64.b64encode(hmac.digest(token.encode(), text.encode(), "sha1"))
