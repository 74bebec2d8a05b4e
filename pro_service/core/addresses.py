"""Which addresses belong to this machine: texts sent there reach no telephone."""

from ipaddress import ip_address
from urllib.parse import urlsplit


def is_this_machine(host: str | None) -> bool:
    """Whether a host's name or number means this machine itself."""
    if not host:
        return False
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def leads_to_this_machine(url: str) -> bool:
    """Whether what is sent to this address stays on this machine."""
    return is_this_machine(urlsplit(url).hostname)
