//! Program derived addresses: found once when an account is made, afterwards recomputed from the stored bump.

use pinocchio::{AccountView, Address, cpi::Signer};
use pinocchio_system::instructions::{Allocate, Assign, CreateAccount, Transfer};

use crate::{
    checks,
    error::{ChoraleError::InvalidAccount, Outcome},
    runtime::{find_program_address, sha256},
};

pub const PROTOCOL: &[u8] = b"protocol";
pub const TREASURY: &[u8] = b"treasury";
pub const THREAD: &[u8] = b"thread";
pub const VAULT: &[u8] = b"vault";
pub const MESSAGE: &[u8] = b"message";

const MARKER: &[u8] = b"ProgramDerivedAddress";

/// Checks the address of an existing account against its seeds (up to three) and its stored bump.
#[inline(always)]
pub fn check<const N: usize>(account: &AccountView, seeds: &[&[u8]; N], bump: u8, program: &Address) -> Outcome {
    // The bump was found canonical when the account was made, so the hash alone tells; no curve check is needed.
    let bump = [bump];
    let mut parts: [&[u8]; 6] = [&[]; 6];
    parts[..N].copy_from_slice(seeds);
    parts[3] = &bump;
    parts[4] = program.as_array();
    parts[5] = MARKER;
    checks::address(account, &sha256(&parts))
}

/// Checks that `account` can become the one at these seeds, and finds its bump. Lamports may already be there.
#[inline(always)]
pub fn vacant<const N: usize>(account: &AccountView, seeds: &[&[u8]; N], program: &Address) -> Outcome<u8> {
    checks::writable(account)?;
    checks::owner(account, &pinocchio_system::ID)?;
    if !account.is_data_empty() {
        return Err(InvalidAccount.into());
    }
    let (expected, bump) = find_program_address(seeds, program.as_array())?;
    checks::address(account, &expected)?;
    Ok(bump)
}

/// Tops `account` up to `lamports`; `payer` pays only what is missing.
#[inline(always)]
pub fn fund(payer: &AccountView, account: &AccountView, lamports: u64) -> Outcome {
    match lamports.saturating_sub(account.lamports()) {
        0 => Ok(()),
        missing => Ok(Transfer { from: payer, to: account, lamports: missing }.invoke()?),
    }
}

/// An account about to be made.
pub struct NewAccount<'a> {
    pub payer: &'a AccountView,
    pub account: &'a AccountView,
    pub owner: &'a Address,
    /// Bytes of data, and the lamports that it is to hold.
    pub length: usize,
    pub lamports: u64,
}

impl NewAccount<'_> {
    /// Makes it at the seeds of `signer`. Anybody may have sent lamports there, which `CreateAccount` would refuse.
    #[inline(never)]
    pub fn make(&self, signer: &Signer) -> Outcome {
        let &Self { payer, account, owner, length, lamports } = self;
        let (space, signers) = (length as u64, core::slice::from_ref(signer));
        if account.lamports() == 0 {
            CreateAccount { from: payer, to: account, lamports, space, owner }.invoke_signed(signers)?;
        } else {
            fund(payer, account, lamports)?;
            Allocate { account, space }.invoke_signed(signers)?;
            Assign { account, owner }.invoke_signed(signers)?;
        }
        Ok(())
    }
}
