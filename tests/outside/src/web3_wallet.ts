/** What a wallet built on @solana/web3.js 1.x does with an RPC: airdrop, read, watch, transfer, confirm, look back. */
import { Connection, Keypair, LAMPORTS_PER_SOL, sendAndConfirmTransaction, SystemProgram, Transaction } from "@solana/web3.js";
import { strict as assert } from "node:assert";

const url = process.env["RPC_URL"];
assert.ok(url, "RPC_URL is not set");
const connection = new Connection(url, "confirmed");
const [from, to] = [Keypair.generate(), Keypair.generate()];

const { blockhash, lastValidBlockHeight } = await connection.getLatestBlockhash();
const airdrop = await connection.requestAirdrop(from.publicKey, 2 * LAMPORTS_PER_SOL);
const confirmed = await connection.confirmTransaction({ signature: airdrop, blockhash, lastValidBlockHeight }, "confirmed");
assert.equal(confirmed.value.err, null);
assert.equal(await connection.getBalance(from.publicKey), 2 * LAMPORTS_PER_SOL);

const watched = new Promise<number>((resolve) => {
  connection.onAccountChange(to.publicKey, (account) => resolve(account.lamports), { commitment: "confirmed" });
});
const transfer = SystemProgram.transfer({ fromPubkey: from.publicKey, toPubkey: to.publicKey, lamports: LAMPORTS_PER_SOL });
const signature = await sendAndConfirmTransaction(connection, new Transaction().add(transfer), [from], { commitment: "confirmed" });
assert.equal(await watched, LAMPORTS_PER_SOL);

const landed = await connection.getTransaction(signature, { commitment: "confirmed", maxSupportedTransactionVersion: 0 });
assert.equal(landed?.meta?.err, null);
const history = await connection.getSignaturesForAddress(to.publicKey, {}, "confirmed");
assert.deepEqual(history.map((entry) => entry.signature), [signature]);

const tooMuch = SystemProgram.transfer({ fromPubkey: from.publicKey, toPubkey: to.publicKey, lamports: 50 * LAMPORTS_PER_SOL });
await assert.rejects(sendAndConfirmTransaction(connection, new Transaction().add(tooMuch), [from]), /insufficient lamports|custom program error: 0x1/);
console.log(JSON.stringify({ signature }));
process.exit(0);
