//! A stranger's program that calls another one: the tests' stand-in for whatever may stand between a wallet and ours.
//!
//! Accounts: the program to call, then the accounts to pass on. Data: 0 to pass signatures on as they came, 1 to claim
//! that everybody signed, 2 to claim that everything is writable; then the data to pass on.

#![no_std]

use core::{mem::MaybeUninit, slice};

use pinocchio::{
    AccountView, SUCCESS,
    cpi::invoke_with_bounds,
    entrypoint::deserialize,
    instruction::{InstructionAccount, InstructionView},
    nostd_panic_handler,
};

const MOST: usize = 12;
const REFUSED: u64 = 1;

nostd_panic_handler!();

/// # Safety
/// `input` must be the runtime's serialization of the instruction.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn entrypoint(input: *mut u8) -> u64 {
    let mut views = [const { MaybeUninit::<AccountView>::uninit() }; MOST];
    // SAFETY: the runtime's promise; the first `count` views are filled.
    let (accounts, data): (&[AccountView], &[u8]) = unsafe {
        let (_, count, data) = deserialize::<MOST>(input, &mut views);
        (slice::from_raw_parts(views.as_ptr().cast(), count), data)
    };
    let (Some((target, passed)), Some((mode, data))) = (accounts.split_first(), data.split_first()) else {
        return REFUSED;
    };
    let mut metas = [const { MaybeUninit::<InstructionAccount>::uninit() }; MOST];
    for (meta, view) in metas.iter_mut().zip(passed) {
        let (written, signs) = (view.is_writable() || *mode == 2, view.is_signer() || *mode == 1);
        meta.write(InstructionAccount::new(view.address(), written, signs));
    }
    // SAFETY: as many were written as there are accounts passed on.
    let metas = unsafe { slice::from_raw_parts(metas.as_ptr().cast(), passed.len()) };
    let instruction = InstructionView { program_id: target.address(), accounts: metas, data };
    match invoke_with_bounds::<MOST, AccountView>(&instruction, passed) {
        Ok(()) => SUCCESS,
        Err(error) => error.into(),
    }
}
