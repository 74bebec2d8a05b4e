"""Answers go compressed to a browser that takes them so, unless another site has led it here.

The length of a compressed page tells what else is in it to somebody who puts guesses into the page and listens on the
line (BREACH). Only another site makes a browser put them there, again and again, and browsers say when one does: such a
page goes as it is, and so does each whose browser says nothing.
"""

import zlib
from collections.abc import Iterable, Iterator

from flask import Flask, request
from werkzeug.wrappers import Response

LEVEL = 4
"""Of zlib: a quarter of a millisecond for a page. Level 6 takes half as long again for a tenth less."""
LEAST = 1000
"""Bytes. Less goes in one packet anyway."""
TYPES = frozenset({"text/html", "text/csv", "text/css", "text/javascript", "image/svg+xml"})
NOT_LED_HERE = frozenset({"same-origin", "none"})
"""Values of `Sec-Fetch-Site`: a page of ours asks, or the browser's user alone."""
WITHOUT_BODY = (204, 206, 304)
"""Statuses of answers without a whole body."""
_GZIP = zlib.MAX_WBITS + 16


def install(app: Flask) -> None:
    """Compress what is answered. Handlers run in the opposite order: those added later have set their headers."""

    @app.after_request
    def compress(response: Response) -> Response:
        if response.mimetype in TYPES:
            response.vary.update(("Accept-Encoding", "Sec-Fetch-Site"))
            if not _is_short(response) and response.status_code not in WITHOUT_BODY and _may_be_compressed():
                _compress(response)
        return response


def _is_short(response: Response) -> bool:
    # What is written while it is read has no length yet.
    return (response.content_length or LEAST) < LEAST


def _may_be_compressed() -> bool:
    # What is in static/ is the same for everybody, and tells nothing.
    led_here = request.headers.get("Sec-Fetch-Site") not in NOT_LED_HERE and request.endpoint != "static"
    return not led_here and request.accept_encodings["gzip"] > 0


def _compress(response: Response) -> None:
    response.headers["Content-Encoding"] = "gzip"
    response.headers.remove("Accept-Ranges")
    tag, _ = response.get_etag()
    if tag is not None:
        # The same page in other bytes (RFC 9110, 8.8.1).
        response.set_etag(tag, weak=True)
    if response.is_streamed and not response.direct_passthrough:
        # A file that is written while it is read.
        response.response = _packed(response.iter_encoded())
    else:
        response.direct_passthrough = False
        response.set_data(b"".join(_packed([response.get_data()])))


def _packed(parts: Iterable[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(LEVEL, wbits=_GZIP)
    for part in parts:
        if packed := packer.compress(part):
            yield packed
    yield packer.flush()
