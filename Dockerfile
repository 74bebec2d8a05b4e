# The service in an image: docs/operation/docker.md. The same steps are run by tests/test_deploy.py, in a folder.
FROM python:3.11-slim-trixie AS build
WORKDIR /src
# With it pip has Python know compiled files by their source, not by its time, which a copy between stages can change: the
# user of the image can write none, and every start would compile everything anew.
ENV SOURCE_DATE_EPOCH=315532800
# requirements-formats.txt brings what the formats of Stata, SPSS, SAS and Excel need.
ARG REQUIREMENTS=requirements.txt
COPY deploy/requirements.txt deploy/requirements-formats.txt deploy/
RUN python -m venv /srv/pro/venv \
    && /srv/pro/venv/bin/pip install --no-cache-dir -r "deploy/${REQUIREMENTS}"
COPY pyproject.toml README.md LICENSE .env.example ./
COPY deploy deploy
COPY docs/guide docs/guide
COPY migrations migrations
COPY templates templates
COPY pro_service pro_service
RUN /srv/pro/venv/bin/pip install --no-cache-dir --no-index --no-deps --no-build-isolation .

FROM python:3.11-slim-trixie
# pg_dump and pg_restore, which backups of PostgreSQL are made and restored with; never older than the server.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends postgresql-common ca-certificates \
    && /usr/share/postgresql-common/pgdg/apt.postgresql.org.sh -y \
    && apt-get install --yes --no-install-recommends postgresql-client-18 \
    && rm -rf /var/lib/apt/lists/*
# Python's own library comes without compiled files.
RUN groupadd --gid 10001 pro \
    && useradd --uid 10001 --gid pro --home-dir /srv/pro --no-create-home --shell /usr/sbin/nologin pro \
    && install -d -m 0700 -o pro -g pro /srv/pro/var \
    && python -m compileall -q -x /tests/ /usr/local/lib/python3.11
COPY --from=build /srv/pro/venv /srv/pro/venv
WORKDIR /srv/pro
USER 10001:10001
VOLUME /srv/pro/var
EXPOSE 8025
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s \
    CMD ["/srv/pro/venv/bin/python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8025/readyz', timeout=8)"]
ENTRYPOINT ["/srv/pro/venv/bin/pro-service"]
CMD ["serve", "--host", "0.0.0.0"]
