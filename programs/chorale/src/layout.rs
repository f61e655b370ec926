//! How values stand in accounts, arguments and events: little endian, without alignment, read where they are.

/// A public key or a hash.
pub type Key = [u8; 32];

macro_rules! integers {
    ($($name:ident $native:ty),*) => {$(
        #[repr(transparent)]
        #[derive(Clone, Copy)]
        pub struct $name([u8; size_of::<$native>()]);

        impl $name {
            #[inline(always)]
            pub const fn new(value: $native) -> Self {
                Self(value.to_le_bytes())
            }

            #[inline(always)]
            pub const fn get(self) -> $native {
                <$native>::from_le_bytes(self.0)
            }

            #[inline(always)]
            pub fn set(&mut self, value: $native) {
                *self = Self::new(value);
            }
        }
    )*};
}

integers!(U32 u32, U64 u64, I64 i64);

/// Whether two keys are equal. Most unequal ones differ in their first 8 bytes, which is all that is read then.
#[inline(always)]
pub fn same(left: &Key, right: &Key) -> bool {
    let (left, right) = (left.as_ptr().cast::<u64>(), right.as_ptr().cast::<u64>());
    // SAFETY: both point to 32 bytes, and the reads make no demand on alignment.
    unsafe {
        left.read_unaligned() == right.read_unaligned()
            && left.add(1).read_unaligned() == right.add(1).read_unaligned()
            && left.add(2).read_unaligned() == right.add(2).read_unaligned()
            && left.add(3).read_unaligned() == right.add(3).read_unaligned()
    }
}
