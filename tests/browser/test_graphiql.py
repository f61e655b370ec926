"""GraphiQL's walkthrough in a real browser: tab by tab to a message that is published, found and proven, and on to
those that are not."""

from __future__ import annotations

from base64 import b64decode
from pathlib import Path
from urllib.parse import urlsplit

from programs.merkle import verify_path
from tests.browser.chromium import Json, Page, chromium, open_page
from tests.chains import RunningChain
from tests.stack import RunningServer

_TABS = "[...document.querySelectorAll('.graphiql-tab-button')].map(tab => tab.innerText)"
_SHOWN = "document.querySelector('.result-window')?.innerText.replaceAll('\\u00a0', ' ') ?? ''"
_CONTENT_ROOT = slice(191, 223)  # of a Thread account, as the program writes it


async def test_the_walkthrough(server: RunningServer, tmp_path: Path) -> None:
    """All tabs from left to right; no request leaves the server's origin."""
    chromium()
    async with open_page(tmp_path) as page:
        await page.call("Page.navigate", url=f"{server.url}/")
        await page.until(f"{_TABS}.length > 10", "the tabs")
        await page.until("document.querySelector('.graphiql-execute-button') !== null", "the execute button")
        await page.until("document.querySelectorAll('.graphiql-editor .view-line').length > 3", "the editor's text")
        assert "__schema" in (await page.answer(0))["data"]
        tabs = await page.evaluate(_TABS)
        assert tabs[0] == "Wallets" and tabs.index("Approve") < tabs.index("Watch") < tabs.index("Find")
        assert tabs.index("Find") < tabs.index("Ends") < tabs.index("Shares") < tabs.index("Kept")
        answers = {tab: await run_tab(page, number, tab) for number, tab in enumerate(tabs)}
        assert all("errors" not in answer for answer in answers.values()), answers
        await page.screenshot(tmp_path / "graphiql.png")

        created = answers["CreateThread"]["data"]["createThread"]
        submitted = answers["SubmitMessage"]["data"]["submitMessage"]["message"]
        approved = answers["Approve"]["data"]["castVote"]
        content_hash, body = submitted["contentHash"], submitted["body"]
        assert created["update"]["outcome"] == approved["update"]["outcome"] == "VERIFIED"
        assert submitted["status"] == "PENDING"
        assert content_hash in {node["contentHash"] for node in nodes(answers["Approvals"], "pendingApprovals")}
        assert approved["message"]["status"] == "PUBLISHED"
        assert len(approved["thread"]["coAuthors"]) == 2

        seen = [event["data"]["threadEvents"] for event in answers["Watch"]["received"]]
        names = [event["__typename"] for event in reversed(seen) if event["__typename"] != "UpdateVerified"]
        assert names == ["MessageSubmitted", "VoteCast", "MessagePublished", "CoAuthorJoined"]
        published = next(event["message"] for event in seen if event["__typename"] == "MessagePublished")
        assert published == {"contentHash": content_hash, "status": "PUBLISHED", "body": body, "leafIndex": 0}

        found = [edge["node"]["contentHash"] for edge in answers["Find"]["data"]["search"]["edges"]]
        assert content_hash in found
        proof = answers["Proof"]["data"]["message"]["proof"]
        root = await content_root(server.chain, proof["account"])
        assert proof["root"] == root
        assert verify_path(content_hash, proof["leafIndex"], proof["path"], root, 1)
        assert created["thread"]["threadId"] in {node["threadId"] for node in nodes(answers["Threads"], "threads")}

        denied = answers["Ends"]["data"]["benDenies"]
        assert denied["message"]["status"] == "DENIED"
        assert denied["message"]["escrowRemaining"]["amount"] == "1000000"
        assert answers["Ends"]["data"]["cleoCancels"]["message"]["status"] == "CANCELLED"
        shares = answers["Shares"]["data"]
        assert shares["benClaims"]["message"]["escrowRemaining"]["amount"] == "0"
        assert len(shares["benLeaves"]["thread"]["coAuthors"]) == 1
        assert {shares[deed]["update"]["outcome"] for deed in shares} == {"VERIFIED"}
        assert answers["Kept"]["data"]["second"]["status"] == "CANCELLED"
        treasury = answers["Treasury"]["data"]["treasury"]
        assert int(treasury["balance"]["amount"]) == sum(
            int(flow["amount"]["amount"]) for flow in treasury["flows"]["nodes"]
        )
        boundaries = answers["Boundaries"]["data"]["boundaries"]
        assert [check["conflicts"] for check in boundaries["checks"]] == ["0"] * 4
        assert {known["health"] for known in boundaries["authorities"]} <= {"HEALTHY", "DEGRADED"}
        assert int(boundaries["measures"]["propagationTime"]["count"]) >= 5

        elsewhere = {url for url in page.requests if urlsplit(url).scheme in ("http", "https", "ws", "wss")}
        assert {urlsplit(url).netloc for url in elsewhere} == {urlsplit(server.url).netloc}


async def run_tab(page: Page, number: int, tab: str) -> Json:
    """Open a tab and run it: what the server answered, once the page shows it."""
    await page.evaluate(f"document.getElementById('graphiql-session-tab-{number}').click()")
    await page.until(f"document.querySelectorAll('[role=tab]')[{number}].ariaSelected === 'true'", f"tab {tab}")
    answered, framed = len(page.answers), len(page.frames)
    await page.evaluate("document.querySelector('.graphiql-execute-button').click()")
    if tab != "Watch":
        await page.until(f"({_SHOWN}).startsWith('{{')", f"the answer of {tab}")
        return await page.answer(answered)
    # The last event of the story; the list on the page is newest first, so that it comes to stand at its top.
    await page.until(f"/CoAuthorJoined[^]*MessagePublished/.test({_SHOWN})", "the published message on the page")
    frames = [frame["payload"] for frame in page.frames[framed:] if frame["type"] == "next"]
    return {"received": list(reversed(frames))}


def nodes(answer: Json, field: str) -> list[Json]:
    """Nodes of a connection."""
    found: list[Json] = answer["data"][field]["nodes"]
    return found


async def content_root(chain: RunningChain, address: str) -> str:
    """The root in a thread's account."""
    account = await chain.rpc("getAccountInfo", address, {"encoding": "base64", "commitment": "confirmed"})
    return b64decode(account["value"]["data"][0])[_CONTENT_ROOT].hex()
