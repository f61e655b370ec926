/** The walkthrough, one tab an operation, in the order in which to run them. */

export interface Example {
  readonly query: string;
  readonly variables?: Record<string, unknown>;
  readonly as?: "Ada" | "Ben" | "Cleo";
}

const problem = "... on Problem { code explanation }";

export const examples: readonly Example[] = [
  {
    query: `# Welcome to Chorale. The tabs walk through one message's
# life; run them from left to right. Values in {{double
# braces}} are filled from the answers of earlier tabs.
#
# First three wallets, made and funded on the embedded
# chain. Ada will own a thread, Ben will write into it,
# Cleo will try to.
mutation Wallets {
  ada: devWallet(name: "ada") { name address }
  ben: devWallet(name: "ben") { name address }
  cleo: devWallet(name: "cleo") { name address }
}`,
  },
  {
    query: `# Sign them in. (A real wallet uses signInChallenge and
# signIn.) The later tabs send these tokens in their
# Authorization header.
mutation SignIn {
  ada: devSignIn(name: "ada") { token expiresAt viewer { address tokenBalance { amount decimals } } }
  ben: devSignIn(name: "ben") { token expiresAt }
  cleo: devSignIn(name: "cleo") { token expiresAt }
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
  {
    query: `# And not everything is published. Cleo submits three
# messages at once; aliases make one step of them.
query PrepareThree($wallet: Pubkey!, $threadId: Hash!) {
  prepare {
    first: submitMessage(wallet: $wallet, threadId: $threadId, body: "First draft.", stake: "1000001") {
      ...Draft
    }
    second: submitMessage(wallet: $wallet, threadId: $threadId, body: "Second draft.", stake: "1000000") {
      ...Draft
    }
    third: submitMessage(wallet: $wallet, threadId: $threadId, body: "Third draft.", stake: "1000000") {
      ...Draft
    }
  }
}
fragment Draft on PrepareResult {
  ... on PreparedTransaction { transaction contentHash salt }
  ${problem}
}`,
    variables: {
      wallet: "{{Wallets.cleo.address}}",
      threadId: "{{CreateThread.createThread.thread.threadId}}",
    },
    as: "Cleo",
  },
  {
    query: `mutation SignThree($first: Base64!, $second: Base64!, $third: Base64!) {
  first: devSign(name: "cleo", transaction: $first)
  second: devSign(name: "cleo", transaction: $second)
  third: devSign(name: "cleo", transaction: $third)
}`,
    variables: {
      first: "{{PrepareThree.prepare.first.transaction}}",
      second: "{{PrepareThree.prepare.second.transaction}}",
      third: "{{PrepareThree.prepare.third.transaction}}",
    },
  },
  {
    query: `mutation SubmitThree(
  $first: SubmitMessageInput!
  $second: SubmitMessageInput!
  $third: SubmitMessageInput!
) {
  first: submitMessage(input: $first) { ...Submitted }
  second: submitMessage(input: $second) { ...Submitted }
  third: submitMessage(input: $third) { ...Submitted }
}
fragment Submitted on SubmitMessageResult {
  ... on SubmitMessageSuccess {
    message { contentHash status body expiresAt }
    thread { stakesTotal { amount } }
    update { outcome }
  }
  ${problem}
}`,
    variables: {
      first: {
        signedTransaction: "{{SignThree.first}}",
        body: "First draft.",
        salt: "{{PrepareThree.prepare.first.salt}}",
      },
      second: {
        signedTransaction: "{{SignThree.second}}",
        body: "Second draft.",
        salt: "{{PrepareThree.prepare.second.salt}}",
      },
      third: {
        signedTransaction: "{{SignThree.third}}",
        body: "Third draft.",
        salt: "{{PrepareThree.prepare.third.salt}}",
      },
    },
    as: "Cleo",
  },
  {
    query: `# Ada and Ben deny the first; Cleo takes the second back
# before anybody has voted on it. The third is left alone.
query PrepareEnds(
  $ada: Pubkey!
  $ben: Pubkey!
  $cleo: Pubkey!
  $first: Hash!
  $second: Hash!
) {
  prepare {
    adaDenies: castVote(wallet: $ada, contentHash: $first, approve: false) { ...Prepared }
    benDenies: castVote(wallet: $ben, contentHash: $first, approve: false) { ...Prepared }
    cleoCancels: cancelMessage(wallet: $cleo, contentHash: $second) { ...Prepared }
  }
}
fragment Prepared on PrepareResult {
  ... on PreparedTransaction { transaction feeLamports }
  ${problem}
}`,
    variables: {
      ada: "{{Wallets.ada.address}}",
      ben: "{{Wallets.ben.address}}",
      cleo: "{{Wallets.cleo.address}}",
      first: "{{SubmitThree.first.message.contentHash}}",
      second: "{{SubmitThree.second.message.contentHash}}",
    },
    as: "Ada",
  },
  {
    query: `mutation SignEnds($adaDenies: Base64!, $benDenies: Base64!, $cleoCancels: Base64!) {
  adaDenies: devSign(name: "ada", transaction: $adaDenies)
  benDenies: devSign(name: "ben", transaction: $benDenies)
  cleoCancels: devSign(name: "cleo", transaction: $cleoCancels)
}`,
    variables: {
      adaDenies: "{{PrepareEnds.prepare.adaDenies.transaction}}",
      benDenies: "{{PrepareEnds.prepare.benDenies.transaction}}",
      cleoCancels: "{{PrepareEnds.prepare.cleoCancels.transaction}}",
    },
  },
  {
    query: `# Who sends a signed transaction does not matter: Ada sends
# all three. The stake of what was denied is shared out
# among the deniers, the odd rest is the treasury's.
mutation Ends(
  $adaDenies: TransactionInput!
  $benDenies: TransactionInput!
  $cleoCancels: TransactionInput!
) {
  adaDenies: castVote(input: $adaDenies) { ...Voted }
  benDenies: castVote(input: $benDenies) { ...Voted }
  cleoCancels: cancelMessage(input: $cleoCancels) {
    ... on CancelMessageSuccess {
      message { contentHash status escrowRemaining { amount } }
      update { outcome }
    }
    ${problem}
  }
}
fragment Voted on CastVoteResult {
  ... on CastVoteSuccess {
    message { contentHash status escrowRemaining { amount } }
    thread { treasuryDue { amount } }
    update { outcome }
  }
  ${problem}
}`,
    variables: {
      adaDenies: { signedTransaction: "{{SignEnds.adaDenies}}" },
      benDenies: { signedTransaction: "{{SignEnds.benDenies}}" },
      cleoCancels: { signedTransaction: "{{SignEnds.cleoCancels}}" },
    },
    as: "Ada",
  },
  {
    query: `# What is owed is never sent by itself to deniers: they
# claim. And Ben leaves, with half of the balance.
query PrepareShares($ada: Pubkey!, $ben: Pubkey!, $first: Hash!, $threadId: Hash!) {
  prepare {
    adaClaims: claimEscrow(wallet: $ada, contentHash: $first) { ...Prepared }
    benClaims: claimEscrow(wallet: $ben, contentHash: $first) { ...Prepared }
    benLeaves: divest(wallet: $ben, threadId: $threadId) { ...Prepared }
  }
}
fragment Prepared on PrepareResult {
  ... on PreparedTransaction { transaction feeLamports rentLamports }
  ${problem}
}`,
    variables: {
      ada: "{{Wallets.ada.address}}",
      ben: "{{Wallets.ben.address}}",
      first: "{{SubmitThree.first.message.contentHash}}",
      threadId: "{{CreateThread.createThread.thread.threadId}}",
    },
    as: "Ada",
  },
  {
    query: `mutation SignShares($adaClaims: Base64!, $benClaims: Base64!, $benLeaves: Base64!) {
  adaClaims: devSign(name: "ada", transaction: $adaClaims)
  benClaims: devSign(name: "ben", transaction: $benClaims)
  benLeaves: devSign(name: "ben", transaction: $benLeaves)
}`,
    variables: {
      adaClaims: "{{PrepareShares.prepare.adaClaims.transaction}}",
      benClaims: "{{PrepareShares.prepare.benClaims.transaction}}",
      benLeaves: "{{PrepareShares.prepare.benLeaves.transaction}}",
    },
  },
  {
    query: `# One after the other, each verified before the next.
mutation Shares(
  $adaClaims: TransactionInput!
  $benClaims: TransactionInput!
  $benLeaves: TransactionInput!
) {
  adaClaims: claimEscrow(input: $adaClaims) { ...Claimed }
  benClaims: claimEscrow(input: $benClaims) { ...Claimed }
  benLeaves: divest(input: $benLeaves) {
    ... on DivestSuccess {
      thread { tokenBalance { amount } coAuthors { user { address } } }
      update { outcome }
    }
    ${problem}
  }
}
fragment Claimed on ClaimEscrowResult {
  ... on ClaimEscrowSuccess {
    message { escrowRemaining { amount } votes { voter { address } claimed } }
    update { outcome }
  }
  ${problem}
}`,
    variables: {
      adaClaims: { signedTransaction: "{{SignShares.adaClaims}}" },
      benClaims: { signedTransaction: "{{SignShares.benClaims}}" },
      benLeaves: { signedTransaction: "{{SignShares.benLeaves}}" },
    },
    as: "Ada",
  },
  {
    query: `# A week later. (This turns the embedded chain's clock: all
# that is pending anywhere on it is out of time now.)
mutation WeekLater {
  devAdvanceClock(seconds: 604800)
}`,
  },
  {
    query: `# The rest anybody may send: expireMessage, refundStake,
# sweepThread. The keeper inside this server does so some
# ten seconds after it is due. Run this until the third
# message has expired and nothing is owed any more.
query Kept($threadId: Hash!, $second: Hash!, $third: Hash!) {
  thread(threadId: $threadId) { version treasuryDue { amount } stakesTotal { amount } escrowTotal { amount } }
  second: message(contentHash: $second) { status escrowRemaining { amount } }
  third: message(contentHash: $third) { status escrowRemaining { amount } }
}`,
    variables: {
      threadId: "{{CreateThread.createThread.thread.threadId}}",
      second: "{{SubmitThree.second.message.contentHash}}",
      third: "{{SubmitThree.third.message.contentHash}}",
    },
    as: "Cleo",
  },
  {
    query: `# What was swept is in the protocol's treasury, and every
# flow into it and out of it can be read. Its admin may
# pay from it: devSignIn(name: "admin"), then
# prepare.withdrawTreasury.
query Treasury {
  treasury {
    balance { amount }
    swept { amount }
    withdrawn { amount }
    flows(first: 10) {
      nodes {
        __typename amount { amount } occurredAt signature
        ... on TreasurySweep { threadId }
      }
    }
  }
}`,
  },
  {
    query: `# Do the four systems agree? What was checked since the
# server started, how the authorities do, and what was
# measured. Operators see more, and have everything
# checked and repaired: devSignIn(name: "admin"), then
# verifyBoundaries and boundaryConflicts.
query Boundaries {
  boundaries {
    checks { name checked conflicts healed problem checkedAt }
    authorities { authority health since }
    measures {
      stateSyncDelay { count p50Ms p99Ms }
      propagationTime { count p50Ms p99Ms }
      conflictRate recoverySuccess watcherLagSlots cacheHitRate
      queueDepths { queue depth }
    }
    catchUp { total done left finished }
  }
}`,
  },
];
