//! Accounts, read and written in place. Layouts never move: fields are only ever taken from `reserved`.

pub mod message;
pub mod protocol;
pub mod thread;

use pinocchio::{AccountView, Address};

use crate::{
    checks,
    error::{ChoraleError::InvalidAccount, Outcome},
    runtime,
};

/// Layout version that this program writes and the only one it reads.
pub const VERSION: u8 = 1;

/// What every account starts with.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Header {
    pub discriminator: [u8; 8],
    pub version: u8,
    pub bump: u8,
}

/// The fixed part of an account, header included.
///
/// # Safety
/// `repr(C)`, alignment 1, every bit pattern valid, starting with a `Header`.
pub unsafe trait Fields: Sized {
    /// `sha256("account:<Name>")[..8]`
    const DISCRIMINATOR: [u8; 8];

    /// What the vector behind the fixed part holds; anything where there is none.
    type Item: Copy;

    fn header_mut(&mut self) -> &mut Header;
    fn count(&self) -> usize;
}

/// An account for reading: its fixed fields and the items of its vector.
pub struct View<'a, F: Fields> {
    pub fields: &'a F,
    pub items: &'a [F::Item],
}

/// An account for writing: its fixed fields and all the room of its vector, spare items (zero) included.
pub struct ViewMut<'a, F: Fields> {
    pub fields: &'a mut F,
    pub room: &'a mut [F::Item],
}

/// Items that fit behind the fixed part of `length` bytes of data.
#[inline(always)]
pub const fn room<F: Fields>(length: usize) -> usize {
    length.saturating_sub(size_of::<F>()) / size_of::<F::Item>()
}

/// Bytes of an account with room for `items`.
#[inline(always)]
pub const fn size<F: Fields>(items: usize) -> usize {
    size_of::<F>().wrapping_add(items.wrapping_mul(size_of::<F::Item>()))
}

/// Checks owner, discriminator, version and length, and reads the account where it is. The caller checks the address.
#[inline(always)]
pub fn read<'a, F: Fields>(account: &'a AccountView, program: &Address) -> Outcome<View<'a, F>> {
    checks::owner(account, program)?;
    let length = account.data_len();
    if length < size_of::<F>() {
        return Err(InvalidAccount.into());
    }
    let start = account.data_ptr();
    // SAFETY: the data is long enough, `Fields` allows any bytes at any address, and accounts of the program are
    // distinct in every instruction: their discriminators differ, so nothing else borrows these bytes.
    let (header, fields) = unsafe { (&*start.cast::<Header>(), &*start.cast::<F>()) };
    if header.discriminator != F::DISCRIMINATOR || header.version != VERSION {
        return Err(InvalidAccount.into());
    }
    let count = fields.count();
    if count > room::<F>(length) {
        return Err(InvalidAccount.into());
    }
    // SAFETY: `count` items lie within the data.
    let items = unsafe { core::slice::from_raw_parts(start.add(size_of::<F>()).cast(), count) };
    Ok(View { fields, items })
}

/// The fixed part of an account that `read` has accepted before.
#[inline(always)]
pub fn fixed<F: Fields>(account: &AccountView) -> &F {
    // SAFETY: as in `read`.
    unsafe { &*account.data_ptr().cast() }
}

/// The same account for writing. Only for accounts that `read` has accepted, or that `make` has made.
#[inline(always)]
pub fn edit<F: Fields>(account: &mut AccountView) -> ViewMut<'_, F> {
    let room = room::<F>(account.data_len());
    let start = account.data_mut_ptr();
    // SAFETY: as in `read`; the exclusive borrow of the view stands for the data's.
    unsafe {
        ViewMut {
            fields: &mut *start.cast::<F>(),
            room: core::slice::from_raw_parts_mut(start.add(size_of::<F>()).cast(), room),
        }
    }
}

/// The same account for writing right after it was allocated for `F`: zeroes, and now the header.
#[inline(always)]
pub fn make<F: Fields>(account: &mut AccountView, bump: u8) -> Outcome<ViewMut<'_, F>> {
    if account.data_len() < size_of::<F>() {
        return Err(InvalidAccount.into());
    }
    let view = edit::<F>(account);
    *view.fields.header_mut() = Header { discriminator: F::DISCRIMINATOR, version: VERSION, bump };
    Ok(view)
}

/// Lengthens an account of the program by room for one item, zeroed. It must hold the rent already.
#[inline(always)]
pub fn grow<F: Fields>(account: &mut AccountView) {
    let length = account.data_len();
    // SAFETY: one item is far below the 10,240 bytes that the runtime leaves behind every account's data, and no
    // instruction grows an account twice.
    unsafe {
        runtime::zero(account.data_mut_ptr().add(length), size_of::<F::Item>());
        (*account.account_mut_ptr()).data_len = length.wrapping_add(size_of::<F::Item>()) as u64;
    }
}
