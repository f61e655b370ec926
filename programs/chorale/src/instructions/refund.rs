//! `refund()`: anybody has the stake of an expired or cancelled message paid back to its author.

use pinocchio::{AccountView, Address};

use crate::{
    args::Args,
    checks::{self, key},
    error::{
        ChoraleError::{InvalidAccount, NothingOwed, Unauthorized},
        Outcome,
    },
    events::{Log, StakeRefunded},
    layout::{U64, same},
    state::{
        edit,
        message::{Message, Status},
        thread::{Thread, subtract},
    },
    tokens,
};

pub const DISCRIMINATOR: [u8; 8] = [2, 96, 183, 251, 63, 208, 46, 46];

struct Refund<'a> {
    /// the message's author; signs to be paid elsewhere than into the associated token account
    payee: &'a AccountView,
    /// writable: `Thread`
    thread: &'a mut AccountView,
    /// writable: `Message`
    message: &'a mut AccountView,
    /// writable: the thread's vault
    vault: &'a AccountView,
    /// writable: a token account that the payee holds
    destination: &'a AccountView,
    token_program: &'a AccountView,
    program: &'a Address,
}

#[inline(never)]
pub fn process(program: &Address, accounts: &mut [AccountView], data: &[u8]) -> Outcome {
    let [payee, thread, message, vault, destination, token_program] = accounts else {
        return Err(InvalidAccount.into());
    };
    Args::new(data).finish()?;
    let mut instruction = Refund { payee, thread, message, vault, destination, token_program, program };
    let amount = instruction.validate()?;
    instruction.apply(amount)
}

impl Refund<'_> {
    #[inline(always)]
    fn validate(&self) -> Outcome<u64> {
        checks::token_program(self.token_program)?;
        let thread = Thread::load(self.thread, self.program)?;
        let message = Message::load(self.message, self.thread, self.program)?.fields;
        thread.fields.check_vault(key(self.thread), self.vault, self.program)?;
        if !same(&message.author, key(self.payee)) {
            return Err(Unauthorized.into());
        }
        let amount = message.escrow_remaining.get();
        if amount == 0 || !(message.is(Status::Expired) || message.is(Status::Cancelled)) {
            return Err(NothingOwed.into());
        }
        tokens::check_destination(self.destination, self.vault, self.payee)?;
        Ok(amount)
    }

    #[inline(always)]
    fn apply(&mut self, amount: u64) -> Outcome {
        let address = *key(self.thread);
        let (thread, message) = (edit::<Thread>(self.thread).fields, edit::<Message>(self.message).fields);
        let sequence = thread.touch()?;
        subtract(&mut thread.escrow_total, amount)?;
        subtract(&mut message.escrow_remaining, amount)?;
        message.sequence.set(sequence);
        let content_hash = message.content_hash;
        tokens::pay_from_vault(self.vault, self.destination, self.thread, amount)?;
        Log::new(&address, sequence).emit(StakeRefunded { content_hash, amount: U64::new(amount) });
        Ok(())
    }
}
