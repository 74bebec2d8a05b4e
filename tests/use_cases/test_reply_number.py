"""Where people cannot reply to the sender, the texts that ask for an answer say where it goes."""

from collections.abc import Mapping

from pro_service import paths
from pro_service.core.routes import Carriers
from pro_service.core.study_file.frames import check_reply_number
from pro_service.use_cases import study

DEMO = (paths.protocols() / "demo.toml").read_text(encoding="utf-8")


def test_texts_that_ask_for_a_reply_say_where_it_goes_if_not_to_the_sender() -> None:
    checked = study.check(DEMO)

    def unsaid(frames: Mapping[str, Mapping[str, str]], number: str, word: str = "") -> list[str]:
        carriers = Carriers(("verimor",), answered_at={"verimor": (number, word)})
        found = tuple(check_reply_number(checked.protocol, frames, carriers))
        assert {one.code for one in found} <= {"reply_word_unsaid" if word else "reply_number_unsaid"}
        return [one.path.removeprefix("templates/sms/") for one in found]

    def saying(what: str) -> dict[str, dict[str, str]]:
        return {key: {name: f"{text} {what}" for name, text in of.items()} for key, of in checked.frames.items()}

    faults = unsaid(checked.frames, "08501234567")
    assert {"tr/reask.txt", "en/question.txt", "tr/invitation.sms-reply.txt"} <= set(faults)
    assert "tr/invitation.sms-link.txt" not in faults
    assert unsaid(saying("0850 123 45 67"), "908501234567") == []
    assert unsaid(saying("4609"), "4609", "PRO") == unsaid(checked.frames, "4609", "PRO")
    assert unsaid(saying("pro yazıp 4609"), "4609", "PRO") == []
    assert not list(check_reply_number(checked.protocol, checked.frames, Carriers(("verimor",))))
