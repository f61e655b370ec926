"""Readers without a session, who ask all the time while things break: what they are shown must be published."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress

import httpx

from tests import operations
from tests.faults.onchain import OnChain
from tests.faults.writers import Deed
from tests.stack import Json, RunningServer

_PAUSE = 0.1  # s between looks, so that the readers leave the writers a machine to run on
_RECENT = 12  # deeds whose words are looked for
_TIMEOUT = 10.0
_ANY_MESSAGE = f"query Any($contentHash: Hash!) {{ message(contentHash: $contentHash) {{ {operations.MESSAGE} }} }}"


class Strangers:
    """`shown` are the answers that held bytes of a message that the chain does not call published, or of the title of a
    thread that it does not have."""

    def __init__(
        self, server: RunningServer, chain: OnChain, deeds: Callable[[], Sequence[Deed]], public: set[str]
    ) -> None:
        self._server = server
        self._chain = chain
        self._deeds = deeds
        self._suspected: dict[str, tuple[Deed, str]] = {}
        self._public = public  # bodies that the chain has called published once: a fork takes nothing back
        self.shown: list[str] = []
        self.looks = 0

    async def run(self) -> None:
        """Look until cancelled. Where nobody answers, nothing is shown."""
        async with httpx.AsyncClient(timeout=_TIMEOUT, trust_env=False, verify=False) as http:
            for turn in itertools.count():
                for query, variables in self._questions(turn):
                    with suppress(httpx.HTTPError):
                        body = {"query": query, "variables": variables}
                        answer = await http.post(f"{self._server.url}/graphql", json=body)
                        self.looks += 1
                        self._look_at(answer.text)
                await self.judge()
                await asyncio.sleep(_PAUSE)

    async def judge(self) -> None:
        """Ask the chain about what was shown; what it cannot say now is asked later. A published message stays one."""
        for body, (deed, text) in list(self._suspected.items()):
            if body in self._public:  # acknowledged since it was seen
                del self._suspected[body]
                continue
            with suppress(httpx.HTTPError):
                public = await self._is_public(deed)
                del self._suspected[body]
                if public:
                    self._public.add(body)
                else:
                    self.shown.append(f"{deed.verb} {deed.content_hash or deed.thread_id}: {text[:500]}")

    def _questions(self, turn: int) -> list[tuple[str, Json]]:
        deeds = [deed for deed in self._deeds() if deed.body][-_RECENT:]
        if not deeds:
            return []
        deed = deeds[turn % len(deeds)]
        questions: list[tuple[str, Json]] = [
            (operations.READ_THREAD, {"threadId": deed.thread_id}),
            (operations.SEARCH, {"query": deed.body, "mode": ("TEXT", "SEMANTIC")[turn % 2]}),
        ]
        if deed.content_hash:
            questions.append((_ANY_MESSAGE, {"contentHash": deed.content_hash}))
        return questions

    def _look_at(self, text: str) -> None:
        for deed in self._deeds():
            if deed.status in ("PUBLISHED", "THREAD"):  # acknowledged as such: may be read from then on
                self._public.add(deed.body)
            known = deed.body in self._public or deed.body in self._suspected
            if deed.body and not known and json.dumps(deed.body)[1:-1] in text:
                self._suspected[deed.body] = (deed, text)

    async def _is_public(self, deed: Deed) -> bool:
        if deed.verb == "createThread":
            return await self._chain.thread(deed.thread_id) is not None
        assert deed.content_hash is not None
        account = await self._chain.message(deed.thread_id, deed.content_hash)
        return account is not None and account.status == "PUBLISHED"


@asynccontextmanager
async def looking(strangers: Strangers) -> AsyncIterator[None]:
    """Strangers look for the length of the block; what they saw is judged before its end."""
    task = asyncio.create_task(strangers.run(), name="strangers")
    try:
        yield
        await strangers.judge()
    finally:
        task.cancel()
        outcome = (await asyncio.gather(task, return_exceptions=True))[0]
        if isinstance(outcome, Exception):
            raise outcome
