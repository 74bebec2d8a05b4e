"""What `study check` and the check of routes find, in the reader's language."""

from collections.abc import Mapping

from babel import Locale

from pro_service.core.problems import ALLOWED, FINDINGS, Fault
from pro_service.core.routes import Finding
from pro_service.web.i18n import gettext, language


def of_fault(fault: Fault) -> tuple[str, str]:
    """(what, what to do) of a fault in a text or a site; as it stands where it has no code."""
    return _said(fault.code, dict(fault.values)) if fault.code else (fault.fault, fault.remedy)


def of_route(finding: Finding) -> tuple[str, str]:
    """(what, what to do) of a finding about a route."""
    if not finding.code:
        return finding.reason, finding.remedy
    values = dict(finding.values)
    name = Locale(language()).territories.get(str(values.pop("of", "")))
    values |= {"country": name} if name else {}
    if "caution" in values:
        values["caution"] = gettext(str(values["caution"]))
    what, remedy = _said(finding.code, values)
    return (gettext(ALLOWED).format(reason=what, stated=finding.stated) if finding.stated else what), remedy


def _said(code: str, values: Mapping[str, object]) -> tuple[str, str]:
    what, remedy = FINDINGS[code]
    return gettext(what).format(**values), gettext(remedy).format(**values)
