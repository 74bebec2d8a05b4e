"""What Verimor pushes: texts from telephones, and what became of ours. Nothing is signed.

A push is believed that comes to an address nobody else knows, and from one of the addresses that are Verimor's.
"""

import hmac
from collections.abc import Mapping, Sequence
from ipaddress import ip_network

from pro_service.core.addresses import ip_of
from pro_service.core.providers import Arrival, Receipt
from pro_service.gateways.hooks import HookAnswer, HookRequest, NotOursError
from pro_service.gateways.http import read_json
from pro_service.gateways.verimor.wire import arrival_of, receipt_of


class VerimorHooks:
    """The pushes of one account; all of them come to one address."""

    def __init__(self, secret: str, networks: Sequence[str], *, keyword: str = "") -> None:
        """Believe what comes to `secret`, from these addresses and networks; without any of both nothing is believed.

        `keyword`: see `arrival_of`.
        """
        self._secret, self._keyword = secret.encode(), keyword
        self._networks = [ip_network(one, strict=False) for one in networks]

    def genuine(self, request: HookRequest) -> bool:
        """Whether it came to the secret address, and from one that is Verimor's."""
        knows = hmac.compare_digest(request.path.encode(errors="replace"), self._secret) and self._secret
        address = ip_of(request.address)
        return bool(knows) and address is not None and any(address in network for network in self._networks)

    def read(self, request: HookRequest) -> Sequence[Arrival | Receipt]:
        """Return every text and receipt of a push; what is neither is left out. Raise NotOursError for no JSON."""
        said = read_json(request.body)
        if not isinstance(said, list | dict):
            raise NotOursError
        each = said if isinstance(said, list) else [said]
        brought = (self._one(one) for one in each if isinstance(one, dict))
        return [one for one in brought if one is not None]

    def answer(self, request: HookRequest) -> HookAnswer:  # noqa: ARG002 (the shape of hooks)
        """Answer that it is kept: anything but 200 is pushed again."""
        return HookAnswer(200)

    def _one(self, said: Mapping[str, object]) -> Arrival | Receipt | None:
        if said.get("type") == "inbound":
            return arrival_of(said, self._keyword)
        return receipt_of(said) if said.get("type") == "outbound" else None
