//! Custom errors, numbered from 6000 in this order. Clients read the numbers: append only.

use core::num::NonZeroU64;

use pinocchio::error::ProgramError;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum ChoraleError {
    /// A signature is missing, or the signer has no right to this.
    Unauthorized = 6000,
    /// An account is not the one, or not in the state, that the instruction demands.
    InvalidAccount,
    /// Unknown instruction, wrong length, or a boolean over 1.
    InvalidInstructionData,
    NotACoAuthor,
    AlreadyACoAuthor,
    StakeTooLow,
    AlreadyVoted,
    OwnMessage,
    NotPending,
    /// The message's time to be decided has passed.
    WindowClosed,
    /// The message can still be decided.
    WindowOpen,
    HasVotes,
    NothingOwed,
    NotADenier,
    AlreadyClaimed,
    PayoutTooLow,
    ExpiresTooLate,
    ParameterOutOfRange,
    /// Somebody could freeze the mint's accounts, and the protocol was not told to accept that.
    FreezableMint,
    InvalidDestination,
    TreeFull,
    /// No seat is left for the author to come.
    ThreadFull,
    MathOverflow,
}

/// An error as the runtime takes it. One word, and never 0: results without a value are returned in a register, which
/// is the only way that upstream LLVM's BPF backend returns anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure(NonZeroU64);

/// What fallible functions return. Those with a value must be inlined, see `Failure`.
pub type Outcome<T = ()> = Result<T, Failure>;

impl Failure {
    /// The entry point's return value.
    #[inline(always)]
    pub const fn code(self) -> u64 {
        self.0.get()
    }
}

impl From<ChoraleError> for Failure {
    #[inline(always)]
    fn from(error: ChoraleError) -> Self {
        Self(NonZeroU64::MIN.saturating_add(error as u64 - 1))
    }
}

impl From<ProgramError> for Failure {
    #[inline(always)]
    fn from(error: ProgramError) -> Self {
        // No `ProgramError` is 0.
        Self(NonZeroU64::new(error.into()).unwrap_or(NonZeroU64::MAX))
    }
}
