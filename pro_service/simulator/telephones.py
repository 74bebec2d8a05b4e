"""People's telephones: each shows the texts of all providers, and answers by the way that it was written to."""

from pro_service.simulator.network import Network, Text
from pro_service.simulator.provider import CannotReply, Provider
from pro_service.simulator.whatsapp import WhatsApp


class Telephones:
    """All telephones of the network, and the providers that reach them."""

    def __init__(self, network: Network, providers: tuple[Provider, ...]) -> None:
        """Know the providers, the one first that an unknown telephone would answer to."""
        self.network, self.providers = network, providers

    def wrote_to(self, telephone: str) -> tuple[Provider, ...]:
        """Return the providers that have texted a telephone, the last one first; all of them if none has."""
        thread = reversed(self.network.thread(telephone))
        names = dict.fromkeys(text.provider for text in thread if not text.inbound)
        known = {provider.name: provider for provider in self.providers}
        return tuple(known[name] for name in names if name in known) or self.providers

    def answerable(self, telephone: str) -> tuple[Provider, ...]:
        """Return those of them that a reply reaches."""
        return tuple(one for one in self.wrote_to(telephone) if one.why_no_reply(telephone) is None)

    def why_no_reply(self, telephone: str) -> str | None:
        """Return why nobody can answer from this telephone; None if they can."""
        return None if self.answerable(telephone) else self.wrote_to(telephone)[0].why_no_reply(telephone)

    def senders(self, telephone: str) -> str:
        """Return the numbers and names that texts come from, the last one first."""
        return ", ".join(one.sender_to(telephone) or one.answered_at(telephone) for one in self.wrote_to(telephone))

    def press(self, telephone: str, sid: str, number: int) -> Text:
        """Press a button below a message; raise LookupError if there is none."""
        text = self.network.get(sid)
        messenger = next(one for one in self.providers if isinstance(one, WhatsApp))
        if text is None or text.inbound or text.telephone != telephone:
            raise LookupError(sid)
        label = text.buttons[number]
        return messenger.person_writes(telephone, label, button=label)

    def person_writes(self, telephone: str, body: str, provider: str = "") -> Text:
        """Deliver a person's text, by the provider that is named or else by the last one; raise CannotReply."""
        ways = self.answerable(telephone)
        way = next((one for one in ways if one.name == provider), next(iter(ways), None))
        if way is None:
            raise CannotReply(self.why_no_reply(telephone))
        return way.person_writes(telephone, body)
