"""SMS encoding and segments, frames, internet addresses, masked numbers."""

import re
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pro_service import core
from pro_service.core.texts import FrameError, contains_address, encoding, fill, masked, placeholders, segments, units

BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
LIST = resources.files(core).joinpath("tlds-alpha-by-domain.txt").read_text(encoding="ascii")
NAMES = [line for line in LIST.splitlines() if not line.startswith("#")]
EXTENSION = "\f^{}\\[~]|€"


def test_the_basic_alphabet_has_127_characters_of_one_septet() -> None:
    assert len(set(BASIC)) == 127  # 128 places, one of them the escape
    assert encoding(BASIC) == "GSM-7"
    assert units(BASIC) == 127


def test_the_extension_takes_two_septets() -> None:
    assert encoding(EXTENSION) == "GSM-7"
    assert units(EXTENSION) == 20


@pytest.mark.parametrize("letter", "şŞğĞıİç`\x1b\tâ😀")
def test_one_letter_outside_makes_the_whole_text_ucs2(letter: str) -> None:
    assert encoding(f"Agriniz {letter}") == "UCS-2"


@pytest.mark.parametrize("letter", "öÖüÜÇ")
def test_some_turkish_letters_are_in_the_alphabet(letter: str) -> None:
    assert encoding(letter) == "GSM-7"


@pytest.mark.parametrize(
    "text, count",
    [
        ("", 0),
        ("a", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("€" * 152, 2),
        ("€" * 153, 3),  # 306 septets, but a pair is not split: 76 a segment
        ("a" * 152 + "€" + "a" * 152, 3),
        ("ş" * 70, 1),
        ("ş" * 71, 2),
        ("ş" * 134, 2),
        ("ş" * 135, 3),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
        ("😀" * 66, 2),
        ("😀" * 67, 3),  # 134 units, but a pair is not split: 33 a segment
        ("ş" * 66 + "😀" + "ş" * 66, 3),
    ],
)
def test_a_text_takes_so_many_segments(text: str, count: int) -> None:
    assert segments(text) == count


@given(st.text(max_size=700))
def test_segments_hold_all_units_and_waste_at_most_one_each(text: str) -> None:
    whole, part = (160, 153) if encoding(text) == "GSM-7" else (70, 67)
    count, used = segments(text), units(text)
    if used <= whole:
        assert count == (1 if text else 0)
    else:
        assert -(-used // part) <= count <= -(-used // (part - 1))


@given(st.text(max_size=200))
def test_ucs2_units_are_those_of_utf16(text: str) -> None:
    long = f"ş{text}"
    assert units(long) == len(long.encode("utf-16-le", "surrogatepass")) // 2


def test_a_frame_is_filled() -> None:
    assert fill("Merhaba, {study}: {question}", {"study": "BEL", "question": "Ağrı?"}) == "Merhaba, BEL: Ağrı?"


def test_doubled_braces_are_literal() -> None:
    assert fill("{{{a}}} {{a}}", {"a": "x"}) == "{x} {a}"


def test_a_value_is_not_read_for_placeholders() -> None:
    assert fill("{a}{b}", {"a": "{b}", "b": "{a}"}) == "{b}{a}"


def test_a_missing_value_is_named() -> None:
    with pytest.raises(FrameError, match=r"\{close\}, \{zone\}") as caught:
        fill("{close} {study} {zone}", {"study": "BEL"})
    assert caught.value.name == "close"


@pytest.mark.parametrize("frame", ["{", "}", "{Name}", "{a.b}", "{0}", "{}", "{a!r}", "{a:>3}", "a } b", "{a", "{ a }"])
def test_anything_but_a_plain_name_is_refused(frame: str) -> None:
    with pytest.raises(FrameError):
        fill(frame, {"a": "x", "0": "y", "": "z"})


def test_placeholders_are_listed() -> None:
    assert placeholders("{b} {a} {a} {{c}}") == {"a", "b"}


@given(st.text())
def test_an_escaped_text_comes_back_whole(text: str) -> None:
    assert fill(text.replace("{", "{{").replace("}", "}}"), {}) == text


@given(st.text(), st.text())
def test_values_arrive_unchanged(before: str, value: str) -> None:
    frame = before.replace("{", "{{").replace("}", "}}") + "{value}"
    assert fill(frame, {"value": value}) == before + value


@pytest.mark.parametrize(
    "text",
    [
        "https://pro.example/q/abc",
        "HTTP://X",
        "Formunuz: www.hastane.edu.tr",
        "hastane.com.tr",
        "HASTANE.COM.TR",
        "BİLGİ.COM adresine",
        "yanıt için pro.example.org/q/7",
        "bit.ly/abc",
        "t.co",
        "bilgi@hastane.edu.tr",
        "siteye (istanbul.edu.tr) bakın",
        "ağrı.com",
        "xn--ar-yja.xn--p1ai",
        "192.168.1.10",
        "10.0.0.1:8080",
        "ｅｘａｍｐｌｅ．ｃｏｍ",
        "whatsapp://send",
        "Bilgi.Info",
        "hastane.istanbul",
        "HASTANE.İSTANBUL'da",
        "Kaydınız: hst.ist",
        "hst.ist/anket",
        "bilgi@klinik.istanbul",
        "klinik.google",
        "больница.рф",
        "مستشفى.مصر",
        "अस्पताल.भारत",
        "हिन्दी.भारत",
        "医院.中国",
        "医院。中国",
        "klinik.xn--p1ai",
        "klinik.XN--FIQS8S",
    ],
)
def test_an_internet_address_is_seen(text: str) -> None:
    assert contains_address(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Anketiniz açıldı. Kartınızdaki kodu kullanın.",
        "Prof.Dr. ile görüşün",
        "Ağrınız 0-10 arası kaç? 7.5 olmaz.",
        "20.05.2026 saat 18.30",
        "T.C. Sağlık",
        "Tel: 0212.414.30.00",
        "v1.2.3",
        "Yazın...Teşekkürler",
        "a. com",
        ".com",
        "Dr.Öğretim",
        "saat 10.30da",
        "awww.",
        "Dr.Ali Kaya",
        "Uzm.Dr.Ayşe Öz",
        "telefon, adres vb.",
        "Arayacağımız merkez.Lütfen bekleyin",
        "İstanbul. İst. Ist",
        "A.Ş.",
        "Thank you.We will write again.",
        "Teşekkürler.Yanıtınızı aldık.",
        "saat 09.00'da, 5.gün",
    ],
)
def test_an_ordinary_text_holds_no_address(text: str) -> None:
    assert not contains_address(text)


def test_every_ending_of_ianas_list_is_seen_in_both_forms() -> None:
    assert len(NAMES) > 1000
    native = [name.lower().encode().decode("idna") for name in NAMES if name.startswith("XN--")]
    assert [name for name in (*NAMES, *native) if not contains_address(f"klinik.{name}")] == []


@given(st.text(max_size=300))
def test_no_text_crashes_the_search_for_addresses(text: str) -> None:
    assert contains_address(text + " https://a.b")


@pytest.mark.parametrize(
    "number, shown",
    [
        ("+905321231234", "+90 5•• ••• 12 34"),
        ("+12025550141", "+1 2•• ••• 01 41"),
        ("+33612345678", "+33 6•• •• 56 78"),
        ("+4915123456789", "+49 1•• ••• • 67 89"),
        ("+212612345678", "+212 6•• •• 56 78"),
        ("+35312345678", "+353 1•• • 56 78"),
        ("+290123456", "+290 •••• 56"),
        ("05321231234", "•••"),
        ("", "•••"),
        ("+90 532", "•••"),
        ("+٩٠٥٣٢١٢٣١٢٣٤", "•••"),
        ("+905321231234\n", "•••"),
    ],
)
def test_a_number_is_masked(number: str, shown: str) -> None:
    assert masked(number) == shown


@given(st.from_regex(r"\+[1-9][0-9]{4,14}", fullmatch=True))
def test_a_masked_number_shows_at_most_five_digits_of_its_own(number: str) -> None:
    code, own = masked(number).split(" ", 1)
    assert number.startswith(code)
    assert sum(c.isdigit() for c in own) <= 5
    assert own.replace(" ", "").count("•") + sum(c.isdigit() for c in own) == len(number) - len(code)


@given(st.text())
def test_no_text_crashes_the_mask(text: str) -> None:
    # Whatever comes in, no long run of digits comes out.
    assert not re.search(r"\d{6}", masked(text))
