//! What posting and submitting have in common: a message's identity and its account.

use pinocchio::{
    AccountView, Address,
    cpi::{Seed, Signer},
};

use crate::{
    checks::key,
    error::Outcome,
    layout::Key,
    pda,
    runtime::sha256,
    state::{
        fixed, make,
        message::{Message, NO_LEAF},
        size,
        thread::Thread,
    },
};

/// What a message's identity is the hash of, before thread, author, nonce and body.
const DOMAIN: &[u8] = b"chorale:message:1";

/// Derived from the signer, so that nobody can take another's identity first.
pub struct Identity {
    pub content_hash: Key,
    pub bump: u8,
}

/// Computes the content hash and checks that `message` is its account and still vacant. `thread` must be checked.
#[inline(always)]
pub fn identify(
    message: &AccountView,
    thread: &AccountView,
    author: &Key,
    nonce: u64,
    body_hash: &Key,
    program: &Address,
) -> Outcome<Identity> {
    let thread_id = &fixed::<Thread>(thread).thread_id;
    let content_hash = sha256(&[DOMAIN, thread_id, author, &nonce.to_le_bytes(), body_hash]);
    let bump = pda::vacant(message, &[pda::MESSAGE, key(thread), &content_hash], program)?;
    Ok(Identity { content_hash, bump })
}

/// A message about to be made.
pub struct NewMessage<'a> {
    pub payer: &'a AccountView,
    pub author: &'a AccountView,
    pub thread: &'a AccountView,
    pub message: &'a mut AccountView,
    pub program: &'a Address,
    pub body_hash: &'a Key,
    pub nonce: u64,
}

impl NewMessage<'_> {
    /// Makes the account with room for `votes`, and fills in what every message has from the start.
    #[inline(never)]
    pub fn make(&mut self, identity: &Identity, votes: usize, lamports: u64) -> Outcome {
        let bump = [identity.bump];
        let seeds = [
            Seed::from(pda::MESSAGE),
            Seed::from(key(self.thread)),
            Seed::from(&identity.content_hash),
            Seed::from(&bump),
        ];
        let length = size::<Message>(votes);
        pda::NewAccount { payer: self.payer, account: self.message, owner: self.program, length, lamports }
            .make(&Signer::from(&seeds))?;
        let message = make::<Message>(self.message, identity.bump)?.fields;
        message.thread = *key(self.thread);
        message.author = *key(self.author);
        message.content_hash = identity.content_hash;
        message.body_hash = *self.body_hash;
        message.nonce.set(self.nonce);
        message.leaf_index.set(NO_LEAF);
        Ok(())
    }
}
