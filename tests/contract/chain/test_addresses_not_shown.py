"""Addresses may hold keys and passwords: what is said of a part that is away names its host and no more."""

from __future__ import annotations

from pathlib import Path

import pytest

from chorale.domain.errors import AuthorityUnavailableError, StartupError
from datasources.qdrant.opening import open_engine
from datasources.solana.pubsub import open_socket


async def test_a_socket_that_does_not_open_is_named_by_its_host() -> None:
    """User, path and query of a PubSub address stay out of the error."""
    with pytest.raises(AuthorityUnavailableError) as caught:
        async with open_socket("ws://user:secret@127.0.0.1:1/secret?api-key=secret"):
            pass
    assert "127.0.0.1" in str(caught.value)
    assert "secret" not in str(caught.value)


async def test_a_content_server_that_is_away_is_named_by_its_host(tmp_path: Path) -> None:
    """So does an address of Qdrant with a user and a password."""
    with pytest.raises(StartupError) as caught:
        async with open_engine("http://user:secret@127.0.0.1:1", tmp_path):
            pass
    assert "127.0.0.1" in str(caught.value)
    assert "secret" not in str(caught.value)
