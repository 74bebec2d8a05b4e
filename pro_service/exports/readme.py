"""`README.txt`: what each file of a data set is, how programs read it, and what its reader must know."""

from collections.abc import Sequence
from datetime import datetime

from pro_service import documents
from pro_service.core.iso8601 import instant_text
from pro_service.exports.tables import Table

FILE = "README.txt"


def readme(
    *,
    study: str,
    title: str,
    as_of: datetime,
    tables: Sequence[Table],
    site: str = "",
    formats: Sequence[str] = ("csv",),
    excel: bool = False,
    demo: bool = False,
    simulated: bool = False,
) -> str:
    """Return the text, in English: the same for the same study, instant and options.

    `site`: the only site that is in the set, empty for all; `formats`: as the command names them;
    `simulated`: the telephones are.
    """
    values = {
        "study": study,
        "title": title,
        "as_of": instant_text(as_of),
        "tables": [(table.path, table.labels["en"]) for table in tables],
        "site": site,
        "formats": formats,
        "excel": excel,
        "demo": demo,
        "simulated": simulated,
    }
    return documents.render("export/readme.txt", "en", values) + "\n"
