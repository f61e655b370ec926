/** One message end to end with @solana/kit: Ada's thread, Ben's submission, a vote sent straight to the RPC. */
import {
  address,
  airdropFactory,
  createKeyPairSignerFromPrivateKeyBytes,
  createSolanaRpc,
  createSolanaRpcSubscriptions,
  getBase64EncodedWireTransaction,
  getBase58Decoder,
  getCompiledTransactionMessageDecoder,
  getTransactionDecoder,
  lamports,
  sendAndConfirmTransactionFactory,
  signBytes,
  signTransaction,
  type KeyPairSigner,
} from "@solana/kit";
import { strict as assert } from "node:assert";
import { follow, Graph, type Data } from "./graph.js";
import { verifyProof, type Content, type ContentProof } from "../../../web/client/dist/src/verifier.js";

const environment = (name: string): string => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
};

const rpc = createSolanaRpc(environment("RPC_URL"));
const rpcSubscriptions = createSolanaRpcSubscriptions(environment("WS_URL"));
const graphUrl = environment("GRAPHQL_URL");
const programId = environment("PROGRAM_ID");

const wallet = (name: string): Promise<KeyPairSigner> =>
  createKeyPairSignerFromPrivateKeyBytes(Buffer.from(environment(name), "hex"));

async function signIn(signer: KeyPairSigner): Promise<Graph> {
  const graph = new Graph(graphUrl);
  const { signInChallenge } = await graph.run(`mutation ($wallet: Pubkey!) { signInChallenge(wallet: $wallet) { message } }`, {
    wallet: signer.address,
  });
  const message = new TextEncoder().encode(signInChallenge.message);
  const signature = getBase58Decoder().decode(await signBytes(signer.keyPair.privateKey, message));
  const { signIn } = await graph.run(
    `mutation ($input: SignInInput!) { signIn(input: $input) { __typename ... on SignInSuccess { token viewer { address } } ... on Problem { explanation } } }`,
    { input: { wallet: signer.address, signedMessage: Buffer.from(message).toString("base64"), signature } },
  );
  assert.equal(signIn.__typename, "SignInSuccess", JSON.stringify(signIn));
  assert.equal(signIn.viewer.address, signer.address);
  return new Graph(graphUrl, signIn.token);
}

/** Sign what the server prepared, as a wallet would: decode, look, sign. */
async function sign(signer: KeyPairSigner, prepared: Data) {
  assert.equal(prepared["__typename"], "PreparedTransaction", JSON.stringify(prepared));
  const transaction = getTransactionDecoder().decode(Buffer.from(prepared["transaction"], "base64"));
  const compiled = getCompiledTransactionMessageDecoder().decode(transaction.messageBytes);
  const signed = await signTransaction([signer.keyPair], transaction);
  const lifetimeConstraint = {
    blockhash: compiled.lifetimeToken as never,
    lastValidBlockHeight: BigInt(prepared["lastValidBlockHeight"]),
  };
  return { ...signed, lifetimeConstraint };
}

const success = (answer: Data, type: string): Data => {
  assert.equal(answer["__typename"], type, JSON.stringify(answer));
  return answer;
};

const PREPARED = `__typename ... on PreparedTransaction { transaction contentHash salt lastValidBlockHeight } ... on Problem { code explanation }`;
const PROBLEM = `__typename ... on Problem { code explanation }`;

const ada = await wallet("ADA_SEED");
const ben = await wallet("BEN_SEED");
const airdrop = airdropFactory({ rpc, rpcSubscriptions });
for (const signer of [ada, ben]) {
  await airdrop({ commitment: "confirmed", lamports: lamports(2_000_000_000n), recipientAddress: signer.address });
}
const asAda = await signIn(ada);
const asBen = await signIn(ben);

const title = "Letters that outlived their writers";
const created = await asAda.run(`query ($wallet: Pubkey!, $title: String!) { prepare { createThread(wallet: $wallet, title: $title) { ${PREPARED} } } }`, {
  wallet: ada.address,
  title,
});
const thread = success(
  (
    await asAda.run(
      `mutation ($input: CreateThreadInput!) { createThread(input: $input) { ${PROBLEM} ... on CreateThreadSuccess { thread { threadId title eventCursor } update { outcome } } } }`,
      { input: { signedTransaction: getBase64EncodedWireTransaction(await sign(ada, created["prepare"].createThread)), title, salt: created["prepare"].createThread.salt } },
    )
  )["createThread"],
  "CreateThreadSuccess",
)["thread"];
assert.equal(thread.title, title);

const body = "My grandmother answered every letter, even the ones addressed to people long dead. — “Someone should.”";
const preparedSubmission = (
  await asBen.run(
    `query ($wallet: Pubkey!, $threadId: Hash!, $body: String!) { prepare { submitMessage(wallet: $wallet, threadId: $threadId, body: $body, stake: "1000000") { ${PREPARED} } } }`,
    { wallet: ben.address, threadId: thread.threadId, body },
  )
)["prepare"].submitMessage;
const submitted = success(
  (
    await asBen.run(
      `mutation ($input: SubmitMessageInput!) { submitMessage(input: $input) { ${PROBLEM} ... on SubmitMessageSuccess { message { contentHash status body } update { outcome } } } }`,
      { input: { signedTransaction: getBase64EncodedWireTransaction(await sign(ben, preparedSubmission)), body, salt: preparedSubmission.salt } },
    )
  )["submitMessage"],
  "SubmitMessageSuccess",
);
assert.equal(submitted["message"].status, "PENDING");
assert.equal(submitted["update"].outcome, "VERIFIED");
const contentHash: string = submitted["message"].contentHash;

const hidden = await new Graph(graphUrl).run(`query ($contentHash: Hash!) { message(contentHash: $contentHash) { body } }`, { contentHash });
assert.equal(hidden["message"], null, "a pending message is not for strangers");

// The vote goes past the server, straight to the RPC; it must reach subscribers and search all the same.
const published = follow(asBen, thread.threadId, thread.eventCursor, (event) => event["__typename"] === "MessagePublished");
const preparedVote = (
  await asAda.run(`query ($wallet: Pubkey!, $contentHash: Hash!) { prepare { castVote(wallet: $wallet, contentHash: $contentHash, approve: true) { ${PREPARED} } } }`, {
    wallet: ada.address,
    contentHash,
  })
)["prepare"].castVote;
await sendAndConfirmTransactionFactory({ rpc, rpcSubscriptions } as never)((await sign(ada, preparedVote)) as never, { commitment: "confirmed" });
const events = await published;
assert.deepEqual(
  events.map((event) => event["__typename"]).filter((name) => name !== "UpdateVerified" && name !== "ThreadCreated"),
  ["MessageSubmitted", "VoteCast", "MessagePublished"],
);
assert.equal(events.at(-1)?.["message"].body, body);

const found = await new Graph(graphUrl).run(`query ($query: String!) { search(query: $query, first: 5) { nodes { contentHash } } }`, {
  query: "answering mail of the deceased",
});
assert.ok(found["search"].nodes.some((node: Data) => node["contentHash"] === contentHash), "search finds what is published");

// Anybody checks what was published: the text and its proof from the graph, the account from the chain.
const { message } = (await new Graph(graphUrl).run(
  `query ($contentHash: Hash!) { message(contentHash: $contentHash) {
    status contentHash body salt nonce author { address } thread { threadId }
    proof { root leaf leafIndex path account slot } } }`,
  { contentHash },
)) as Data;
assert.equal(message.status, "PUBLISHED");
const content: Content = { ...message, author: message.author.address, threadId: message.thread.threadId };
const proof: ContentProof = message.proof;
const { value: account } = await rpc.getAccountInfo(address(message.proof.account), { encoding: "base64", commitment: "confirmed" }).send();
assert.ok(account);
const held = { address: message.proof.account, owner: account.owner, data: Buffer.from(account.data[0], "base64") };
assert.deepEqual(await verifyProof(content, proof, held, programId), { valid: true });
const forged = { ...content, body: `${content.body} ` };
assert.deepEqual(await verifyProof(forged, proof, held, programId), { valid: false, refusal: "CONTENT_HASH" });

console.log(JSON.stringify({ content, proof, account: { ...held, data: held.data.toString("base64") }, events: events.length }));
process.exit(0);
