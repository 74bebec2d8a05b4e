"""Keeps the tests on this machine: a connection or a look-up that would leave it fails."""

import ipaddress
import sys


class OutsideError(Exception):
    """Something tried to leave this machine. Aim it at a peer in tests/peers."""


def stay_inside() -> None:
    """Refuse, from now on and in this process, to connect to or look up anything but this machine."""
    sys.addaudithook(_refuse)


def _refuse(event: str, arguments: tuple[object, ...]) -> None:
    if event in {"socket.connect", "socket.sendto"}:
        address = arguments[1]
        if isinstance(address, tuple) and not is_inside(address[0]):
            raise OutsideError(f"A test tried to reach {address[0]}.")
    elif event == "socket.getaddrinfo" and not is_inside(arguments[0]):
        raise OutsideError(f"A test tried to look {arguments[0]!r} up.")


def is_inside(host: object) -> bool:
    """Say whether a host is this machine; None and the empty string are, as in getaddrinfo."""
    name = host.decode() if isinstance(host, bytes) else host
    if not isinstance(name, str) or name in {"", "localhost"}:
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
