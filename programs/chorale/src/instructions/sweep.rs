//! `sweep()`: anybody has moved to the treasury what a thread owes it, and what was sent to the vault unasked.

use pinocchio::{AccountView, Address};

use crate::{
    args::Args,
    checks::{self, key},
    error::{
        ChoraleError::{InvalidAccount, MathOverflow, NothingOwed},
        Outcome,
    },
    events::{Log, Swept},
    layout::U64,
    state::{edit, protocol::Protocol, thread::Thread},
    tokens,
};

pub const DISCRIMINATOR: [u8; 8] = [40, 23, 234, 175, 14, 61, 154, 177];

struct Sweep<'a> {
    protocol: &'a AccountView,
    /// writable: `Thread`
    thread: &'a mut AccountView,
    /// writable: the thread's vault
    vault: &'a AccountView,
    /// writable: the treasury
    treasury: &'a AccountView,
    token_program: &'a AccountView,
    program: &'a Address,
}

#[inline(never)]
pub fn process(program: &Address, accounts: &mut [AccountView], data: &[u8]) -> Outcome {
    let [protocol, thread, vault, treasury, token_program] = accounts else {
        return Err(InvalidAccount.into());
    };
    Args::new(data).finish()?;
    let mut instruction = Sweep { protocol, thread, vault, treasury, token_program, program };
    let amount = instruction.validate()?;
    instruction.apply(amount)
}

impl Sweep<'_> {
    #[inline(always)]
    fn validate(&self) -> Outcome<u64> {
        checks::token_program(self.token_program)?;
        let protocol = Protocol::load(self.protocol, self.program)?;
        let thread = Thread::load(self.thread, self.program)?.fields;
        thread.check_vault(key(self.thread), self.vault, self.program)?;
        tokens::check_treasury(self.treasury, protocol, self.program)?;
        // What the vault must hold is computed; only the surplus over that is read off it.
        let held = tokens::account(self.vault)?.amount();
        let unasked = held.checked_sub(thread.owned()?).ok_or(MathOverflow)?;
        match thread.treasury_due.get().checked_add(unasked).ok_or(MathOverflow)? {
            0 => Err(NothingOwed.into()),
            amount => Ok(amount),
        }
    }

    #[inline(always)]
    fn apply(&mut self, amount: u64) -> Outcome {
        let address = *key(self.thread);
        let thread = edit::<Thread>(self.thread).fields;
        let sequence = thread.touch()?;
        thread.treasury_due.set(0);
        tokens::pay_from_vault(self.vault, self.treasury, self.thread, amount)?;
        Log::new(&address, sequence).emit(Swept { amount: U64::new(amount) });
        Ok(())
    }
}
