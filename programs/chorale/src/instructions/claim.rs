//! `claim()`: anybody has a denier's share of a denied message's stake paid to them, also to one who has left since.

use pinocchio::{AccountView, Address};

use crate::{
    args::Args,
    checks::{self, key},
    error::{
        ChoraleError::{AlreadyClaimed, InvalidAccount, NotADenier, NothingOwed},
        Outcome,
    },
    events::{EscrowClaimed, Log},
    layout::U64,
    state::{
        edit,
        message::{Message, Status, vote_of},
        thread::{Thread, subtract},
    },
    tokens,
};

pub const DISCRIMINATOR: [u8; 8] = [62, 198, 214, 193, 213, 159, 108, 210];

struct Claim<'a> {
    /// a denier; signs to be paid elsewhere than into the associated token account
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

struct Owed {
    vote: usize,
    amount: u64,
}

#[inline(never)]
pub fn process(program: &Address, accounts: &mut [AccountView], data: &[u8]) -> Outcome {
    let [payee, thread, message, vault, destination, token_program] = accounts else {
        return Err(InvalidAccount.into());
    };
    Args::new(data).finish()?;
    let mut instruction = Claim { payee, thread, message, vault, destination, token_program, program };
    let owed = instruction.validate()?;
    instruction.apply(&owed)
}

impl Claim<'_> {
    #[inline(always)]
    fn validate(&self) -> Outcome<Owed> {
        checks::token_program(self.token_program)?;
        let thread = Thread::load(self.thread, self.program)?;
        let message = Message::load(self.message, self.thread, self.program)?;
        thread.fields.check_vault(key(self.thread), self.vault, self.program)?;
        if !message.fields.is(Status::Denied) {
            return Err(NothingOwed.into());
        }
        // Every vote on a denied message is a denial.
        let vote = vote_of(message.items, key(self.payee)).ok_or(NotADenier)?;
        if message.items.get(vote).is_some_and(|vote| vote.claimed == 1) {
            return Err(AlreadyClaimed.into());
        }
        let amount = message.fields.share.get();
        if amount == 0 {
            return Err(NothingOwed.into());
        }
        tokens::check_destination(self.destination, self.vault, self.payee)?;
        Ok(Owed { vote, amount })
    }

    #[inline(always)]
    fn apply(&mut self, owed: &Owed) -> Outcome {
        let address = *key(self.thread);
        let thread = edit::<Thread>(self.thread).fields;
        let sequence = thread.touch()?;
        subtract(&mut thread.escrow_total, owed.amount)?;
        let message = edit::<Message>(self.message);
        subtract(&mut message.fields.escrow_remaining, owed.amount)?;
        message.fields.sequence.set(sequence);
        message.room.get_mut(owed.vote).ok_or(InvalidAccount)?.claimed = 1;
        let content_hash = message.fields.content_hash;
        tokens::pay_from_vault(self.vault, self.destination, self.thread, owed.amount)?;
        Log::new(&address, sequence).emit(EscrowClaimed {
            content_hash,
            voter: *key(self.payee),
            amount: U64::new(owed.amount),
        });
        Ok(())
    }
}
