"""The operations that tests of the whole server run."""

from __future__ import annotations

MESSAGE = """
  id contentHash status body contentState version leafIndex author { address }
  requiredVoters { address } votes { voter { address } approve } stake { amount }"""
THREAD = "id threadId address title version contentRoot eventCursor messageCount coAuthors { user { address } }"
UPDATE = "signature slot outcome cursor clientMutationId steps { name state durationMs detail }"
PROBLEM = """
  ... on Problem { code explanation retryable }
  ... on InvalidInput { field }"""

CHALLENGE = """
mutation Challenge($wallet: Pubkey) {
  signInChallenge(wallet: $wallet) {
    message expiresAt
    input { domain address statement uri version chainId nonce issuedAt expirationTime }
  }
}"""
SIGN_IN = (
    "mutation SignIn($input: SignInInput!) { signIn(input: $input) { __typename "
    "... on SignInSuccess { token expiresAt viewer { address } } ... on Problem { code explanation } } }"
)

_PREPARED = "{ __typename ... on PreparedTransaction { transaction threadId contentHash nonce salt } " + PROBLEM + " }"


def _prepare(field: str, declared: str, passed: str) -> str:
    return (
        f"query Prepare($wallet: Pubkey!, {declared}) "
        f"{{ prepare {{ {field}(wallet: $wallet, {passed}) {_PREPARED} }} }}"
    )


PREPARE = {
    "createThread": _prepare("createThread", "$title: String!, $nonce: U64", "title: $title, nonce: $nonce"),
    "postMessage": _prepare(
        "postMessage",
        "$threadId: Hash!, $body: String!, $nonce: U64",
        "threadId: $threadId, body: $body, nonce: $nonce",
    ),
    "submitMessage": _prepare(
        "submitMessage",
        "$threadId: Hash!, $body: String!, $stake: U64!, $nonce: U64",
        "threadId: $threadId, body: $body, stake: $stake, nonce: $nonce",
    ),
    "castVote": _prepare(
        "castVote", "$contentHash: Hash!, $approve: Boolean!", "contentHash: $contentHash, approve: $approve"
    ),
}


def _mutate(field: str, input_type: str, success: str) -> str:
    name = f"{field[0].upper()}{field[1:]}"
    return (
        f"mutation {name}($input: {input_type}!) {{ {field}(input: $input) {{ __typename "
        f"... on {name}Success {{ {success} update {{ {UPDATE} }} wallet {{ address }} }} {PROBLEM} }} }}"
    )


_BOTH = f"message {{ {MESSAGE} }} thread {{ {THREAD} }}"
MUTATE = {
    "createThread": _mutate("createThread", "CreateThreadInput", f"thread {{ {THREAD} }}"),
    "postMessage": _mutate("postMessage", "PostMessageInput", _BOTH),
    "submitMessage": _mutate("submitMessage", "SubmitMessageInput", _BOTH),
    "castVote": _mutate("castVote", "TransactionInput", _BOTH),
}

READ_THREAD = f"""
query ReadThread($threadId: Hash!, $minVersion: Version) {{
  thread(threadId: $threadId, minVersion: $minVersion) {{
    {THREAD} messages(first: 100) {{ nodes {{ {MESSAGE} }} }}
  }}
}}"""
READ_MESSAGE = f"query ReadMessage($contentHash: Hash!) {{ message(contentHash: $contentHash) {{ {MESSAGE} }} }}"
PROOF = """
query Proof($contentHash: Hash!) {
  message(contentHash: $contentHash) { proof { root leaf leafIndex path account slot } }
}"""
SEARCH = """
query Search($query: String!, $mode: SearchMode) {
  search(query: $query, mode: $mode) { nodes { contentHash body status } }
}"""
EVENTS = """
subscription Events($threadId: Hash!, $after: Cursor) {
  threadEvents(threadId: $threadId, after: $after) {
    __typename cursor version signature
    ... on MessageSubmitted { message { contentHash status body } }
    ... on VoteCast { vote { approve voter { address } } message { contentHash } }
    ... on MessagePublished { message { contentHash status body leafIndex } }
    ... on CoAuthorJoined { user { address } }
  }
}"""
