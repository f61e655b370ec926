//! Chorale on Solana: who is in a thread, who approves what, and whose the tokens are.
//!
//! A **thread** has co-authors and a vault. An outsider **submits** a message with a stake; every co-author **votes**
//! within the window. All approve: the message is published, its author becomes a co-author, the stake common property.
//! All deny: the deniers share the stake. Mixed: it goes to the treasury. Nobody decides in time: the author has it back.
//!
//! How to read this crate:
//! * `instructions/`: one file each. It lists its accounts in order and its arguments; `validate` checks everything,
//!   `apply` changes things. The list is the same whatever the outcome.
//! * `state/`: one file per account, with seeds, discriminator and layout. Accounts are read and written in place.
//! * `rules.rs` turns votes into a verdict, `decision.rs` turns a verdict into state. Decisions move no tokens: debts are
//!   written down, and `refund`, `claim`, `divest` and `sweep` pay them, so a frozen account delays one payout only.
//! * `events.rs`, `error.rs`: read by clients, frozen once shipped.
//!
//! Wire conventions are Anchor's (8-byte discriminators, borsh, events as `Program data:`, errors from 6000).
//!
//! Both `programs/build` and `cargo build-sbf` compile it. Upstream LLVM has no 128-bit arithmetic for BPF, so products
//! are of bounded factors and wrap in name only; sums and differences of amounts are checked.

#![no_std]

pub mod args;
pub mod checks;
pub mod decision;
pub mod error;
pub mod events;
pub mod instructions;
pub mod layout;
pub mod pda;
pub mod rules;
pub mod runtime;
pub mod state;
pub mod tokens;
pub mod tree;

use core::{mem::MaybeUninit, slice};

use pinocchio::{AccountView, Address, SUCCESS, entrypoint::deserialize, nostd_panic_handler};

use error::{ChoraleError::InvalidInstructionData, Outcome};

/// One more than the longest list, so that a list with something behind it is seen to be too long.
const MAX_ACCOUNTS: usize = 10;

nostd_panic_handler!();

/// Called by the runtime. Returns 0 or an error's code.
///
/// # Safety
/// `input` must be the runtime's serialization of the instruction.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn entrypoint(input: *mut u8) -> u64 {
    let mut views = [const { MaybeUninit::<AccountView>::uninit() }; MAX_ACCOUNTS];
    // SAFETY: the runtime's promise; the first `count` views are filled.
    let (program, accounts, data) = unsafe {
        let (program, count, data) = deserialize::<MAX_ACCOUNTS>(input, &mut views);
        (program, slice::from_raw_parts_mut(views.as_mut_ptr().cast(), count), data)
    };
    match process_instruction(program, accounts, data) {
        Ok(()) => SUCCESS,
        Err(failure) => failure.code(),
    }
}

/// Finds the instruction by its discriminator, `sha256("global:<name>")[..8]`.
pub fn process_instruction(program: &Address, accounts: &mut [AccountView], data: &[u8]) -> Outcome {
    let (discriminator, args) = data.split_first_chunk().ok_or(InvalidInstructionData)?;
    let discriminator = u64::from_le_bytes(*discriminator);
    // Direct calls, the frequent ones first.
    macro_rules! dispatch {
        ($($name:ident)*) => {$(
            if discriminator == u64::from_le_bytes(instructions::$name::DISCRIMINATOR) {
                return instructions::$name::process(program, accounts, args);
            }
        )*};
    }
    dispatch!(
        cast_vote submit_message post_message create_thread
        claim refund divest resolve expire cancel sweep
        initialize configure withdraw_treasury
    );
    Err(InvalidInstructionData.into())
}
