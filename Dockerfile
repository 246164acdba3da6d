# ernfed as an image: `docker build -t ernfed .`. Runs as an ordinary user; settings come from the
# environment (docs/operator.md), secrets from files (…_FILE). Nothing is compiled.
FROM python:3.11-slim-bookworm AS packages
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1
COPY requirements.lock /tmp/requirements.lock
RUN python -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --require-hashes --only-binary :all: -r /tmp/requirements.lock

# The viewer of images: one package of npm, by its hash (web/viewer/build.mjs).
FROM node:24-bookworm-slim AS viewer
COPY web/viewer /src
RUN node /src/build.mjs /opt/viewer

FROM python:3.11-slim-bookworm
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONPATH=/app \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    ERNFED_DATA_DIR=/data \
    ERNFED_ARCHIVES=/etc/ernfed/archives.toml \
    ERNFED_VIEWER_DIR=/opt/viewer
RUN groupadd --gid 10001 ernfed \
    && useradd --uid 10001 --gid ernfed --no-create-home --home-dir /data --shell /usr/sbin/nologin ernfed \
    && install -d -o ernfed -g ernfed -m 0700 /data
COPY --from=packages /opt/venv /opt/venv
COPY --from=viewer /opt/viewer /opt/viewer
COPY . /app
COPY --chmod=0755 deploy/ernfed /usr/local/bin/ernfed
WORKDIR /app
USER 10001:10001
VOLUME /data
EXPOSE 8000
# Also right for a container that only indexes: `docker run --no-healthcheck`, or the compose file's own.
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen('http://127.0.0.1:' + os.environ.get('ERNFED_PORT', '8000') + '/livez', timeout=4)"]
ENTRYPOINT ["ernfed"]
CMD ["serve"]
