//! SPL Token: reading token accounts, making vaults, moving tokens, and whom a payout may go to.

use pinocchio::{
    AccountView, Address,
    cpi::{Seed, Signer},
};
use pinocchio_token::{
    instructions::{InitializeAccount3, Transfer},
    state::{Account, Mint},
};

use crate::{
    checks::{self, key},
    error::{
        ChoraleError::{InvalidAccount, InvalidDestination},
        Outcome,
    },
    layout::{Key, same},
    pda,
    runtime::{Rent, find_program_address},
    state::{protocol::Protocol, thread::Thread},
};

/// The associated token account program, `ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL`.
const ASSOCIATED_TOKEN_PROGRAM: Key = [
    140, 151, 37, 143, 78, 36, 137, 241, 187, 61, 16, 41, 20, 142, 13, 131, 11, 90, 19, 153, 218, 255, 16, 132, 4, 142,
    123, 216, 219, 233, 248, 89,
];

/// A token account of the SPL Token program, read in place.
#[inline(always)]
pub fn account(account: &AccountView) -> Outcome<&Account> {
    checks::owner(account, &pinocchio_token::ID)?;
    if account.data_len() != Account::LEN {
        return Err(InvalidAccount.into());
    }
    // SAFETY: nothing in this program writes token accounts, and no reference is kept across an invocation.
    Ok(unsafe { Account::from_bytes_unchecked(account.borrow_unchecked()) })
}

/// An initialised mint of the SPL Token program, read in place.
#[inline(always)]
pub fn mint(account: &AccountView) -> Outcome<&Mint> {
    checks::owner(account, &pinocchio_token::ID)?;
    if account.data_len() != Mint::LEN {
        return Err(InvalidAccount.into());
    }
    // SAFETY: as above.
    let mint = unsafe { Mint::from_bytes_unchecked(account.borrow_unchecked()) };
    if mint.is_initialized() { Ok(mint) } else { Err(InvalidAccount.into()) }
}

/// A token account about to be made.
pub struct NewTokenAccount<'a> {
    pub payer: &'a AccountView,
    pub account: &'a AccountView,
    pub mint: &'a AccountView,
    pub holder: &'a AccountView,
}

impl NewTokenAccount<'_> {
    /// Makes it at the seeds of `signer`.
    #[inline(never)]
    pub fn make(&self, signer: &Signer) -> Outcome {
        let &Self { payer, account, mint, holder } = self;
        let lamports = Rent::get()?.account(Account::LEN);
        pda::NewAccount { payer, account, owner: &pinocchio_token::ID, length: Account::LEN, lamports }.make(signer)?;
        InitializeAccount3::new(account, mint, holder.address()).invoke()?;
        Ok(())
    }
}

/// Moves tokens that `authority` has signed for.
#[inline(never)]
pub fn transfer(from: &AccountView, to: &AccountView, authority: &AccountView, amount: u64) -> Outcome {
    Ok(Transfer::new(from, to, authority, amount).invoke()?)
}

/// Moves tokens out of a thread's vault. Nothing is moved where nothing is owed.
#[inline(never)]
pub fn pay_from_vault(vault: &AccountView, to: &AccountView, thread: &AccountView, amount: u64) -> Outcome {
    if amount == 0 {
        return Ok(());
    }
    let fields = crate::state::fixed::<Thread>(thread);
    let bump = [fields.header.bump];
    let seeds = [Seed::from(pda::THREAD), Seed::from(&fields.thread_id), Seed::from(&bump)];
    Ok(Transfer::new(vault, to, thread, amount).invoke_signed(&[Signer::from(&seeds)])?)
}

/// Moves tokens out of the treasury.
#[inline(never)]
pub fn pay_from_treasury(treasury: &AccountView, to: &AccountView, protocol: &AccountView, amount: u64) -> Outcome {
    let bump = [crate::state::fixed::<Protocol>(protocol).header.bump];
    let seeds = [Seed::from(pda::PROTOCOL), Seed::from(&bump)];
    Ok(Transfer::new(treasury, to, protocol, amount).invoke_signed(&[Signer::from(&seeds)])?)
}

/// Checks where a payout from `purse` goes: a token account of the same mint that `payee` holds. Anybody may pay into
/// the payee's associated account; only the payee, by signing, may name another. No purse passes: a vault is held by
/// its thread and the treasury by the protocol, neither of which is ever a payee.
#[inline(never)]
pub fn check_destination(destination: &AccountView, purse: &AccountView, payee: &AccountView) -> Outcome {
    checks::writable(destination)?;
    let mint = account(purse)?.mint();
    let held = account(destination).map_err(|_| InvalidDestination)?;
    if !same(held.mint().as_array(), mint.as_array()) || !same(held.owner().as_array(), key(payee)) {
        return Err(InvalidDestination.into());
    }
    if !payee.is_signer() {
        let seeds: [&[u8]; 3] = [key(payee), pinocchio_token::ID.as_array(), mint.as_array()];
        let (associated, _) = find_program_address(&seeds, &ASSOCIATED_TOKEN_PROGRAM)?;
        if !same(key(destination), &associated) {
            return Err(InvalidDestination.into());
        }
    }
    Ok(())
}

/// Checks the treasury's address.
#[inline(always)]
pub fn check_treasury(treasury: &AccountView, protocol: &Protocol, program: &Address) -> Outcome {
    checks::writable(treasury)?;
    pda::check(treasury, &[pda::TREASURY], protocol.treasury_bump, program)
}
