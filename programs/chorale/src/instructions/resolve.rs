//! `resolve()`: evaluates a message again, after somebody left or room was made. Succeeds, changing nothing, where that
//! decides nothing.

use pinocchio::{AccountView, Address};

use crate::{
    args::Args,
    checks::{self, key},
    decision::Decision,
    error::{ChoraleError::InvalidAccount, Outcome},
    events::Log,
    rules::verdict,
    runtime::now,
    state::{
        edit,
        message::{Message, Status},
        thread::Thread,
    },
};

pub const DISCRIMINATOR: [u8; 8] = [246, 150, 236, 206, 108, 63, 58, 10];

struct Resolve<'a> {
    /// signer, writable
    payer: &'a AccountView,
    /// writable: `Thread`
    thread: &'a mut AccountView,
    /// writable: `Message`
    message: &'a mut AccountView,
    system_program: &'a AccountView,
    program: &'a Address,
}

struct Verdict {
    status: Status,
    now: i64,
}

#[inline(never)]
pub fn process(program: &Address, accounts: &mut [AccountView], data: &[u8]) -> Outcome {
    let [payer, thread, message, system_program] = accounts else {
        return Err(InvalidAccount.into());
    };
    Args::new(data).finish()?;
    let mut instruction = Resolve { payer, thread, message, system_program, program };
    let verdict = instruction.validate()?;
    instruction.apply(&verdict)
}

impl Resolve<'_> {
    #[inline(always)]
    fn validate(&self) -> Outcome<Verdict> {
        checks::payer(self.payer)?;
        checks::system_program(self.system_program)?;
        let thread = Thread::load(self.thread, self.program)?;
        let message = Message::load(self.message, self.thread, self.program)?;
        let now = now()?;
        message.fields.check_open(now)?;
        Ok(Verdict { status: verdict(&thread, &message.fields.author, message.items), now })
    }

    #[inline(always)]
    fn apply(&mut self, verdict: &Verdict) -> Outcome {
        if verdict.status == Status::Pending {
            return Ok(());
        }
        let address = *key(self.thread);
        let sequence = edit::<Thread>(self.thread).fields.touch_active(verdict.now)?;
        Decision { payer: self.payer, thread: self.thread, message: self.message, now: verdict.now, sequence }
            .apply(verdict.status, &mut Log::new(&address, sequence))
    }
}
