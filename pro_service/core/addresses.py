"""Addresses of the network, and which of them belong to this machine: texts sent there reach no telephone."""

from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit


def ip_of(address: str) -> IPv4Address | IPv6Address | None:
    """Return an address, an IPv4 one also where it is written as IPv6; None for what is no address."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


def is_this_machine(host: str | None) -> bool:
    """Whether a host's name or number means this machine itself."""
    if not host:
        return False
    found = ip_of(host)
    return host.lower() == "localhost" if found is None else found.is_loopback


def leads_to_this_machine(url: str) -> bool:
    """Whether what is sent to this address stays on this machine."""
    return is_this_machine(urlsplit(url).hostname)
