"""Numbers in E.164 are read the short way, and come out as the library reads them."""

import phonenumbers
import pytest
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from pro_service.core.enrolment.cells import CellError
from pro_service.use_cases import phone_numbers

KINDS = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE)


def test_every_region_s_numbers_are_the_library_s() -> None:
    numbers = [
        phonenumbers.format_number(example, PhoneNumberFormat.E164)
        for region in sorted(phonenumbers.SUPPORTED_REGIONS)
        for kind in KINDS
        if (example := phonenumbers.example_number_for_type(region, kind)) is not None
    ]
    assert len(numbers) > 300
    for e164 in numbers:
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


@pytest.mark.parametrize(
    "written, country, prefix",
    [
        ("06 92 12 34 56", "FR", "+262"),
        ("+33 6 92 12 34 56", "FR", "+262"),
        ("0639\u202f01\u202f23\u202f45", "FR", "+262"),
        ("02 62 16 12 34", "FR", "+262"),
        ("0690.00.12.34", "FR", "+590"),
        ("0694201234", "FR", "+594"),
        ("0696201234", "FR", "+596"),
        ("55 12 34", "FR", "+508 +687"),
        ("05 08 55 12 34", "FR", "+508"),
        ("87 12 34 56", "FR", "+689"),
        ("75.12.34", "FR", "+508 +687"),
        ("06 12 34 56 78", "RE", "+33"),
        ("0690 00 12 34", "RE", "+590"),
        ("66 66 12 12", "IT", "+378"),
        ("312 345 6789", "SM", "+39"),
        ("660 234 567", "CH", "+423"),
        ("22 12 34", "DK", "+298 +299"),
        ("043 201 234", "RS", "+383"),
    ],
)
def test_a_number_of_a_country_that_writes_its_own_alike_is_refused_with_its_code(
    written: str, country: str, prefix: str
) -> None:
    with pytest.raises(CellError) as error:
        phone_numbers.read(written, country)
    assert error.value.problem.code == "phone_of_neighbour"
    assert error.value.problem.values["prefixes"] == tuple(prefix.split())


@pytest.mark.parametrize(
    "written, country, own",
    [
        ("07797 712345", "GB", "JE"),
        ("07781 123456", "GB", "GG"),
        ("07624 123456", "GB", "IM"),
        ("07400 123456", "JE", "GB"),
        ("(876) 555-1234", "US", "JM"),
        ("8 701 234 56 78", "RU", "KZ"),
        ("79 12 34 56", "NO", "SJ"),
        ("018 12345", "FI", "AX"),
        ("0692 12 34 56", "RE", "RE"),
    ],
)
def test_countries_of_one_code_are_told_apart_by_the_digits(written: str, country: str, own: str) -> None:
    assert phone_numbers.read(written, country).country == own
