/** The walkthrough, one tab an operation, in the order in which to run them. */

export interface Example {
  readonly query: string;
  readonly variables?: Record<string, unknown>;
  readonly as?: "Ada" | "Ben";
}

const problem = "... on Problem { code explanation }";

export const examples: readonly Example[] = [
  {
    query: `# Welcome to Chorale. The tabs walk through one message's
# life; run them from left to right. Values in {{double
# braces}} are filled from the answers of earlier tabs.
#
# First two wallets, made and funded on the embedded
# chain. Ada will own a thread, Ben will write into it.
mutation Wallets {
  ada: devWallet(name: "ada") { name address }
  ben: devWallet(name: "ben") { name address }
}`,
  },
  {
    query: `# Sign both in. (A real wallet uses signInChallenge and
# signIn.) The later tabs send these tokens in their
# Authorization header.
mutation SignIn {
  ada: devSignIn(name: "ada") { token expiresAt viewer { address tokenBalance { amount decimals } } }
  ben: devSignIn(name: "ben") { token expiresAt }
}`,
  },
  {
    query: `# The server prepares an unsigned transaction; it never
# holds a wallet's key.
query PrepareThread($wallet: Pubkey!, $title: String!) {
  prepare {
    createThread(wallet: $wallet, title: $title) {
      ... on PreparedTransaction { transaction threadId nonce salt feeLamports rentLamports lastValidBlockHeight }
      ${problem}
    }
  }
}`,
    variables: { wallet: "{{Wallets.ada.address}}", title: "A novel that its readers own" },
    as: "Ada",
  },
  {
    query: `# The wallet signs. On the embedded chain this mutation
# stands in for it.
mutation SignThread($transaction: Base64!) {
  devSign(name: "ada", transaction: $transaction)
}`,
    variables: { transaction: "{{PrepareThread.prepare.createThread.transaction}}" },
  },
  {
    query: `# Solana first, then Qdrant, then the index, then read
# back: the four steps are in the answer.
mutation CreateThread($input: CreateThreadInput!) {
  createThread(input: $input) {
    ... on CreateThreadSuccess {
      thread { id threadId title version eventCursor coAuthors { user { address } } }
      update { signature slot outcome steps { name state durationMs } }
    }
    ${problem}
  }
}`,
    variables: {
      input: {
        signedTransaction: "{{SignThread.devSign}}",
        title: "A novel that its readers own",
        salt: "{{PrepareThread.prepare.createThread.salt}}",
      },
    },
    as: "Ada",
  },
  {
    query: `# Ben is not a co-author, so he submits with a stake. What
# the wallet would refuse is refused here already.
query PrepareMessage($wallet: Pubkey!, $threadId: Hash!, $body: String!, $stake: U64!) {
  prepare {
    submitMessage(wallet: $wallet, threadId: $threadId, body: $body, stake: $stake) {
      ... on PreparedTransaction { transaction contentHash nonce salt expectedVersion feeLamports rentLamports }
      ${problem}
    }
  }
}`,
    variables: {
      wallet: "{{Wallets.ben.address}}",
      threadId: "{{CreateThread.createThread.thread.threadId}}",
      body: "The lighthouse keeper wrote every ship's name in his book, even of those that never came back.",
      stake: "1000000",
    },
    as: "Ben",
  },
  {
    query: `mutation SignMessage($transaction: Base64!) {
  devSign(name: "ben", transaction: $transaction)
}`,
    variables: { transaction: "{{PrepareMessage.prepare.submitMessage.transaction}}" },
  },
  {
    query: `# Pending: only Ben and the thread's co-authors can read
# it now.
mutation SubmitMessage($input: SubmitMessageInput!) {
  submitMessage(input: $input) {
    ... on SubmitMessageSuccess {
      message { contentHash status body stake { amount } expiresAt requiredVoters { address } }
      update { signature outcome steps { name state durationMs } }
    }
    ${problem}
  }
}`,
    variables: {
      input: {
        signedTransaction: "{{SignMessage.devSign}}",
        body: "The lighthouse keeper wrote every ship's name in his book, even of those that never came back.",
        salt: "{{PrepareMessage.prepare.submitMessage.salt}}",
      },
    },
    as: "Ben",
  },
  {
    query: `# What awaits Ada's vote, soonest to expire first.
query Approvals($voter: Pubkey!) {
  pendingApprovals(voter: $voter) {
    nodes { contentHash body status viewerCanVote author { address } }
  }
}`,
    variables: { voter: "{{Wallets.ada.address}}" },
    as: "Ada",
  },
  {
    query: `query PrepareVote($wallet: Pubkey!, $contentHash: Hash!) {
  prepare {
    castVote(wallet: $wallet, contentHash: $contentHash, approve: true) {
      ... on PreparedTransaction { transaction feeLamports computeUnitLimit }
      ${problem}
    }
  }
}`,
    variables: {
      wallet: "{{Wallets.ada.address}}",
      contentHash: "{{SubmitMessage.submitMessage.message.contentHash}}",
    },
    as: "Ada",
  },
  {
    query: `mutation SignVote($transaction: Base64!) {
  devSign(name: "ada", transaction: $transaction)
}`,
    variables: { transaction: "{{PrepareVote.prepare.castVote.transaction}}" },
  },
  {
    query: `# Ada is the only required voter, so this vote publishes
# the message and seats Ben beside her. Whoever watches
# sees it at this moment: the next tab.
mutation Approve($input: TransactionInput!) {
  castVote(input: $input) {
    ... on CastVoteSuccess {
      message { contentHash status leafIndex votes { voter { address } approve } }
      thread { version coAuthors { user { address } } tokenBalance { amount } contentRoot }
      update { outcome steps { name state durationMs } }
    }
    ${problem}
  }
}`,
    variables: { input: { signedTransaction: "{{SignVote.devSign}}" } },
    as: "Ada",
  },
  {
    query: `# All that has happened in the thread since it was made,
# newest first, and whatever comes. GraphiQL ends a
# subscription with its tab; run it again, and nothing is
# missing, since \`after\` says where to go on.
subscription Watch($threadId: Hash!, $after: Cursor) {
  threadEvents(threadId: $threadId, after: $after) {
    __typename
    version
    ... on MessageSubmitted { message { contentHash status } }
    ... on VoteCast { vote { approve voter { address } } }
    ... on MessagePublished { message { contentHash status body leafIndex } }
    ... on CoAuthorJoined { user { address } }
    cursor
  }
}`,
    variables: {
      threadId: "{{CreateThread.createThread.thread.threadId}}",
      after: "{{CreateThread.createThread.thread.eventCursor}}",
    },
    as: "Ada",
  },
  {
    query: `# Published means searchable: by words, by meaning, or
# both. No sign-in is needed for what is published.
query Find($query: String!) {
  search(query: $query, mode: HYBRID, first: 5) {
    edges {
      score
      highlights { text ranges { start end } }
      node { contentHash body author { address } thread { title } }
    }
  }
}`,
    variables: { query: "a keeper's book of lost ships" },
  },
  {
    query: `# The proof: 20 hashes from the message's leaf to the
# content root that the thread's account holds on chain.
query Proof($contentHash: Hash!) {
  message(contentHash: $contentHash) {
    status
    proof { root leaf leafIndex path account slot }
    thread { contentRoot version }
  }
}`,
    variables: { contentHash: "{{Approve.castVote.message.contentHash}}" },
  },
  {
    query: `# And what is there already: the most recently active
# threads.
query Threads {
  threads(first: 10) {
    nodes {
      threadId
      title
      lastActivityAt
      messageCount
      messages(last: 3) { nodes { body status author { address } } }
    }
    pageInfo { hasNextPage endCursor }
  }
}`,
  },
];
