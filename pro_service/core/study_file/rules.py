"""What must fit together in a protocol: windows, steps, items, ladder, sites. Adds its faults to those of the reading.

Paths count tables as the file does, so the protocol must come straight from it.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date, time, timedelta
from itertools import pairwise, product
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pro_service.core.problems import Problem, nearest, problem
from pro_service.core.protocol import Item, Level, LevelCode, Protocol, Site, Step, TimePoint
from pro_service.core.providers import SMS
from pro_service.core.schedule.calendar import is_of_machine
from pro_service.core.schedule.windows import add_offset, days_of
from pro_service.core.study_file.frames import whatsapp_frames
from pro_service.core.toml_faults import Faults

_FOUR_YEARS = tuple(date(2023, 3, 1) + timedelta(days=days) for days in range(4 * 365 + 1))
"""Every procedure date of a leap cycle: calendar months make windows meet on some dates only."""

_MOST_REMINDERS = 3
_MOST_BUTTONS, _LONGEST_BUTTON = 10, 20
"""How many buttons a WhatsApp message may have, and the characters of each."""
_MIDNIGHT = time(0)
_EMERGENCY = re.compile(r"\d{2,6}", re.ASCII)
_TELEPHONE = re.compile(r"\+\d[\d ]{6,18}\d", re.ASCII)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")

# ISO 3166-1 alpha-2, officially assigned.
_COUNTRIES = (
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ "
    "CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO "
    "FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE "
    "JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO "
    "MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW "
    "PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM "
    "TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW"
)


def check_rules(protocol: Protocol, faults: Faults) -> None:
    """Note everything that does not fit together. What was not read soundly is not judged a second time."""
    if protocol.starts and protocol.ends and protocol.ends < protocol.starts and not faults.touched("starts", "ends"):
        faults.add("ends", "study_backwards")
    for index, item in enumerate(protocol.items.values()):
        _check_item(item, f"item[{index}]", faults)
    for index, point in enumerate(protocol.time_points):
        _check_time_point(point, protocol, f"time_point[{index}]", faults)
    _check_codes(protocol.time_points, faults)
    _check_primary(protocol, faults)
    _check_order(protocol.time_points, faults)
    _check_ladder(protocol, faults)
    for index, site in enumerate(protocol.sites.values()):
        _check_site(site, f"site[{index}]", faults)
    for index, route in enumerate(protocol.routes):
        _check_country(route.country, f"route[{index}].country", faults)
    _check_templates(protocol, faults)


def contacts_missing(protocol: Protocol, text: str = "") -> tuple[Problem, ...]:
    """Return a fault for each site without a telephone or e-mail address, which participants are given.

    With the file's `text`, the faults have lines.
    """
    lines, found = Faults(text), []
    for index, site in enumerate(protocol.sites.values()):
        where = f"site[{index}]"
        for given, path, code in (
            (site.telephone, f"{where}.telephone", "site_telephone"),
            (site.email, f"{where}.email", "site_email"),
        ):
            if not given:
                found.append(problem(code, path, lines.line(path), site=site.code))
    return tuple(sorted(found, key=lambda one: (one.line or 0, one.path)))


def _check_item(item: Item, path: str, faults: Faults) -> None:
    if faults.touched(f"{path}.minimum", f"{path}.maximum"):
        return
    if item.minimum >= item.maximum:
        faults.add(f"{path}.maximum", "range_empty")
        return
    wanted = item.maximum - item.minimum + 1
    for language, choices in item.choices.items():
        if len(choices) != wanted and not faults.touched(f"{path}.choices.{language}"):
            where, given = f"{path}.choices.{language}", len(choices)
            faults.add(where, "choices_unfit", n=given, wanted=wanted, least=item.minimum, most=item.maximum)
    review_read = not faults.touched(f"{path}.review_at")
    if item.review_at is not None and review_read and not item.minimum <= item.review_at <= item.maximum:
        where, given = f"{path}.review_at", item.review_at
        faults.add(where, "review_at_outside", given=given, least=item.minimum, most=item.maximum)
    if item.review_rise is not None and item.review_rise > item.maximum - item.minimum:
        most = item.maximum - item.minimum
        faults.add(f"{path}.review_rise", "review_rise_impossible", given=item.review_rise, most=most)


def _check_primary(protocol: Protocol, faults: Faults) -> None:
    primary = [index for index, item in enumerate(protocol.items.values()) if item.primary]
    unread = (f"item[{index}].primary" for index in range(len(protocol.items)))
    if not primary and protocol.items and not faults.touched(*unread):
        faults.add("item", "no_primary")
    for index in primary[1:]:
        faults.add(f"item[{index}].primary", "second_primary")


def _check_time_point(point: TimePoint, protocol: Protocol, path: str, faults: Faults) -> None:
    for place, item in enumerate(point.items):
        if item and item not in protocol.items:
            near, known = nearest(item, protocol.items), tuple(protocol.items)
            faults.add(f"{path}.items[{place}]", "item_unknown", item=item, near=near, known=known)
    if point.planned_day == 0 and not faults.touched(f"{path}.planned_day"):
        faults.add(f"{path}.planned_day", "study_day_zero")
    _check_span(point, path, faults)
    if point.mode == "message" and not faults.touched(f"{path}.mode"):
        _check_asked(point, protocol, path, faults)
    elif not faults.touched(f"{path}.mode"):
        for key, given in (("invitation", point.steps), ("call", point.call_after is not None)):
            if given:
                faults.add(f"{path}.{key}", "clinic_asks")


def _check_span(point: TimePoint, path: str, faults: Faults) -> None:
    if point.minutes is not None:
        target, opens, closes = point.minutes
        if not (opens <= target <= closes and opens < closes) and not faults.touched(f"{path}.after_procedure"):
            faults.add(f"{path}.after_procedure", "minutes_backwards")
        if point.mode == "message" and not faults.touched(f"{path}.mode"):
            faults.add(f"{path}.mode", "minutes_for_messages")
        return
    if _unread(path, faults):
        return
    if -point.before > point.after:
        faults.add(f"{path}.last_day", "window_backwards")
    elif point.before < 0 or point.after < 0:
        faults.add(f"{path}.first_day" if point.before < 0 else f"{path}.last_day", "target_outside")
    if point.late is not None and not faults.touched(f"{path}.late_until"):
        days = days_of(point, _FOUR_YEARS[0])
        if add_offset(days.target, point.late)[0] < days.last:
            faults.add(f"{path}.late_until", "late_before_end")


def _check_asked(point: TimePoint, protocol: Protocol, path: str, faults: Faults) -> None:
    """A window that participants are asked in: its primary item, its prompts in order, its call before close."""
    primary = [item for item, asked in protocol.items.items() if asked.primary]
    if primary and not set(primary) & set(point.items) and not faults.touched(f"{path}.items"):
        faults.add(f"{path}.items", "primary_not_asked", item=primary[0])
    keys = [_key_of(step) for step in point.steps]
    if "invitation" not in keys:
        faults.add(f"{path}.invitation", "invitation_missing")
    if len(keys) > _MOST_REMINDERS + 1:
        faults.add(f"{path}.reminder[{_MOST_REMINDERS}]", "too_many_reminders", most=_MOST_REMINDERS)
    if point.call_after is None:
        faults.add(f"{path}.call", "call_missing")
    if _unread(path, faults):
        return
    for place, key in enumerate(keys):
        if not faults.touched(f"{path}.{key}"):
            _check_step(point, place, protocol.useless_before_close, f"{path}.{key}", faults)
    _check_call(point, path, faults)


def _check_step(point: TimePoint, place: int, useless: timedelta, path: str, faults: Faults) -> None:
    step = point.steps[place]
    if not -point.before <= step.after <= point.after:
        code = "prompt_after_close" if step.after > 0 else "prompt_before_open"
        faults.add(f"{path}.after", code, least=-point.before, most=point.after)
    elif _moment(point.after + 1) - _moment(step.after, step.at) < useless:
        faults.add(f"{path}.at", "prompt_useless", hours=useless // timedelta(hours=1))
    if place and step.after <= point.steps[place - 1].after:
        faults.add(f"{path}.after", "prompts_unordered")


def _check_call(point: TimePoint, path: str, faults: Faults) -> None:
    if point.call_after is None or faults.touched(f"{path}.call", f"{path}.invitation"):
        return
    call = _moment(point.call_after, point.call_at)
    if call >= _moment(point.after + 1):
        faults.add(f"{path}.call.after", "call_after_close")
    elif point.steps and call <= _moment(point.steps[0].after, point.steps[0].at):
        faults.add(f"{path}.call.after", "call_before_invitation")


def _check_codes(points: Sequence[TimePoint], faults: Faults) -> None:
    seen: dict[str, int] = {}
    for index, point in enumerate(points):
        if point.code and point.code in seen:
            other = f"time_point[{seen[point.code]}]"
            faults.add(f"time_point[{index}].code", "time_point_taken", code=point.code, other=other)
        seen.setdefault(point.code, index)


def _check_order(points: Sequence[TimePoint], faults: Faults) -> None:
    """Targets in the order of the file on every procedure date, and no two message windows at once."""
    sound = [
        (index, point)
        for index, point in enumerate(points)
        if point.minutes is None and not _unread(f"time_point[{index}]", faults)
    ]
    for (_, earlier), (index, point) in pairwise(sound):
        day = next((day for day in _FOUR_YEARS if days_of(point, day).target < days_of(earlier, day).target), None)
        if day is not None:
            where = f"time_point[{index}].target"
            faults.add(where, "time_points_unordered", code=point.code, earlier=earlier.code)
    asked = [(index, point) for index, point in sound if point.prompted]
    for (_, earlier), (index, point) in pairwise(asked):
        day = next((day for day in _FOUR_YEARS if _overlap(earlier, point, day)), None)
        if day is not None and not faults.touched(f"time_point[{index}].target"):
            first, last = days_of(point, day).first, days_of(earlier, day).last
            found = {"earlier": earlier.code, "later": point.code, "day": day, "last": last, "first": first}
            faults.add(f"time_point[{index}].first_day", "windows_overlap", **found)


def _check_ladder(protocol: Protocol, faults: Faults) -> None:
    for code, level in protocol.ladder.items():
        path = f"ladder.{code}"
        if faults.touched(path):
            continue
        if (level.due_working_days is None) == (level.due_hours is None):
            faults.add(path, "level_deadline")
        if _returns(code, protocol.ladder):
            faults.add(f"{path}.next", "ladder_circle")


def _check_site(site: Site, path: str, faults: Faults) -> None:
    if is_of_machine(site.zone):
        faults.add(f"{path}.zone", "zone_of_machine", given=f'"{site.zone}"')
    elif site.zone and not _is_zone(site.zone):
        near = nearest(site.zone, available_timezones())
        faults.add(f"{path}.zone", "zone_unknown", zone=site.zone, near=near)
    _check_country(site.country, f"{path}.country", faults)
    if site.telephone and not _TELEPHONE.fullmatch(site.telephone):
        faults.add(f"{path}.telephone", "site_telephone_unfit", given=site.telephone)
    if site.emergency and not _EMERGENCY.fullmatch(site.emergency):
        faults.add(f"{path}.emergency", "site_emergency_unfit", given=site.emergency)
    if site.provider and site.provider not in SMS:
        faults.add(f"{path}.provider", "provider_unknown", given=site.provider, known=tuple(SMS))
    if site.email and not _EMAIL.fullmatch(site.email):
        faults.add(f"{path}.email", "site_email_unfit", given=site.email)


def _check_country(country: str, path: str, faults: Faults) -> None:
    countries = _COUNTRIES.split()
    if country and country not in countries:
        faults.add(path, "country_unknown", country=country, near=nearest(country.upper(), countries))


def _check_templates(protocol: Protocol, faults: Faults) -> None:
    """A study that asks on WhatsApp has one template for each text that begins a conversation and each language."""
    if not protocol.whatsapp_templates or faults.touched("time_point"):
        return
    frames, seen = whatsapp_frames(protocol), dict[tuple[str, str], str]()
    for index, one in enumerate(protocol.whatsapp_templates):
        path, key = f"whatsapp_template[{index}]", (one.frame, one.language)
        for name, given, known in (("frame", one.frame, frames), ("language", one.language, protocol.languages)):
            if given not in known and not faults.touched(f"{path}.{name}", "languages"):
                faults.add(f"{path}.{name}", "choice_unknown", given=given, near=nearest(given, known), known=known)
        if key in seen:
            faults.add(path, "template_twice", frame=one.frame, language=one.language, other=seen[key])
        seen.setdefault(key, path)
        for number, label in enumerate(one.buttons):
            if number >= _MOST_BUTTONS or len(label) > _LONGEST_BUTTON:
                faults.add(f"{path}.buttons[{number}]", "button_unfit", most=_MOST_BUTTONS, longest=_LONGEST_BUTTON)
    for frame, language in product(frames, protocol.languages):
        if (frame, language) not in seen:
            faults.add("whatsapp_template", "template_missing", frame=frame, language=language)


def _overlap(earlier: TimePoint, later: TimePoint, day: date) -> bool:
    before, after = days_of(earlier, day), days_of(later, day)
    return after.first <= before.last and before.first <= after.last


def _returns(code: LevelCode, ladder: Mapping[LevelCode, Level]) -> bool:
    """Whether following `next` from a level comes back to it."""
    here = ladder[code].next
    for _ in ladder:
        if here is None or here == code:
            break
        here = ladder[here].next
    return here == code


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _unread(path: str, faults: Faults) -> bool:
    """Whether the days of the time point at this path are stand-ins."""
    return faults.touched(f"{path}.target", f"{path}.first_day", f"{path}.last_day")


def _key_of(step: Step) -> str:
    name, _, number = step.name.partition("-")
    return f"reminder[{int(number) - 1}]" if number else name


def _moment(days: int, at: time = _MIDNIGHT) -> timedelta:
    return timedelta(days=days, hours=at.hour, minutes=at.minute)
