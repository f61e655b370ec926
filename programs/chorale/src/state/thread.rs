//! `Thread`: co-authors, totals and the content root. PDA `["thread", thread_id]`; it owns its vault, PDA
//! `["vault", thread]`.

use pinocchio::{AccountView, Address};

use super::{Fields, Header, View, read};
use crate::{
    checks,
    error::{ChoraleError::MathOverflow, Outcome},
    layout::{I64, Key, U32, U64, same},
    pda,
    tree::{self, DEPTH},
};

pub const MAX_CO_AUTHORS: usize = 64;

#[repr(C)]
pub struct Thread {
    pub header: Header,
    pub vault_bump: u8,
    /// `sha256("chorale:thread:1" || creator || nonce)`
    pub thread_id: Key,
    pub creator: Key,
    pub nonce: U64,
    pub created_at: I64,
    pub title_hash: Key,
    /// The co-authors' common property, base units.
    pub token_balance: U64,
    /// Sum of the stakes of pending messages.
    pub stakes_total: U64,
    /// Sum of what messages still owe to deniers and authors.
    pub escrow_total: U64,
    /// What the next sweep takes to the treasury.
    pub treasury_due: U64,
    /// Messages ever submitted or posted.
    pub message_count: U32,
    pub pending_count: U32,
    /// Leaves of the tree, and the next leaf's index.
    pub published_count: U32,
    /// Grows by one with every instruction that touches the thread, its vault or one of its messages.
    pub sequence: U64,
    /// When something was last created, posted, submitted, voted on or decided, and at which sequence.
    pub activity_at: I64,
    pub activity_sequence: U64,
    /// Merkle root of the published content hashes, and what appending needs.
    pub content_root: Key,
    pub frontier: [Key; DEPTH],
    pub reserved: [u8; 64],
    pub co_author_count: U32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct CoAuthor {
    pub key: Key,
    pub joined_sequence: U64,
}

const _: () = assert!(size_of::<Thread>() == 931 && align_of::<Thread>() == 1);
const _: () = assert!(size_of::<CoAuthor>() == 40 && align_of::<CoAuthor>() == 1);

// SAFETY: byte arrays throughout.
unsafe impl Fields for Thread {
    const DISCRIMINATOR: [u8; 8] = [186, 27, 154, 111, 51, 36, 159, 90];
    type Item = CoAuthor;

    fn header_mut(&mut self) -> &mut Header {
        &mut self.header
    }

    fn count(&self) -> usize {
        self.co_author_count.get() as usize
    }
}

impl Thread {
    /// Checks everything about a `Thread` account that does not depend on the instruction: all of them write to it.
    #[inline(always)]
    pub fn load<'a>(account: &'a AccountView, program: &Address) -> Outcome<View<'a, Self>> {
        checks::writable(account)?;
        let thread = read::<Self>(account, program)?;
        pda::check(account, &[pda::THREAD, &thread.fields.thread_id], thread.fields.header.bump, program)?;
        Ok(thread)
    }

    /// Checks that `account` is this thread's vault. The program made it, so its address says all.
    #[inline(always)]
    pub fn check_vault(&self, thread: &Key, account: &AccountView, program: &Address) -> Outcome {
        checks::writable(account)?;
        pda::check(account, &[pda::VAULT, thread], self.vault_bump, program)
    }

    /// Counts a change. Returns the new sequence.
    #[inline(always)]
    pub fn touch(&mut self) -> Outcome<u64> {
        let sequence = self.sequence.get().checked_add(1).ok_or(MathOverflow)?;
        self.sequence.set(sequence);
        Ok(sequence)
    }

    /// Counts a change that lifts the thread in the order of activity.
    #[inline(always)]
    pub fn touch_active(&mut self, now: i64) -> Outcome<u64> {
        let sequence = self.touch()?;
        self.activity_at.set(now);
        self.activity_sequence.set(sequence);
        Ok(sequence)
    }

    /// Appends a published content hash. Returns its leaf index; the caller has checked that the tree has room.
    #[inline(never)]
    pub fn publish(&mut self, content_hash: &Key) -> u32 {
        let leaf_index = self.published_count.get();
        self.content_root = tree::append(&mut self.frontier, leaf_index, content_hash);
        self.published_count.set(leaf_index.wrapping_add(1));
        leaf_index
    }

    #[inline(always)]
    pub fn tree_is_full(&self) -> bool {
        self.published_count.get() >= tree::CAPACITY
    }

    /// Base units that the vault must hold.
    #[inline(always)]
    pub fn owned(&self) -> Outcome<u64> {
        let total = self
            .token_balance
            .get()
            .checked_add(self.stakes_total.get())
            .and_then(|sum| sum.checked_add(self.escrow_total.get()))
            .and_then(|sum| sum.checked_add(self.treasury_due.get()));
        Ok(total.ok_or(MathOverflow)?)
    }
}

/// Where `key` sits.
#[inline(always)]
pub fn seat_of(co_authors: &[CoAuthor], key: &Key) -> Option<usize> {
    co_authors.iter().position(|co_author| same(&co_author.key, key))
}

/// Adds to or takes from a total.
#[inline(always)]
pub fn add(total: &mut U64, amount: u64) -> Outcome {
    total.set(total.get().checked_add(amount).ok_or(MathOverflow)?);
    Ok(())
}

#[inline(always)]
pub fn subtract(total: &mut U64, amount: u64) -> Outcome {
    total.set(total.get().checked_sub(amount).ok_or(MathOverflow)?);
    Ok(())
}

/// Counts one more or one less.
#[inline(always)]
pub fn increment(count: &mut U32) -> Outcome {
    count.set(count.get().checked_add(1).ok_or(MathOverflow)?);
    Ok(())
}

#[inline(always)]
pub fn decrement(count: &mut U32) -> Outcome {
    count.set(count.get().checked_sub(1).ok_or(MathOverflow)?);
    Ok(())
}
