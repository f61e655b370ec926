//! Checks of accounts that every instruction makes before anything changes.

use pinocchio::{AccountView, Address};

use crate::{
    error::{
        ChoraleError::{InvalidAccount, Unauthorized},
        Outcome,
    },
    layout::{Key, same},
};

/// The account's address.
#[inline(always)]
pub fn key(account: &AccountView) -> &Key {
    account.address().as_array()
}

#[inline(always)]
pub fn signer(account: &AccountView) -> Outcome {
    if account.is_signer() { Ok(()) } else { Err(Unauthorized.into()) }
}

#[inline(always)]
pub fn writable(account: &AccountView) -> Outcome {
    if account.is_writable() { Ok(()) } else { Err(InvalidAccount.into()) }
}

/// Who pays for rent: a signer of its own, so that a sponsor can pay for a wallet without SOL.
#[inline(always)]
pub fn payer(account: &AccountView) -> Outcome {
    signer(account)?;
    writable(account)
}

#[inline(always)]
pub fn address(account: &AccountView, expected: &Key) -> Outcome {
    if same(key(account), expected) { Ok(()) } else { Err(InvalidAccount.into()) }
}

#[inline(always)]
pub fn system_program(account: &AccountView) -> Outcome {
    address(account, pinocchio_system::ID.as_array())
}

#[inline(always)]
pub fn token_program(account: &AccountView) -> Outcome {
    address(account, pinocchio_token::ID.as_array())
}

#[inline(always)]
pub fn owner(account: &AccountView, program: &Address) -> Outcome {
    // SAFETY: the view's pointer is the runtime's; the reference does not outlive this expression.
    let owner = unsafe { (*account.account_ptr()).owner.as_array() };
    if same(owner, program.as_array()) { Ok(()) } else { Err(InvalidAccount.into()) }
}
