"""What a mail relay says of an address, in words of ours: its own numbers mean other things elsewhere."""

from collections.abc import Mapping
from types import MappingProxyType

from pro_service.gateways.kinds import Kind

KINDS: Mapping[str, Kind] = MappingProxyType({"NO_MAILBOX": "bad_number", "ADDRESS_REFUSED": "blocked"})
