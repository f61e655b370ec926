"""The operations that tests of the whole server run."""

from __future__ import annotations

MESSAGE = """
  id contentHash status body contentState version leafIndex author { address }
  requiredVoters { address } votes { voter { address } approve claimed } stake { amount }
  escrowRemaining { amount }"""
THREAD = "id threadId address title version contentRoot eventCursor messageCount "
THREAD += "tokenBalance { amount } treasuryDue { amount } coAuthors { user { address } }"
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

_PREPARED = (
    "{ __typename ... on PreparedTransaction { transaction threadId contentHash nonce salt feePayer feeLamports "
    "rentLamports computeUnitLimit } " + PROBLEM + " }"
)


def _prepare(field: str, declared: str, passed: str) -> str:
    return (
        f"query Prepare($wallet: Pubkey!, $fees: FeeOptions, {declared}) "
        f"{{ prepare {{ {field}(wallet: $wallet, fees: $fees, {passed}) {_PREPARED} }} }}"
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
    **{
        field: _prepare(field, "$contentHash: Hash!", "contentHash: $contentHash")
        for field in ("cancelMessage", "claimEscrow", "refundStake", "expireMessage", "resolveMessage")
    },
    "divest": _prepare("divest", "$threadId: Hash!, $minPayout: U64", "threadId: $threadId, minPayout: $minPayout"),
    "sweepThread": _prepare("sweepThread", "$threadId: Hash!", "threadId: $threadId"),
    "configure": _prepare(
        "configure",
        "$minimumStake: U64, $approvalWindowSeconds: Int, $admin: Pubkey",
        "minimumStake: $minimumStake, approvalWindowSeconds: $approvalWindowSeconds, admin: $admin",
    ),
    "withdrawTreasury": _prepare(
        "withdrawTreasury", "$amount: U64!, $destination: Pubkey", "amount: $amount, destination: $destination"
    ),
}


def _mutate(field: str, input_type: str, success: str) -> str:
    name = f"{field[0].upper()}{field[1:]}"
    return (
        f"mutation {name}($input: {input_type}!) {{ {field}(input: $input) {{ __typename "
        f"... on {name}Success {{ {success} update {{ {UPDATE} }} wallet {{ address }} }} {PROBLEM} }} }}"
    )


PROTOCOL = "version admin minimumStake { amount } approvalWindowSeconds treasury { amount } missingChanges"
TREASURY = """
  address version slot balance { amount } swept { amount } deposited { amount } withdrawn { amount }
  unexplainedIn { amount } unexplainedOut { amount }"""
FLOW = """
  __typename amount { amount } signature slot occurredAt
  ... on TreasurySweep { threadId version thread { threadId title } }
  ... on TreasuryWithdrawal { version admin { address } destination }"""
_ADMINISTERED = f"protocol {{ {PROTOCOL} }} treasury {{ {TREASURY} }}"
_BOTH = f"message {{ {MESSAGE} }} thread {{ {THREAD} }}"
MUTATE = {
    "createThread": _mutate("createThread", "CreateThreadInput", f"thread {{ {THREAD} }}"),
    "postMessage": _mutate("postMessage", "PostMessageInput", _BOTH),
    "submitMessage": _mutate("submitMessage", "SubmitMessageInput", _BOTH),
    **{
        field: _mutate(field, "TransactionInput", _BOTH)
        for field in ("castVote", "cancelMessage", "claimEscrow", "refundStake", "expireMessage", "resolveMessage")
    },
    "divest": _mutate("divest", "TransactionInput", f"thread {{ {THREAD} }}"),
    "sweepThread": _mutate("sweepThread", "TransactionInput", f"thread {{ {THREAD} }}"),
    "configure": _mutate("configure", "TransactionInput", _ADMINISTERED),
    "withdrawTreasury": _mutate("withdrawTreasury", "TransactionInput", _ADMINISTERED),
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
    ... on MessageDecided { message { contentHash status } }
    ... on MessageCancelled { message { contentHash status } }
    ... on MessageExpired { message { contentHash status } }
    ... on EscrowClaimed { message { contentHash } claimant { address } amount { amount } }
    ... on StakeRefunded { message { contentHash } amount { amount } }
    ... on CoAuthorJoined { user { address } }
    ... on ContentRestored { message { contentHash } }
    ... on CoAuthorLeft { user { address } amount { amount } }
  }
}"""

READ_TREASURY = f"""
query ReadTreasury($first: Int, $after: Cursor, $last: Int, $before: Cursor) {{
  treasury {{ {TREASURY}
    flows(first: $first, after: $after, last: $last, before: $before) {{
      nodes {{ {FLOW} }} edges {{ cursor node {{ signature }} }}
      pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }}
    }}
  }}
}}"""
READ_PROTOCOL = f"""
query ReadProtocol($first: Int, $after: Cursor, $last: Int, $before: Cursor) {{
  protocol {{ {PROTOCOL}
    changes(first: $first, after: $after, last: $last, before: $before) {{
      nodes {{ version admin {{ address }} minimumStake {{ amount }} approvalWindowSeconds signature slot occurredAt }}
      pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }}
    }}
  }}
}}"""
