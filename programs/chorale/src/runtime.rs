//! What the Solana runtime does for the program. Off chain these compile, and panic when called.

use pinocchio::{
    error::ProgramError,
    sysvars::{clock::CLOCK_ID, get_sysvar, rent::RENT_ID},
};

use crate::{error::Outcome, layout::Key};

#[cfg(any(target_os = "solana", target_arch = "bpf"))]
mod calls {
    pub use pinocchio::syscalls::{sol_log_data, sol_memmove_, sol_memset_, sol_sha256, sol_try_find_program_address};
}

#[cfg(not(any(target_os = "solana", target_arch = "bpf")))]
mod calls {
    macro_rules! absent {
        ($($name:ident($($argument:ty),*) -> $result:ty;)*) => {$(
            pub unsafe fn $name($(_: $argument),*) -> $result {
                panic!(concat!(stringify!($name), " exists in the Solana runtime only"))
            }
        )*};
    }

    absent! {
        sol_log_data(*const u8, u64) -> ();
        sol_memmove_(*mut u8, *const u8, u64) -> ();
        sol_memset_(*mut u8, u8, u64) -> ();
        sol_sha256(*const u8, u64, *mut u8) -> u64;
        sol_try_find_program_address(*const u8, u64, *const u8, *mut u8, *mut u8) -> u64;
    }
}

/// SHA-256 of the parts, one after the other.
#[inline(always)]
pub fn sha256<const N: usize>(parts: &[&[u8]; N]) -> Key {
    let mut hash = [0; 32];
    // SAFETY: a slice is an address and a length, as the syscall wants them; `hash` takes the 32 bytes.
    unsafe { calls::sol_sha256(parts.as_ptr().cast(), N as u64, hash.as_mut_ptr()) };
    hash
}

/// The canonical address of these seeds, and its bump.
#[inline(always)]
pub fn find_program_address<const N: usize>(seeds: &[&[u8]; N], program: &Key) -> Outcome<(Key, u8)> {
    let (mut address, mut bump) = ([0; 32], 0);
    // SAFETY: as above; `bump` takes the one byte.
    let failure = unsafe {
        calls::sol_try_find_program_address(
            seeds.as_ptr().cast(),
            N as u64,
            program.as_ptr(),
            address.as_mut_ptr(),
            &mut bump,
        )
    };
    if failure == 0 { Ok((address, bump)) } else { Err(ProgramError::InvalidSeeds.into()) }
}

/// Logs one slice as a `Program data:` line.
#[inline(always)]
pub fn log_data(data: &[u8]) {
    // SAFETY: one slice, in memory that is readable.
    unsafe { calls::sol_log_data([data].as_ptr().cast(), 1) }
}

/// Moves `items[from..]` to the place of `items[to..]`, and leaves zeroes behind. `to` must not be above `from`.
#[inline(always)]
pub fn close_gap<T: Copy>(items: &mut [T], from: usize, to: usize) {
    let (moved, freed) = (items.len().saturating_sub(from), from.saturating_sub(to));
    if freed == 0 || from > items.len() {
        return;
    }
    let size = size_of::<T>();
    let start = items.as_mut_ptr();
    // SAFETY: both ranges end within `items`, and the items are plain bytes.
    unsafe {
        calls::sol_memmove_(start.add(to).cast(), start.add(from).cast(), bytes(moved, size));
        calls::sol_memset_(start.add(to + moved).cast(), 0, bytes(freed, size));
    }
}

/// Zeroes `length` bytes.
///
/// # Safety
/// All of them must be writable and borrowed by nobody.
#[inline(always)]
pub unsafe fn zero(start: *mut u8, length: usize) {
    // SAFETY: the caller's promise.
    unsafe { calls::sol_memset_(start, 0, length as u64) }
}

#[inline(always)]
const fn bytes(items: usize, size: usize) -> u64 {
    items.wrapping_mul(size) as u64
}

/// The chain's clock, Unix seconds.
#[inline(always)]
pub fn now() -> Outcome<i64> {
    const UNIX_TIMESTAMP: usize = 32;
    let mut raw = [0; 8];
    get_sysvar(&mut raw, &CLOCK_ID, UNIX_TIMESTAMP)?;
    Ok(i64::from_le_bytes(raw))
}

/// Lamports that keep one byte on chain for ever.
#[derive(Clone, Copy)]
pub struct Rent(u64);

impl Rent {
    /// Bytes that every account is charged for beside its data.
    const OVERHEAD: u64 = 128;

    /// Clusters before SIMD-0194 charge per byte and year and exempt at two years; later ones have the product.
    #[inline(always)]
    pub fn get() -> Outcome<Self> {
        const ONE: u64 = 1.0_f64.to_bits();
        const TWO: u64 = 2.0_f64.to_bits();
        let (mut rate, mut threshold) = ([0; 8], [0; 8]);
        get_sysvar(&mut rate, &RENT_ID, 0)?;
        get_sysvar(&mut threshold, &RENT_ID, 8)?;
        let rate = u64::from_le_bytes(rate);
        match u64::from_le_bytes(threshold) {
            ONE => Ok(Self(rate)),
            TWO => Ok(Self(rate.wrapping_mul(2))),
            _ => Err(ProgramError::UnsupportedSysvar.into()),
        }
    }

    /// Lamports for an account with `length` bytes of data. Sizes are bounded by the layouts, so nothing wraps.
    #[inline(always)]
    pub fn account(self, length: usize) -> u64 {
        self.0.wrapping_mul(Self::OVERHEAD.wrapping_add(length as u64))
    }

    /// Lamports for `length` bytes more.
    #[inline(always)]
    pub fn bytes(self, length: usize) -> u64 {
        self.0.wrapping_mul(length as u64)
    }
}
