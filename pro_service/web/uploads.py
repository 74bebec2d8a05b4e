"""Files that people send: in memory alone."""

import io
from typing import IO

from flask import Request


class InMemoryRequest(Request):
    """A request whose files stay in memory: an enrolment file holds telephones, and no disk is to see it unsealed.

    How large it may be is bounded by MAX_CONTENT_LENGTH, which is checked before anything is read.
    """

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        del total_content_length, content_type, filename, content_length
        return io.BytesIO()
