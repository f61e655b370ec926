//! `configure(minimum_stake u64, approval_window i64, admin pubkey)`: the admin sets the parameters and who is admin next.
//! The new one signs too, so that the role cannot be lost to a mistyped key. Pending messages keep their expiry.

use pinocchio::{AccountView, Address};

use crate::{
    args::Args,
    checks::{self, key},
    error::{
        ChoraleError::{InvalidAccount, Unauthorized},
        Outcome,
    },
    events::{Configured, Log},
    layout::{Key, same},
    state::{
        edit,
        protocol::{Parameters, Protocol},
    },
};

pub const DISCRIMINATOR: [u8; 8] = [245, 7, 108, 117, 95, 196, 54, 217];

struct Configure<'a> {
    /// signer: the admin until now
    admin: &'a AccountView,
    /// signer: the admin from now on; may be the same account
    new_admin: &'a AccountView,
    /// writable: `Protocol`
    protocol: &'a mut AccountView,
    parameters: Parameters,
    named: &'a Key,
    program: &'a Address,
}

#[inline(never)]
pub fn process(program: &Address, accounts: &mut [AccountView], data: &[u8]) -> Outcome {
    let [admin, new_admin, protocol] = accounts else {
        return Err(InvalidAccount.into());
    };
    let mut args = Args::new(data);
    let parameters = Parameters { minimum_stake: args.u64()?, approval_window: args.i64()? };
    let named = args.key()?;
    args.finish()?;
    let mut instruction = Configure { admin, new_admin, protocol, parameters, named, program };
    instruction.validate()?;
    instruction.apply()
}

impl Configure<'_> {
    #[inline(always)]
    fn validate(&self) -> Outcome {
        checks::signer(self.admin)?;
        checks::signer(self.new_admin)?;
        checks::writable(self.protocol)?;
        checks::address(self.new_admin, self.named)?;
        if !same(&Protocol::load(self.protocol, self.program)?.admin, key(self.admin)) {
            return Err(Unauthorized.into());
        }
        self.parameters.validate()
    }

    #[inline(always)]
    fn apply(&mut self) -> Outcome {
        let address = *key(self.protocol);
        let protocol = edit::<Protocol>(self.protocol).fields;
        protocol.admin = *self.named;
        protocol.minimum_stake.set(self.parameters.minimum_stake);
        protocol.approval_window.set(self.parameters.approval_window);
        let sequence = protocol.touch()?;
        Log::new(&address, sequence).emit(Configured::from(&*protocol));
        Ok(())
    }
}
