"""What one chain's updates left in the session store, another chain's never find: neither results nor taken keys."""

from __future__ import annotations

from pathlib import Path

from chorale.update.idempotency import Keys
from chorale.update.log import UpdateFacts
from datasources.cache.scoped import ScopedSessions
from datasources.cache.sqlite import open_sqlite_sessions

FACTS = UpdateFacts("signature", "wallet", None, None)


async def test_keys_of_another_chain(tmp_path: Path) -> None:
    """An idempotency key that stood for a transaction of the old chain is free on the new one."""
    async with open_sqlite_sessions(tmp_path / "sessions.sqlite") as sessions:
        old, again, new = (Keys(ScopedSessions(sessions, genesis), "program", 60) for genesis in ("a", "a", "b"))
        scope = old.scope("wallet", "post_message", "key")
        assert await old.claim(scope, "digest", FACTS, None)
        assert await again.holder(scope, "digest") == FACTS
        assert await new.holder(scope, "digest") is None
        assert await new.claim(scope, "digest", FACTS, None)


async def test_all_of_the_port(tmp_path: Path) -> None:
    """Each operation is about the scope's own key."""
    async with open_sqlite_sessions(tmp_path / "sessions.sqlite") as sessions:
        one, other = ScopedSessions(sessions, "one"), ScopedSessions(sessions, "other")
        await one.put("k", b"1", 60)
        assert not await one.add("k", b"2", 60)
        assert await other.add("k", b"3", 60)
        assert await one.take("k") == b"1"
        await one.delete("k")
        assert await other.get("k") == b"3"
