//! `withdraw_treasury(amount u64)`: the admin pays out of the system reserve, into a token account of their own.

use pinocchio::{AccountView, Address};

use crate::{
    args::Args,
    checks::{self, key},
    error::{
        ChoraleError::{InvalidAccount, ParameterOutOfRange, Unauthorized},
        Outcome,
    },
    events::{Log, TreasuryWithdrawn},
    layout::{U64, same},
    state::{edit, protocol::Protocol},
    tokens,
};

pub const DISCRIMINATOR: [u8; 8] = [40, 63, 122, 158, 144, 216, 83, 96];

struct WithdrawTreasury<'a> {
    /// signer
    admin: &'a AccountView,
    /// writable: `Protocol`
    protocol: &'a mut AccountView,
    /// writable: the treasury
    treasury: &'a AccountView,
    /// writable: a token account that the admin holds
    destination: &'a AccountView,
    token_program: &'a AccountView,
    amount: u64,
    program: &'a Address,
}

#[inline(never)]
pub fn process(program: &Address, accounts: &mut [AccountView], data: &[u8]) -> Outcome {
    let [admin, protocol, treasury, destination, token_program] = accounts else {
        return Err(InvalidAccount.into());
    };
    let mut args = Args::new(data);
    let amount = args.u64()?;
    args.finish()?;
    let mut instruction = WithdrawTreasury { admin, protocol, treasury, destination, token_program, amount, program };
    instruction.validate()?;
    instruction.apply()
}

impl WithdrawTreasury<'_> {
    #[inline(always)]
    fn validate(&self) -> Outcome {
        checks::signer(self.admin)?;
        checks::writable(self.protocol)?;
        checks::token_program(self.token_program)?;
        let protocol = Protocol::load(self.protocol, self.program)?;
        if !same(&protocol.admin, key(self.admin)) {
            return Err(Unauthorized.into());
        }
        tokens::check_treasury(self.treasury, protocol, self.program)?;
        if self.amount == 0 {
            return Err(ParameterOutOfRange.into());
        }
        tokens::check_destination(self.destination, self.treasury, self.admin)
    }

    #[inline(always)]
    fn apply(&mut self) -> Outcome {
        let address = *key(self.protocol);
        let sequence = edit::<Protocol>(self.protocol).fields.touch()?;
        tokens::pay_from_treasury(self.treasury, self.destination, self.protocol, self.amount)?;
        Log::new(&address, sequence)
            .emit(TreasuryWithdrawn { amount: U64::new(self.amount), destination: *key(self.destination) });
        Ok(())
    }
}
