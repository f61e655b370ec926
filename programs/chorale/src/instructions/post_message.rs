//! `post_message(body_hash [u8; 32], nonce u64)`: a co-author publishes at once, without a stake.

use pinocchio::{AccountView, Address};

use crate::{
    args::Args,
    checks::{self, key},
    error::{
        ChoraleError::{InvalidAccount, NotACoAuthor, TreeFull},
        Outcome,
    },
    events::{Log, MessagePosted},
    instructions::new_message::{self, Identity, NewMessage},
    layout::Key,
    runtime::{Rent, now},
    state::{
        edit,
        message::{Message, Status},
        size,
        thread::{Thread, increment, seat_of},
    },
};

pub const DISCRIMINATOR: [u8; 8] = [214, 50, 100, 209, 38, 34, 7, 76];

struct PostMessage<'a> {
    /// signer, writable
    payer: &'a AccountView,
    /// signer: a co-author
    author: &'a AccountView,
    /// writable: `Thread`
    thread: &'a mut AccountView,
    /// writable, new: `Message`
    message: &'a mut AccountView,
    system_program: &'a AccountView,
    body_hash: &'a Key,
    nonce: u64,
    program: &'a Address,
}

#[inline(never)]
pub fn process(program: &Address, accounts: &mut [AccountView], data: &[u8]) -> Outcome {
    let [payer, author, thread, message, system_program] = accounts else {
        return Err(InvalidAccount.into());
    };
    let mut args = Args::new(data);
    let (body_hash, nonce) = (args.key()?, args.u64()?);
    args.finish()?;
    let mut instruction = PostMessage { payer, author, thread, message, system_program, body_hash, nonce, program };
    let identity = instruction.validate()?;
    instruction.apply(&identity)
}

impl PostMessage<'_> {
    #[inline(always)]
    fn validate(&self) -> Outcome<Identity> {
        checks::payer(self.payer)?;
        checks::signer(self.author)?;
        checks::system_program(self.system_program)?;
        let thread = Thread::load(self.thread, self.program)?;
        if seat_of(thread.items, key(self.author)).is_none() {
            return Err(NotACoAuthor.into());
        }
        if thread.fields.tree_is_full() {
            return Err(TreeFull.into());
        }
        new_message::identify(self.message, self.thread, key(self.author), self.nonce, self.body_hash, self.program)
    }

    #[inline(always)]
    fn apply(&mut self, identity: &Identity) -> Outcome {
        let now = now()?;
        NewMessage {
            payer: self.payer,
            author: self.author,
            thread: self.thread,
            message: self.message,
            program: self.program,
            body_hash: self.body_hash,
            nonce: self.nonce,
        }
        .make(identity, 0, Rent::get()?.account(size::<Message>(0)))?;

        let address = *key(self.thread);
        let (thread, message) = (edit::<Thread>(self.thread).fields, edit::<Message>(self.message).fields);
        let sequence = thread.touch_active(now)?;
        increment(&mut thread.message_count)?;
        message.status = Status::Published as u8;
        message.submitted_at.set(now);
        message.decided_at.set(now);
        message.submitted_sequence.set(sequence);
        message.sequence.set(sequence);
        message.leaf_index.set(thread.publish(&identity.content_hash));
        Log::new(&address, sequence).emit(MessagePosted {
            author: message.author,
            content_hash: message.content_hash,
            body_hash: message.body_hash,
            leaf_index: message.leaf_index,
        });
        Ok(())
    }
}
