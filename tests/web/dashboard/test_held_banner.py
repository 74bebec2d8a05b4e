"""Texts in quarantine stand at the top of every page, with what ends it."""

from dataclasses import replace

import pytest

from pro_service.core.providers import FACTS
from pro_service.runtime import Runtime
from pro_service.use_cases.delivery import quarantine
from pro_service.web.app import create_app
from tests import support
from tests.telephones import Telephones

BY_A_PERSON = {
    "en": "Texts by Verimor are held: the administrator compares what Verimor has sent",
    "tr": "Verimor üzerinden giden SMS’ler bekletiliyor: yönetici, Verimor kayıtlarındaki SMS’leri",
}
BY_ITSELF = {
    "en": "Texts are held until the provider has said what was sent before.",
    "tr": "Sağlayıcı daha önce neyin gönderildiğini bildirene kadar SMS’ler bekletiliyor.",
}


@pytest.mark.parametrize("language", ["en", "tr"])
@pytest.mark.parametrize("role, path", [("coordinator", "/"), ("administrator", "/system")])
@pytest.mark.parametrize("way, words", [("verimor", BY_A_PERSON), ("sms", BY_ITSELF)])
def test_who_ends_a_quarantine_is_said_to_those_who_meet_it(
    rt: Runtime, study_id: int, *, way: str, words: dict[str, str], role: str, path: str, language: str
) -> None:
    sending = replace(rt, texts={way: Telephones(f"{way}:", facts=FACTS[way])})
    support.coordinator(rt, role=role, language=language)
    quarantine.begin(sending, quarantine.BY_HAND, support.SETUP)
    app = create_app(sending)
    browser = app.test_client()
    support.sign_in(browser)
    page = browser.get(path).text
    app.extensions["intake"].close()
    assert words[language] in page, study_id
    assert ("pro-service quarantine lift" in page) is (way == "verimor")
