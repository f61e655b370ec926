//! `Message`: one content hash, its stake and its votes. PDA `["message", thread, content_hash]`; never closed.

use pinocchio::{AccountView, Address};

use super::{Fields, Header, View, read, size};
use crate::{
    checks,
    error::{
        ChoraleError::{InvalidAccount, NotPending, WindowClosed, WindowOpen},
        Outcome,
    },
    layout::{I64, Key, U32, U64, same},
    pda,
    runtime::Rent,
    state::thread::CoAuthor,
};

/// `leaf_index` of a message that is not published.
pub const NO_LEAF: u32 = u32::MAX;

/// What became of a message. 0 is no status; values are only ever appended.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Status {
    Pending = 1,
    Published = 2,
    Denied = 3,
    Split = 4,
    Expired = 5,
    Cancelled = 6,
}

#[repr(C)]
pub struct Message {
    pub header: Header,
    /// Address of the `Thread` account.
    pub thread: Key,
    pub author: Key,
    pub status: u8,
    /// `sha256("chorale:message:1" || thread_id || author || nonce || body_hash)`
    pub content_hash: Key,
    pub body_hash: Key,
    pub nonce: U64,
    /// Base units put in; 0 for a posted message.
    pub stake: U64,
    /// Base units still to be paid out.
    pub escrow_remaining: U64,
    /// What each denier may claim.
    pub share: U64,
    pub submitted_at: I64,
    /// Unix seconds; 0 for a posted message.
    pub expires_at: I64,
    /// Unix seconds; 0 while pending.
    pub decided_at: I64,
    /// The thread's sequence when this was made, and when it last changed.
    pub submitted_sequence: U64,
    pub sequence: U64,
    pub leaf_index: U32,
    pub reserved: [u8; 64],
    pub vote_count: U32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Vote {
    pub voter: Key,
    pub approve: u8,
    pub claimed: u8,
    pub cast_at: I64,
}

const _: () = assert!(size_of::<Message>() == 283 && align_of::<Message>() == 1);
const _: () = assert!(size_of::<Vote>() == 42 && align_of::<Vote>() == 1);

// SAFETY: byte arrays throughout.
unsafe impl Fields for Message {
    const DISCRIMINATOR: [u8; 8] = [110, 151, 23, 110, 198, 6, 125, 181];
    type Item = Vote;

    fn header_mut(&mut self) -> &mut Header {
        &mut self.header
    }

    fn count(&self) -> usize {
        self.vote_count.get() as usize
    }
}

impl Message {
    /// Checks everything about a `Message` account of `thread` that does not depend on the instruction.
    #[inline(always)]
    pub fn load<'a>(account: &'a AccountView, thread: &AccountView, program: &Address) -> Outcome<View<'a, Self>> {
        checks::writable(account)?;
        let message = read::<Self>(account, program)?;
        let fields = message.fields;
        if !same(&fields.thread, checks::key(thread)) {
            return Err(InvalidAccount.into());
        }
        let seeds: [&[u8]; 3] = [pda::MESSAGE, &fields.thread, &fields.content_hash];
        pda::check(account, &seeds, fields.header.bump, program)?;
        Ok(message)
    }

    #[inline(always)]
    pub fn is(&self, status: Status) -> bool {
        self.status == status as u8
    }

    /// Pending, and still to be decided.
    #[inline(always)]
    pub fn check_open(&self, now: i64) -> Outcome {
        self.check_pending()?;
        if now < self.expires_at.get() { Ok(()) } else { Err(WindowClosed.into()) }
    }

    /// Pending, and past its time.
    #[inline(always)]
    pub fn check_overdue(&self, now: i64) -> Outcome {
        self.check_pending()?;
        if now >= self.expires_at.get() { Ok(()) } else { Err(WindowOpen.into()) }
    }

    #[inline(always)]
    fn check_pending(&self) -> Outcome {
        if self.is(Status::Pending) { Ok(()) } else { Err(NotPending.into()) }
    }
}

/// Lamports of a pending message with room for `votes`: its rent, and that of a seat for its author.
#[inline(always)]
pub fn pending_rent(rent: Rent, votes: usize) -> u64 {
    rent.account(size::<Message>(votes)).wrapping_add(rent.bytes(size_of::<CoAuthor>()))
}

/// Where `voter`'s vote is.
#[inline(always)]
pub fn vote_of(votes: &[Vote], voter: &Key) -> Option<usize> {
    votes.iter().position(|vote| same(&vote.voter, voter))
}
