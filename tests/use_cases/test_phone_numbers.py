"""Numbers in E.164 are read the short way, and come out as the library reads them."""

import phonenumbers
import pytest
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from pro_service.core.enrolment.cells import CellError
from pro_service.use_cases import phone_numbers

KINDS = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE)


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_every_region_s_numbers_are_the_library_s(region: str) -> None:
    for kind in KINDS:
        example = phonenumbers.example_number_for_type(region, kind)
        if example is None:
            continue
        e164 = phonenumbers.format_number(example, PhoneNumberFormat.E164)
        try:
            telephone = phone_numbers.read(e164, "TR")
        except CellError:
            continue  # a service's number, in regions that tell them apart by their digits only
        assert telephone.e164 == e164
        assert telephone.country == phonenumbers.region_code_for_number(phonenumbers.parse(e164, "TR"))


@pytest.mark.parametrize(
    "text",
    [
        "\u202a+12025550123\u202c",
        "+1\u00ad202\u20605550123",
        "\ufeff(202) 555-0123\u200f",
        "＋１２０２５５５０１２３",
        "+1\u200b 202 555 0123",
    ],
)
def test_what_cannot_be_seen_is_no_part_of_a_number(text: str) -> None:
    """As telephones and web pages copy one."""
    assert phone_numbers.read(text, "US").e164 == "+12025550123"


@pytest.mark.parametrize("text", ["+1202555012³", "+120255501½", "+1202555①123"])
def test_a_sign_that_is_no_digit_makes_no_number(text: str) -> None:
    with pytest.raises(CellError):
        phone_numbers.read(text, "US")


@pytest.mark.parametrize("text", ["+4901511234567", "+5401115550123", "+441511", "+13105550123", "+390612345678"])
@pytest.mark.parametrize("spaced", [False, True])
def test_one_number_is_the_same_however_it_is_written(text: str, spaced: bool) -> None:  # noqa: FBT001 -- a parameter
    written = f"{text[:5]} {text[5:]}" if spaced else text
    expected = phonenumbers.parse(text, "TR")
    try:
        telephone = phone_numbers.read(written, "TR")
    except CellError:
        assert phonenumbers.number_type(expected) == PhoneNumberType.UNKNOWN
    else:
        assert telephone.e164 == phonenumbers.format_number(expected, PhoneNumberFormat.E164)
