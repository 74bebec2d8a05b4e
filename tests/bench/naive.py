"""A peer of the webhook: what is written in an afternoon. Validator, one ORM object, one commit a request.

`python -m tests.bench.naive DATABASE PORT TOKEN` serves it with the product's server and as many threads.
"""

import json
import sys

import waitress
from flask import Flask, Response, abort, request
from sqlalchemy import Engine, String, Text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from twilio.request_validator import RequestValidator

from pro_service.cli.service import THREADS
from pro_service.store.database import make_engine


class Base(DeclarativeBase):
    """The peer's tables."""


class Received(Base):
    """One text."""

    __tablename__ = "received"
    id: Mapped[int] = mapped_column(primary_key=True)
    sid: Mapped[str] = mapped_column(String(64), unique=True)
    raw: Mapped[str] = mapped_column(Text)


def create_app(engine: Engine, token: str) -> Flask:
    """Make the peer's application."""
    app = Flask(__name__)
    validator = RequestValidator(token)

    @app.post("/inbound")
    def inbound() -> Response:
        if not validator.validate(request.url, request.form, request.headers.get("X-Twilio-Signature", "")):
            abort(403)
        with Session(engine) as session:
            session.add(Received(sid=request.form["MessageSid"], raw=json.dumps(request.form.to_dict())))
            try:
                session.commit()
            except IntegrityError:
                session.rollback()
        return Response("<?xml version='1.0' encoding='UTF-8'?><Response/>", mimetype="text/xml")

    return app


def main(database: str, port: str, token: str) -> None:
    """Make the table and serve."""
    engine = make_engine(database)
    Base.metadata.create_all(engine)
    waitress.serve(create_app(engine, token), host="127.0.0.1", port=int(port), threads=THREADS)


if __name__ == "__main__":
    main(*sys.argv[1:])
