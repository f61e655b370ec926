//! `initialize(minimum_stake u64, approval_window i64, allow_freezable bool)`: makes `Protocol` and the treasury, once.
//!
//! The program's own keypair signs, so that nobody can set a fresh deployment up before its owner does.

use pinocchio::{
    AccountView, Address,
    cpi::{Seed, Signer},
};

use crate::{
    args::Args,
    checks::{self, key},
    error::{
        ChoraleError::{FreezableMint, InvalidAccount},
        Outcome,
    },
    events::{Configured, Log},
    pda,
    runtime::Rent,
    state::{
        make,
        protocol::{Parameters, Protocol},
        size,
    },
    tokens,
};

pub const DISCRIMINATOR: [u8; 8] = [175, 175, 109, 31, 13, 152, 155, 237];

struct Initialize<'a> {
    /// signer, writable
    payer: &'a AccountView,
    /// signer: may change parameters and empty the treasury from now on
    admin: &'a AccountView,
    /// signer: the program's own address
    program_key: &'a AccountView,
    /// writable, new: `Protocol`
    protocol: &'a mut AccountView,
    /// writable, new: the treasury
    treasury: &'a AccountView,
    mint: &'a AccountView,
    token_program: &'a AccountView,
    system_program: &'a AccountView,
    parameters: Parameters,
    allow_freezable: bool,
    program: &'a Address,
}

struct Bumps {
    protocol: u8,
    treasury: u8,
}

#[inline(never)]
pub fn process(program: &Address, accounts: &mut [AccountView], data: &[u8]) -> Outcome {
    let [payer, admin, program_key, protocol, treasury, mint, token_program, system_program] = accounts else {
        return Err(InvalidAccount.into());
    };
    let mut args = Args::new(data);
    let parameters = Parameters { minimum_stake: args.u64()?, approval_window: args.i64()? };
    let allow_freezable = args.bool()?;
    args.finish()?;
    let mut instruction = Initialize {
        payer,
        admin,
        program_key,
        protocol,
        treasury,
        mint,
        token_program,
        system_program,
        parameters,
        allow_freezable,
        program,
    };
    let bumps = instruction.validate()?;
    instruction.apply(&bumps)
}

impl Initialize<'_> {
    #[inline(always)]
    fn validate(&self) -> Outcome<Bumps> {
        checks::payer(self.payer)?;
        checks::signer(self.admin)?;
        checks::signer(self.program_key)?;
        checks::address(self.program_key, self.program.as_array())?;
        checks::token_program(self.token_program)?;
        checks::system_program(self.system_program)?;
        let protocol = pda::vacant(self.protocol, &[pda::PROTOCOL], self.program)?;
        let treasury = pda::vacant(self.treasury, &[pda::TREASURY], self.program)?;
        self.parameters.validate()?;
        if tokens::mint(self.mint)?.has_freeze_authority() && !self.allow_freezable {
            return Err(FreezableMint.into());
        }
        Ok(Bumps { protocol, treasury })
    }

    #[inline(always)]
    fn apply(&mut self, bumps: &Bumps) -> Outcome {
        let length = size::<Protocol>(0);
        let (protocol_bump, treasury_bump) = ([bumps.protocol], [bumps.treasury]);
        let seeds = [Seed::from(pda::PROTOCOL), Seed::from(&protocol_bump)];
        pda::NewAccount {
            payer: self.payer,
            account: self.protocol,
            owner: self.program,
            length,
            lamports: Rent::get()?.account(length),
        }
        .make(&Signer::from(&seeds))?;
        let seeds = [Seed::from(pda::TREASURY), Seed::from(&treasury_bump)];
        tokens::NewTokenAccount { payer: self.payer, account: self.treasury, mint: self.mint, holder: self.protocol }
            .make(&Signer::from(&seeds))?;

        let address = *key(self.protocol);
        let protocol = make::<Protocol>(self.protocol, bumps.protocol)?.fields;
        protocol.treasury_bump = bumps.treasury;
        protocol.admin = *key(self.admin);
        protocol.mint = *key(self.mint);
        protocol.minimum_stake.set(self.parameters.minimum_stake);
        protocol.approval_window.set(self.parameters.approval_window);
        protocol.allow_freezable = u8::from(self.allow_freezable);
        let sequence = protocol.touch()?;
        Log::new(&address, sequence).emit(Configured::from(&*protocol));
        Ok(())
    }
}
