//! `submit_message(body_hash [u8; 32], nonce u64, stake u64, max_expires_at i64)`: an outsider asks to be published and
//! to join, and puts a stake into the vault.

use pinocchio::{AccountView, Address};

use crate::{
    args::Args,
    checks::{self, key},
    error::{
        ChoraleError::{
            AlreadyACoAuthor, ExpiresTooLate, InvalidAccount, MathOverflow, StakeTooLow, ThreadFull, TreeFull,
            Unauthorized,
        },
        Outcome,
    },
    events::{Log, MessageSubmitted},
    instructions::new_message::{self, Identity, NewMessage},
    layout::{Key, same},
    runtime::{Rent, now},
    state::{
        edit,
        message::{Message, Status, pending_rent},
        protocol::Protocol,
        thread::{MAX_CO_AUTHORS, Thread, add, increment, seat_of},
    },
    tokens,
};

pub const DISCRIMINATOR: [u8; 8] = [92, 12, 188, 194, 54, 235, 188, 92];

struct SubmitMessage<'a> {
    /// signer, writable
    payer: &'a AccountView,
    /// signer: not a co-author, and the owner of `source`
    author: &'a AccountView,
    protocol: &'a AccountView,
    /// writable: `Thread`
    thread: &'a mut AccountView,
    /// writable, new: `Message`
    message: &'a mut AccountView,
    /// writable: the thread's vault
    vault: &'a AccountView,
    /// writable: the author's token account
    source: &'a AccountView,
    token_program: &'a AccountView,
    system_program: &'a AccountView,
    body_hash: &'a Key,
    nonce: u64,
    stake: u64,
    max_expires_at: i64,
    program: &'a Address,
}

struct Accepted {
    identity: Identity,
    now: i64,
    expires_at: i64,
    voters: usize,
}

#[inline(never)]
pub fn process(program: &Address, accounts: &mut [AccountView], data: &[u8]) -> Outcome {
    let [payer, author, protocol, thread, message, vault, source, token_program, system_program] = accounts else {
        return Err(InvalidAccount.into());
    };
    let mut args = Args::new(data);
    let (body_hash, nonce, stake, max_expires_at) = (args.key()?, args.u64()?, args.u64()?, args.i64()?);
    args.finish()?;
    let mut instruction = SubmitMessage {
        payer,
        author,
        protocol,
        thread,
        message,
        vault,
        source,
        token_program,
        system_program,
        body_hash,
        nonce,
        stake,
        max_expires_at,
        program,
    };
    let accepted = instruction.validate()?;
    instruction.apply(&accepted)
}

impl SubmitMessage<'_> {
    #[inline(always)]
    fn validate(&self) -> Outcome<Accepted> {
        checks::payer(self.payer)?;
        checks::signer(self.author)?;
        checks::token_program(self.token_program)?;
        checks::system_program(self.system_program)?;
        let protocol = Protocol::load(self.protocol, self.program)?;
        let thread = Thread::load(self.thread, self.program)?;
        thread.fields.check_vault(key(self.thread), self.vault, self.program)?;
        checks::writable(self.source)?;
        let source = tokens::account(self.source)?;
        if !same(source.mint().as_array(), &protocol.mint) {
            return Err(InvalidAccount.into());
        }
        if !same(source.owner().as_array(), key(self.author)) {
            return Err(Unauthorized.into());
        }
        if seat_of(thread.items, key(self.author)).is_some() {
            return Err(AlreadyACoAuthor.into());
        }
        if self.stake < protocol.minimum_stake.get() {
            return Err(StakeTooLow.into());
        }
        // A full tree never empties; a full thread might, but nobody's stake should wait for that.
        if thread.fields.tree_is_full() {
            return Err(TreeFull.into());
        }
        if thread.items.len() >= MAX_CO_AUTHORS {
            return Err(ThreadFull.into());
        }
        let now = now()?;
        let expires_at = now.checked_add(protocol.approval_window.get()).ok_or(MathOverflow)?;
        if expires_at > self.max_expires_at {
            return Err(ExpiresTooLate.into());
        }
        let author = key(self.author);
        let identity =
            new_message::identify(self.message, self.thread, author, self.nonce, self.body_hash, self.program)?;
        Ok(Accepted { identity, now, expires_at, voters: thread.items.len() })
    }

    #[inline(always)]
    fn apply(&mut self, accepted: &Accepted) -> Outcome {
        NewMessage {
            payer: self.payer,
            author: self.author,
            thread: self.thread,
            message: self.message,
            program: self.program,
            body_hash: self.body_hash,
            nonce: self.nonce,
        }
        .make(&accepted.identity, accepted.voters, pending_rent(Rent::get()?, accepted.voters))?;
        tokens::transfer(self.source, self.vault, self.author, self.stake)?;

        let address = *key(self.thread);
        let (thread, message) = (edit::<Thread>(self.thread).fields, edit::<Message>(self.message).fields);
        let sequence = thread.touch_active(accepted.now)?;
        increment(&mut thread.message_count)?;
        increment(&mut thread.pending_count)?;
        add(&mut thread.stakes_total, self.stake)?;
        message.status = Status::Pending as u8;
        message.stake.set(self.stake);
        message.submitted_at.set(accepted.now);
        message.expires_at.set(accepted.expires_at);
        message.submitted_sequence.set(sequence);
        message.sequence.set(sequence);
        Log::new(&address, sequence).emit(MessageSubmitted {
            author: message.author,
            content_hash: message.content_hash,
            body_hash: message.body_hash,
            stake: message.stake,
            expires_at: message.expires_at,
        });
        Ok(())
    }
}
