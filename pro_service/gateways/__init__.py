"""The gateways: one module per provider, one vocabulary for what they take, answer and raise."""

from pro_service.gateways.codes import KIND_BY_CODE, Kind, kind_of
from pro_service.gateways.outgoing import (
    Accepted,
    Gateway,
    GatewayError,
    Outgoing,
    Record,
    Refused,
    TextGateway,
    Unavailable,
    Uncertain,
)

__all__ = [
    "KIND_BY_CODE",
    "Accepted",
    "Gateway",
    "GatewayError",
    "Kind",
    "Outgoing",
    "Record",
    "Refused",
    "TextGateway",
    "Unavailable",
    "Uncertain",
    "kind_of",
]
