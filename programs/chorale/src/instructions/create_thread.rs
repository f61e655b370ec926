//! `create_thread(nonce u64, title_hash [u8; 32])`: makes a thread and its vault; the creator is the first co-author.

use pinocchio::{
    AccountView, Address,
    cpi::{Seed, Signer},
};

use crate::{
    args::Args,
    checks::{self, key},
    error::{ChoraleError::InvalidAccount, Outcome},
    events::{Log, ThreadCreated},
    layout::{I64, Key, U32, U64},
    pda,
    runtime::{Rent, now, sha256},
    state::{
        make,
        protocol::Protocol,
        size,
        thread::{CoAuthor, Thread},
    },
    tokens,
    tree::{DEPTH, EMPTY},
};

pub const DISCRIMINATOR: [u8; 8] = [182, 223, 64, 3, 133, 33, 204, 26];

/// What a thread's identity is the hash of, before creator and nonce.
const DOMAIN: &[u8] = b"chorale:thread:1";

struct CreateThread<'a> {
    /// signer, writable
    payer: &'a AccountView,
    /// signer
    creator: &'a AccountView,
    protocol: &'a AccountView,
    /// writable, new: `Thread`
    thread: &'a mut AccountView,
    /// writable, new: the thread's vault
    vault: &'a AccountView,
    /// the protocol's mint
    mint: &'a AccountView,
    token_program: &'a AccountView,
    system_program: &'a AccountView,
    nonce: u64,
    title_hash: &'a Key,
    program: &'a Address,
}

struct Identity {
    thread_id: Key,
    bump: u8,
    vault_bump: u8,
}

#[inline(never)]
pub fn process(program: &Address, accounts: &mut [AccountView], data: &[u8]) -> Outcome {
    let [payer, creator, protocol, thread, vault, mint, token_program, system_program] = accounts else {
        return Err(InvalidAccount.into());
    };
    let mut args = Args::new(data);
    let (nonce, title_hash) = (args.u64()?, args.key()?);
    args.finish()?;
    let mut instruction = CreateThread {
        payer,
        creator,
        protocol,
        thread,
        vault,
        mint,
        token_program,
        system_program,
        nonce,
        title_hash,
        program,
    };
    let identity = instruction.validate()?;
    instruction.apply(&identity)
}

impl CreateThread<'_> {
    #[inline(always)]
    fn validate(&self) -> Outcome<Identity> {
        checks::payer(self.payer)?;
        checks::signer(self.creator)?;
        checks::token_program(self.token_program)?;
        checks::system_program(self.system_program)?;
        let protocol = Protocol::load(self.protocol, self.program)?;
        checks::address(self.mint, &protocol.mint)?;
        let thread_id = sha256(&[DOMAIN, key(self.creator), &self.nonce.to_le_bytes()]);
        let bump = pda::vacant(self.thread, &[pda::THREAD, &thread_id], self.program)?;
        let vault_bump = pda::vacant(self.vault, &[pda::VAULT, key(self.thread)], self.program)?;
        Ok(Identity { thread_id, bump, vault_bump })
    }

    #[inline(always)]
    fn apply(&mut self, identity: &Identity) -> Outcome {
        let now = now()?;
        let length = size::<Thread>(1);
        let (bump, vault_bump) = ([identity.bump], [identity.vault_bump]);
        let seeds = [Seed::from(pda::THREAD), Seed::from(&identity.thread_id), Seed::from(&bump)];
        pda::NewAccount {
            payer: self.payer,
            account: self.thread,
            owner: self.program,
            length,
            lamports: Rent::get()?.account(length),
        }
        .make(&Signer::from(&seeds))?;
        let seeds = [Seed::from(pda::VAULT), Seed::from(key(self.thread)), Seed::from(&vault_bump)];
        tokens::NewTokenAccount { payer: self.payer, account: self.vault, mint: self.mint, holder: self.thread }
            .make(&Signer::from(&seeds))?;

        let address = *key(self.thread);
        let creator = *key(self.creator);
        let view = make::<Thread>(self.thread, identity.bump)?;
        let thread = view.fields;
        thread.vault_bump = identity.vault_bump;
        thread.thread_id = identity.thread_id;
        thread.creator = creator;
        thread.nonce.set(self.nonce);
        thread.created_at.set(now);
        thread.title_hash = *self.title_hash;
        thread.content_root = EMPTY[DEPTH];
        let sequence = thread.touch_active(now)?;
        if let Some(seat) = view.room.first_mut() {
            *seat = CoAuthor { key: creator, joined_sequence: U64::new(sequence) };
            thread.co_author_count = U32::new(1);
        }
        Log::new(&address, sequence).emit(ThreadCreated {
            creator,
            title_hash: *self.title_hash,
            created_at: I64::new(now),
        });
        Ok(())
    }
}
