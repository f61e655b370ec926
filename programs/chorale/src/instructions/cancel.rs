//! `cancel()`: the author takes a message back before anybody has voted. The stake can be had back at once.

use pinocchio::{AccountView, Address};

use crate::{
    args::Args,
    checks::{self, key},
    decision::return_stake,
    error::{
        ChoraleError::{HasVotes, InvalidAccount, Unauthorized},
        Outcome,
    },
    events::{Log, MessageCancelled},
    layout::same,
    runtime::now,
    state::{
        edit, fixed,
        message::{Message, Status},
        thread::Thread,
    },
};

pub const DISCRIMINATOR: [u8; 8] = [232, 219, 223, 41, 219, 236, 220, 190];

struct Cancel<'a> {
    /// signer: the message's author
    author: &'a AccountView,
    /// writable: `Thread`
    thread: &'a mut AccountView,
    /// writable: `Message`
    message: &'a mut AccountView,
    program: &'a Address,
}

#[inline(never)]
pub fn process(program: &Address, accounts: &mut [AccountView], data: &[u8]) -> Outcome {
    let [author, thread, message] = accounts else {
        return Err(InvalidAccount.into());
    };
    Args::new(data).finish()?;
    let mut instruction = Cancel { author, thread, message, program };
    let now = instruction.validate()?;
    instruction.apply(now)
}

impl Cancel<'_> {
    #[inline(always)]
    fn validate(&self) -> Outcome<i64> {
        checks::signer(self.author)?;
        Thread::load(self.thread, self.program)?;
        let message = Message::load(self.message, self.thread, self.program)?;
        if !same(&message.fields.author, key(self.author)) {
            return Err(Unauthorized.into());
        }
        let now = now()?;
        message.fields.check_open(now)?;
        if !message.items.is_empty() {
            return Err(HasVotes.into());
        }
        Ok(now)
    }

    #[inline(always)]
    fn apply(&mut self, now: i64) -> Outcome {
        let address = *key(self.thread);
        let sequence = edit::<Thread>(self.thread).fields.touch_active(now)?;
        return_stake(self.thread, self.message, Status::Cancelled, now, sequence)?;
        let content_hash = fixed::<Message>(self.message).content_hash;
        Log::new(&address, sequence).emit(MessageCancelled { content_hash });
        Ok(())
    }
}
