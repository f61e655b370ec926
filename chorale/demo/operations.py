"""The operations that the demo runs; the same that any client would."""

from __future__ import annotations

_MESSAGE = "contentHash status requiredVoters { address } votes { voter { address } }"
_PREPARED = "__typename ... on PreparedTransaction { transaction } ... on Problem { explanation }"

WALLET = """
mutation DemoWallet($name: String!, $lamports: U64!, $tokens: U64!) {
  devWallet(name: $name, lamports: $lamports, tokens: $tokens) { address }
}"""

SIGN_IN = "mutation DemoSignIn($name: String!) { devSignIn(name: $name) { token } }"

SIGN = """
mutation DemoSign($name: String!, $transaction: Base64!) { devSign(name: $name, transaction: $transaction) }"""

THREAD = "query DemoThread($threadId: Hash!) { thread(threadId: $threadId) { messageCount } }"

MESSAGE = "query DemoMessage($contentHash: Hash!) { message(contentHash: $contentHash) { " + _MESSAGE + " } }"

PREPARE_THREAD = (
    """
query DemoPrepareThread($wallet: Pubkey!, $title: String!, $nonce: U64!, $salt: Hash!) {
  prepare { it: createThread(wallet: $wallet, title: $title, nonce: $nonce, salt: $salt) { """
    + _PREPARED
    + " } } }"
)

PREPARE_POST = (
    """
query DemoPreparePost($wallet: Pubkey!, $threadId: Hash!, $body: String!, $nonce: U64!, $salt: Hash!) {
  prepare { it: postMessage(wallet: $wallet, threadId: $threadId, body: $body, nonce: $nonce, salt: $salt) { """
    + _PREPARED
    + " } } }"
)

PREPARE_SUBMISSION = (
    """
query DemoPrepareSubmission(
  $wallet: Pubkey!, $threadId: Hash!, $body: String!, $stake: U64!, $nonce: U64!, $salt: Hash!
) {
  prepare {
    it: submitMessage(
      wallet: $wallet, threadId: $threadId, body: $body, stake: $stake, nonce: $nonce, salt: $salt
    ) { """
    + _PREPARED
    + " } } }"
)

PREPARE_VOTE = (
    """
query DemoPrepareVote($wallet: Pubkey!, $contentHash: Hash!, $approve: Boolean!) {
  prepare { it: castVote(wallet: $wallet, contentHash: $contentHash, approve: $approve) { """
    + _PREPARED
    + " } } }"
)

CREATE_THREAD = """
mutation DemoCreateThread($input: CreateThreadInput!) {
  it: createThread(input: $input) { __typename ... on Problem { explanation } }
}"""

POST_MESSAGE = (
    """
mutation DemoPostMessage($input: PostMessageInput!) {
  it: postMessage(input: $input) {
    __typename ... on PostMessageSuccess { message { """
    + _MESSAGE
    + " } } ... on Problem { explanation } } }"
)

SUBMIT_MESSAGE = (
    """
mutation DemoSubmitMessage($input: SubmitMessageInput!) {
  it: submitMessage(input: $input) {
    __typename ... on SubmitMessageSuccess { message { """
    + _MESSAGE
    + " } } ... on Problem { explanation } } }"
)

CAST_VOTE = """
mutation DemoCastVote($input: TransactionInput!) {
  it: castVote(input: $input) { __typename ... on Problem { explanation } }
}"""
