"""Twilio's signature on webhooks: HMAC-SHA1 over the public URL and the sorted parameters, with the Auth Token.

Source: Twilio, "Validating requests are coming from Twilio". API keys do not sign.
"""

import hmac
from collections.abc import Mapping, Sequence
from typing import Any

from twilio.request_validator import RequestValidator

SIGNATURE_HEADER = "X-Twilio-Signature"
# Appended to every webhook URL: without it Twilio retries only what it could not connect to. It is never sent.
CALLBACK_RETRIES = "#rc=3&rp=5xx,ct,rt"


def sign(token: str, url: str, params: Mapping[str, Any]) -> str:
    """Compute the signature Twilio would send; `params` is a mapping or a MultiDict with `getlist`."""
    return str(RequestValidator(token).compute_signature(url, params))


def valid_signature(tokens: Sequence[str], url: str, params: Mapping[str, Any], signature: str | None) -> bool:
    """Say whether any of the tokens (two during rotation) signed this request.

    `url` is the configured public URL + path + *raw* query string, exactly as Twilio was told it. `params` is the
    decoded form; a body that is not a form must be refused before, as a signature over no parameters says nothing
    about it. A missing header is simply not valid.
    """
    if not signature:
        return False
    # No early exit: the time must not tell which token it was.
    return any([_signed(token, url, params, signature) for token in tokens if token])  # noqa: C419


def _signed(token: str, url: str, params: Mapping[str, Any], signature: str) -> bool:
    # The URL to the letter as well: the SDK's own comparison drops a bare "?" at its end. And with our retry wish:
    # a signer may count the fragment as part of the address it was given.
    exact = [
        hmac.compare_digest(sign(token, address, params).encode(), signature.encode())
        for address in (url, url + CALLBACK_RETRIES)
    ]
    return bool(RequestValidator(token).validate(url, params, signature)) or any(exact)
