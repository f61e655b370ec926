//! Instruction arguments, read in order; nothing may be left over.

use crate::{
    error::{ChoraleError::InvalidInstructionData, Outcome},
    layout::Key,
};

pub struct Args<'a>(&'a [u8]);

impl<'a> Args<'a> {
    #[inline(always)]
    pub const fn new(data: &'a [u8]) -> Self {
        Self(data)
    }

    #[inline(always)]
    fn take<const N: usize>(&mut self) -> Outcome<&'a [u8; N]> {
        let (taken, rest) = self.0.split_first_chunk().ok_or(InvalidInstructionData)?;
        self.0 = rest;
        Ok(taken)
    }

    #[inline(always)]
    pub fn u64(&mut self) -> Outcome<u64> {
        self.take().map(|raw| u64::from_le_bytes(*raw))
    }

    #[inline(always)]
    pub fn i64(&mut self) -> Outcome<i64> {
        self.take().map(|raw| i64::from_le_bytes(*raw))
    }

    #[inline(always)]
    pub fn bool(&mut self) -> Outcome<bool> {
        match self.take()? {
            [0] => Ok(false),
            [1] => Ok(true),
            _ => Err(InvalidInstructionData.into()),
        }
    }

    #[inline(always)]
    pub fn key(&mut self) -> Outcome<&'a Key> {
        self.take()
    }

    #[inline(always)]
    pub fn finish(self) -> Outcome {
        if self.0.is_empty() { Ok(()) } else { Err(InvalidInstructionData.into()) }
    }
}
