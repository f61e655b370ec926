"""Which of the two media types of GraphQL over HTTP a client wants, and whether its request is JSON."""

from __future__ import annotations

GRAPHQL_JSON = "application/graphql-response+json"
JSON = "application/json"


def response_type(accept: str | None) -> str | None:
    """The media type to answer with; None where the client takes neither. Plain JSON for wildcards and no header."""
    if accept is None or not accept.strip():
        return JSON
    best, best_quality = None, 0.0
    for item in accept.split(","):
        media, quality = _media(item)
        offered = JSON if media in ("*/*", "application/*") else media
        if offered in (GRAPHQL_JSON, JSON) and quality > best_quality:
            best, best_quality = offered, quality
    return best


def is_json(content_type: str | None) -> bool:
    """Whether a request's content type is exactly JSON in UTF-8: what no web page sends elsewhere without asking."""
    if content_type is None:
        return False
    media, *parameters = [part.strip().lower() for part in content_type.split(";")]
    return media == JSON and all(
        parameter.replace('"', "") in ("charset=utf-8", "charset=utf8", "") for parameter in parameters
    )


def _media(item: str) -> tuple[str, float]:
    media, *parameters = [part.strip().lower() for part in item.split(";")]
    quality = 1.0
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name == "q":
            try:
                quality = float(value)
            except ValueError:
                quality = 0.0
        elif name == "charset" and value.strip('"') not in ("utf-8", "utf8"):
            quality = 0.0
    return media, quality
