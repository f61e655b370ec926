//! `cast_vote(approve bool)`: a co-author's one vote on a message, for good. The last one that was missing decides.

use pinocchio::{AccountView, Address};

use crate::{
    args::Args,
    checks::{self, key},
    decision::Decision,
    error::{
        ChoraleError::{AlreadyVoted, InvalidAccount, NotACoAuthor, OwnMessage},
        Outcome,
    },
    events::{Log, VoteCast},
    layout::{I64, same},
    pda,
    rules::verdict,
    runtime::{Rent, now},
    state::{
        edit, grow,
        message::{Message, Vote, pending_rent, vote_of},
        read, room,
        thread::{Thread, increment, seat_of},
    },
};

pub const DISCRIMINATOR: [u8; 8] = [20, 212, 15, 189, 69, 180, 69, 151];

struct CastVote<'a> {
    /// signer, writable
    payer: &'a AccountView,
    /// signer: a co-author, not the author
    voter: &'a AccountView,
    /// writable: `Thread`
    thread: &'a mut AccountView,
    /// writable: `Message`
    message: &'a mut AccountView,
    system_program: &'a AccountView,
    approve: bool,
    program: &'a Address,
}

struct Accepted {
    now: i64,
    votes: usize,
}

#[inline(never)]
pub fn process(program: &Address, accounts: &mut [AccountView], data: &[u8]) -> Outcome {
    let [payer, voter, thread, message, system_program] = accounts else {
        return Err(InvalidAccount.into());
    };
    let mut args = Args::new(data);
    let approve = args.bool()?;
    args.finish()?;
    let mut instruction = CastVote { payer, voter, thread, message, system_program, approve, program };
    let accepted = instruction.validate()?;
    instruction.apply(&accepted)
}

impl CastVote<'_> {
    #[inline(always)]
    fn validate(&self) -> Outcome<Accepted> {
        checks::payer(self.payer)?;
        checks::signer(self.voter)?;
        checks::system_program(self.system_program)?;
        let thread = Thread::load(self.thread, self.program)?;
        let message = Message::load(self.message, self.thread, self.program)?;
        let voter = key(self.voter);
        if same(voter, &message.fields.author) {
            return Err(OwnMessage.into());
        }
        if seat_of(thread.items, voter).is_none() {
            return Err(NotACoAuthor.into());
        }
        let now = now()?;
        message.fields.check_open(now)?;
        if vote_of(message.items, voter).is_some() {
            return Err(AlreadyVoted.into());
        }
        Ok(Accepted { now, votes: message.items.len() })
    }

    #[inline(always)]
    fn apply(&mut self, accepted: &Accepted) -> Outcome {
        if accepted.votes >= room::<Message>(self.message.data_len()) {
            // Somebody joined since the submission: their vote has no room yet.
            let needed = pending_rent(Rent::get()?, accepted.votes.wrapping_add(1));
            pda::fund(self.payer, self.message, needed)?;
            grow::<Message>(self.message);
        }
        let address = *key(self.thread);
        let sequence = edit::<Thread>(self.thread).fields.touch_active(accepted.now)?;
        let mut log = Log::new(&address, sequence);
        log.emit(self.record(accepted, sequence)?);

        let thread = read::<Thread>(self.thread, self.program)?;
        let message = read::<Message>(self.message, self.program)?;
        let status = verdict(&thread, &message.fields.author, message.items);
        Decision { payer: self.payer, thread: self.thread, message: self.message, now: accepted.now, sequence }
            .apply(status, &mut log)
    }

    #[inline(always)]
    fn record(&mut self, accepted: &Accepted, sequence: u64) -> Outcome<VoteCast> {
        let voter = *key(self.voter);
        let view = edit::<Message>(self.message);
        let vote = view.room.get_mut(accepted.votes).ok_or(InvalidAccount)?;
        *vote = Vote { voter, approve: u8::from(self.approve), claimed: 0, cast_at: I64::new(accepted.now) };
        increment(&mut view.fields.vote_count)?;
        view.fields.sequence.set(sequence);
        Ok(VoteCast { content_hash: view.fields.content_hash, voter, approve: vote.approve })
    }
}
