//! `expire()`: anybody ends a message whose time has passed, whatever votes there are. Its author can have the stake back.

use pinocchio::{AccountView, Address};

use crate::{
    args::Args,
    checks::key,
    decision::return_stake,
    error::{ChoraleError::InvalidAccount, Outcome},
    events::{Log, MessageExpired},
    runtime::now,
    state::{
        edit, fixed,
        message::{Message, Status},
        thread::Thread,
    },
};

pub const DISCRIMINATOR: [u8; 8] = [243, 83, 205, 58, 57, 201, 247, 146];

struct Expire<'a> {
    /// writable: `Thread`
    thread: &'a mut AccountView,
    /// writable: `Message`
    message: &'a mut AccountView,
    program: &'a Address,
}

#[inline(never)]
pub fn process(program: &Address, accounts: &mut [AccountView], data: &[u8]) -> Outcome {
    let [thread, message] = accounts else {
        return Err(InvalidAccount.into());
    };
    Args::new(data).finish()?;
    let mut instruction = Expire { thread, message, program };
    let now = instruction.validate()?;
    instruction.apply(now)
}

impl Expire<'_> {
    #[inline(always)]
    fn validate(&self) -> Outcome<i64> {
        Thread::load(self.thread, self.program)?;
        let message = Message::load(self.message, self.thread, self.program)?;
        let now = now()?;
        message.fields.check_overdue(now)?;
        Ok(now)
    }

    #[inline(always)]
    fn apply(&mut self, now: i64) -> Outcome {
        let address = *key(self.thread);
        let sequence = edit::<Thread>(self.thread).fields.touch_active(now)?;
        return_stake(self.thread, self.message, Status::Expired, now, sequence)?;
        let content_hash = fixed::<Message>(self.message).content_hash;
        Log::new(&address, sequence).emit(MessageExpired { content_hash });
        Ok(())
    }
}
