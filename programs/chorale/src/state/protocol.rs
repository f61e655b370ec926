//! `Protocol`: the one account of parameters. PDA `["protocol"]`; it owns the treasury, PDA `["treasury"]`.

use pinocchio::{AccountView, Address};

use super::{Fields, Header, read};
use crate::{
    error::{
        ChoraleError::{MathOverflow, ParameterOutOfRange},
        Outcome,
    },
    layout::{I64, Key, U64},
    pda,
};

#[repr(C)]
pub struct Protocol {
    pub header: Header,
    pub treasury_bump: u8,
    pub admin: Key,
    /// Mint of every stake, vault and payout.
    pub mint: Key,
    /// Base units, at least 1.
    pub minimum_stake: U64,
    /// Seconds between a submission and its expiry.
    pub approval_window: I64,
    /// Grows with every instruction that changes this account or the treasury on the admin's behalf.
    pub sequence: U64,
    pub allow_freezable: u8,
    pub reserved: [u8; 64],
}

const _: () = assert!(size_of::<Protocol>() == 164 && align_of::<Protocol>() == 1);

// SAFETY: byte arrays throughout.
unsafe impl Fields for Protocol {
    const DISCRIMINATOR: [u8; 8] = [45, 39, 101, 43, 115, 72, 131, 40];
    type Item = u8;

    fn header_mut(&mut self) -> &mut Header {
        &mut self.header
    }

    fn count(&self) -> usize {
        0
    }
}

impl Protocol {
    /// Checks everything about a `Protocol` account that does not depend on the instruction.
    #[inline(always)]
    pub fn load<'a>(account: &'a AccountView, program: &Address) -> Outcome<&'a Self> {
        let protocol = read::<Self>(account, program)?.fields;
        pda::check(account, &[pda::PROTOCOL], protocol.header.bump, program)?;
        Ok(protocol)
    }

    /// Counts a change. Returns the new sequence.
    #[inline(always)]
    pub fn touch(&mut self) -> Outcome<u64> {
        let sequence = self.sequence.get().checked_add(1).ok_or(MathOverflow)?;
        self.sequence.set(sequence);
        Ok(sequence)
    }
}

/// Parameters that an admin may choose.
#[derive(Clone, Copy)]
pub struct Parameters {
    pub minimum_stake: u64,
    pub approval_window: i64,
}

impl Parameters {
    const SHORTEST_WINDOW: i64 = 3_600;
    const LONGEST_WINDOW: i64 = 2_592_000;

    pub fn validate(self) -> Outcome {
        let window = Self::SHORTEST_WINDOW..=Self::LONGEST_WINDOW;
        if self.minimum_stake == 0 || !window.contains(&self.approval_window) {
            return Err(ParameterOutOfRange.into());
        }
        Ok(())
    }
}
