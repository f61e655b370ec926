//! `divest(min_payout u64)`: a co-author leaves with an equal share of the common property, rounded down. The last one
//! takes all of it and stays: a thread is never without a co-author.

use pinocchio::{AccountView, Address};

use crate::{
    args::Args,
    checks::{self, key},
    error::{
        ChoraleError::{InvalidAccount, NotACoAuthor, PayoutTooLow},
        Outcome,
    },
    events::{CoAuthorLeft, Log},
    layout::{U32, U64},
    runtime::close_gap,
    state::{
        edit,
        thread::{Thread, seat_of, subtract},
    },
    tokens,
};

pub const DISCRIMINATOR: [u8; 8] = [196, 19, 245, 104, 6, 82, 109, 77];

struct Divest<'a> {
    /// signer: a co-author
    co_author: &'a AccountView,
    /// writable: `Thread`
    thread: &'a mut AccountView,
    /// writable: the thread's vault
    vault: &'a AccountView,
    /// writable: a token account that the co-author holds
    destination: &'a AccountView,
    token_program: &'a AccountView,
    min_payout: u64,
    program: &'a Address,
}

struct Leave {
    seat: usize,
    present: usize,
    payout: u64,
}

#[inline(never)]
pub fn process(program: &Address, accounts: &mut [AccountView], data: &[u8]) -> Outcome {
    let [co_author, thread, vault, destination, token_program] = accounts else {
        return Err(InvalidAccount.into());
    };
    let mut args = Args::new(data);
    let min_payout = args.u64()?;
    args.finish()?;
    let mut instruction = Divest { co_author, thread, vault, destination, token_program, min_payout, program };
    let leave = instruction.validate()?;
    instruction.apply(&leave)
}

impl Divest<'_> {
    #[inline(always)]
    fn validate(&self) -> Outcome<Leave> {
        checks::signer(self.co_author)?;
        checks::token_program(self.token_program)?;
        let thread = Thread::load(self.thread, self.program)?;
        thread.fields.check_vault(key(self.thread), self.vault, self.program)?;
        let seat = seat_of(thread.items, key(self.co_author)).ok_or(NotACoAuthor)?;
        let present = thread.items.len();
        let payout = thread.fields.token_balance.get().checked_div(present as u64).ok_or(InvalidAccount)?;
        if payout < self.min_payout {
            return Err(PayoutTooLow.into());
        }
        tokens::check_destination(self.destination, self.vault, self.co_author)?;
        Ok(Leave { seat, present, payout })
    }

    #[inline(always)]
    fn apply(&mut self, leave: &Leave) -> Outcome {
        let address = *key(self.thread);
        let view = edit::<Thread>(self.thread);
        let sequence = view.fields.touch()?;
        subtract(&mut view.fields.token_balance, leave.payout)?;
        if leave.present > 1 {
            let seats = view.room.get_mut(..leave.present).ok_or(InvalidAccount)?;
            close_gap(seats, leave.seat.wrapping_add(1), leave.seat);
            view.fields.co_author_count = U32::new(leave.present.wrapping_sub(1) as u32);
        }
        tokens::pay_from_vault(self.vault, self.destination, self.thread, leave.payout)?;
        Log::new(&address, sequence).emit(CoAuthorLeft { key: *key(self.co_author), amount: U64::new(leave.payout) });
        Ok(())
    }
}
