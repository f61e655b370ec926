//! Events, logged as `Program data:` lines: 8 bytes of discriminator, then the fields in this order (borsh).
//!
//! Every event starts with its subject (the thread's address, or the protocol's), the subject's sequence, and its
//! ordinal within that sequence. Everything in them can be derived from accounts: they are hints. Frozen once shipped.

use crate::{
    layout::{I64, Key, U32, U64},
    runtime::log_data,
    state::protocol::Protocol,
};

/// The events of one sequence, numbered as they are emitted.
pub struct Log<'a> {
    subject: &'a Key,
    sequence: u64,
    ordinal: u8,
}

impl<'a> Log<'a> {
    #[inline(always)]
    pub const fn new(subject: &'a Key, sequence: u64) -> Self {
        Self { subject, sequence, ordinal: 0 }
    }

    #[inline(always)]
    pub fn emit<B: Body>(&mut self, body: B) {
        let event = Event {
            discriminator: B::DISCRIMINATOR,
            subject: *self.subject,
            sequence: U64::new(self.sequence),
            ordinal: self.ordinal,
            body,
        };
        // SAFETY: every field has alignment 1, so the struct is its bytes, without padding.
        log_data(unsafe { core::slice::from_raw_parts((&raw const event).cast(), size_of::<Event<B>>()) });
        self.ordinal = self.ordinal.wrapping_add(1);
    }
}

#[repr(C)]
struct Event<B> {
    discriminator: [u8; 8],
    subject: Key,
    sequence: U64,
    ordinal: u8,
    body: B,
}

/// What an event says beside subject, sequence and ordinal.
///
/// # Safety
/// Plain data with alignment 1.
pub unsafe trait Body {
    /// `sha256("event:<Name>")[..8]`
    const DISCRIMINATOR: [u8; 8];
}

macro_rules! events {
    ($($(#[$note:meta])* $name:ident $discriminator:tt { $($field:ident: $kind:ty),* })*) => {$(
        $(#[$note])*
        #[repr(C)]
        pub struct $name {
            $(pub $field: $kind,)*
        }

        const _: () = assert!(align_of::<$name>() == 1);

        // SAFETY: keys, hashes, bytes and little-endian integers only, as the assertion confirms.
        unsafe impl Body for $name {
            const DISCRIMINATOR: [u8; 8] = $discriminator;
        }
    )*};
}

events! {
    ThreadCreated [59, 69, 189, 201, 230, 112, 52, 77] { creator: Key, title_hash: Key, created_at: I64 }
    MessagePosted [11, 28, 144, 13, 232, 160, 251, 5] { author: Key, content_hash: Key, body_hash: Key, leaf_index: U32 }
    MessageSubmitted [208, 144, 0, 167, 232, 87, 34, 118] {
        author: Key, content_hash: Key, body_hash: Key, stake: U64, expires_at: I64
    }
    VoteCast [39, 53, 195, 104, 188, 17, 225, 213] { content_hash: Key, voter: Key, approve: u8 }
    /// Published (with its leaf), Denied (with its share) or Split.
    MessageDecided [204, 105, 212, 230, 189, 218, 212, 204] { content_hash: Key, status: u8, leaf_index: U32, share: U64 }
    CoAuthorJoined [61, 251, 216, 220, 14, 190, 183, 227] { key: Key }
    /// Took `amount` along; a thread's last co-author takes it and stays.
    CoAuthorLeft [47, 204, 119, 102, 119, 24, 34, 234] { key: Key, amount: U64 }
    MessageCancelled [236, 253, 93, 157, 3, 167, 153, 245] { content_hash: Key }
    MessageExpired [9, 205, 202, 186, 19, 241, 106, 112] { content_hash: Key }
    StakeRefunded [81, 188, 224, 106, 3, 59, 199, 216] { content_hash: Key, amount: U64 }
    EscrowClaimed [32, 116, 46, 229, 165, 72, 108, 78] { content_hash: Key, voter: Key, amount: U64 }
    Swept [254, 138, 9, 198, 192, 61, 165, 135] { amount: U64 }
    Configured [33, 54, 80, 14, 177, 137, 82, 235] {
        minimum_stake: U64, approval_window: I64, admin: Key, allow_freezable: u8
    }
    TreasuryWithdrawn [143, 181, 157, 169, 87, 155, 170, 46] { amount: U64, destination: Key }
}

impl From<&Protocol> for Configured {
    #[inline(always)]
    fn from(protocol: &Protocol) -> Self {
        Self {
            minimum_stake: protocol.minimum_stake,
            approval_window: protocol.approval_window,
            admin: protocol.admin,
            allow_freezable: protocol.allow_freezable,
        }
    }
}
