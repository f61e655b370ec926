//! What a decision does to a thread and its message. No tokens move: what is owed is written down.

use pinocchio::AccountView;

use crate::{
    error::{ChoraleError::ThreadFull, Outcome},
    events::{CoAuthorJoined, Log, MessageDecided, MessageExpired},
    layout::{Key, U32, U64},
    pda,
    runtime::Rent,
    state::{
        self, edit,
        message::{Message, Status},
        thread::{CoAuthor, MAX_CO_AUTHORS, Thread, add, decrement, seat_of, subtract},
    },
};

/// The accounts that a decision by vote touches.
pub struct Decision<'a> {
    pub payer: &'a AccountView,
    pub thread: &'a mut AccountView,
    pub message: &'a mut AccountView,
    /// Unix seconds, and the thread's sequence, already counted.
    pub now: i64,
    pub sequence: u64,
}

impl Decision<'_> {
    /// Gives a pending message the status that its votes have earned. Does nothing for `Pending`.
    #[inline(always)]
    pub fn apply(&mut self, status: Status, log: &mut Log) -> Outcome {
        match status {
            Status::Published => self.publish(log),
            Status::Denied => self.deny(log),
            Status::Split => self.split(log),
            Status::Expired => {
                return_stake(self.thread, self.message, Status::Expired, self.now, self.sequence)?;
                log.emit(MessageExpired { content_hash: edit::<Message>(self.message).fields.content_hash });
                Ok(())
            }
            Status::Pending | Status::Cancelled => Ok(()),
        }
    }

    #[inline(never)]
    fn publish(&mut self, log: &mut Log) -> Outcome {
        let author = edit::<Message>(self.message).fields.author;
        let joins = self.seat(&author)?;
        let (thread, message) = (edit::<Thread>(self.thread).fields, edit::<Message>(self.message).fields);
        let stake = message.stake.get();
        close(thread, message, Status::Published, self.now, self.sequence)?;
        add(&mut thread.token_balance, stake)?;
        let leaf_index = thread.publish(&message.content_hash);
        message.leaf_index.set(leaf_index);
        log.emit(decided(message));
        if joins {
            log.emit(CoAuthorJoined { key: author });
        }
        Ok(())
    }

    #[inline(never)]
    fn deny(&mut self, log: &mut Log) -> Outcome {
        let (thread, message) = (edit::<Thread>(self.thread).fields, edit::<Message>(self.message).fields);
        let (stake, deniers) = (message.stake.get(), u64::from(message.vote_count.get()));
        // A denial has at least one vote, and all of them deny.
        let remainder = stake % deniers;
        let escrow = stake.wrapping_sub(remainder);
        close(thread, message, Status::Denied, self.now, self.sequence)?;
        add(&mut thread.escrow_total, escrow)?;
        add(&mut thread.treasury_due, remainder)?;
        message.escrow_remaining.set(escrow);
        message.share.set(stake / deniers);
        log.emit(decided(message));
        Ok(())
    }

    #[inline(never)]
    fn split(&mut self, log: &mut Log) -> Outcome {
        let (thread, message) = (edit::<Thread>(self.thread).fields, edit::<Message>(self.message).fields);
        close(thread, message, Status::Split, self.now, self.sequence)?;
        add(&mut thread.treasury_due, message.stake.get())?;
        log.emit(decided(message));
        Ok(())
    }

    /// Makes the author a co-author unless they are one. The seat's rent waits in the message since its submission;
    /// room that somebody left behind is used again.
    fn seat(&mut self, author: &Key) -> Outcome<bool> {
        let rent = Rent::get()?;
        let view = edit::<Thread>(self.thread);
        let present = view.fields.co_author_count.get() as usize;
        let joins = seat_of(view.room.get(..present).unwrap_or(&[]), author).is_none();
        if joins && present >= MAX_CO_AUTHORS {
            return Err(ThreadFull.into());
        }
        let grows = joins && present >= view.room.len();
        let saved = rent
            .bytes(size_of::<CoAuthor>())
            .min(self.message.lamports().saturating_sub(rent.account(self.message.data_len())));
        if grows {
            let needed = rent.account(self.thread.data_len().wrapping_add(size_of::<CoAuthor>()));
            pda::fund(self.payer, self.thread, needed.saturating_sub(saved))?;
            state::grow::<Thread>(self.thread);
        }
        // After the last invocation: the runtime compares balances at each one.
        self.message.set_lamports(self.message.lamports().wrapping_sub(saved));
        self.thread.set_lamports(self.thread.lamports().wrapping_add(saved));
        if joins {
            let view = edit::<Thread>(self.thread);
            if let Some(seat) = view.room.get_mut(present) {
                *seat = CoAuthor { key: *author, joined_sequence: U64::new(self.sequence) };
                view.fields.co_author_count = U32::new(present.wrapping_add(1) as u32);
            }
        }
        Ok(joins)
    }
}

/// Ends a message whose stake goes back to its author: expired or cancelled.
#[inline(never)]
pub fn return_stake(
    thread: &mut AccountView,
    message: &mut AccountView,
    status: Status,
    now: i64,
    sequence: u64,
) -> Outcome {
    let (thread, message) = (edit::<Thread>(thread).fields, edit::<Message>(message).fields);
    let stake = message.stake.get();
    close(thread, message, status, now, sequence)?;
    add(&mut thread.escrow_total, stake)?;
    message.escrow_remaining.set(stake);
    Ok(())
}

/// What all decisions have in common: the stake is pending no more.
#[inline(always)]
fn close(thread: &mut Thread, message: &mut Message, status: Status, now: i64, sequence: u64) -> Outcome {
    subtract(&mut thread.stakes_total, message.stake.get())?;
    decrement(&mut thread.pending_count)?;
    message.status = status as u8;
    message.decided_at.set(now);
    message.sequence.set(sequence);
    Ok(())
}

#[inline(always)]
fn decided(message: &Message) -> MessageDecided {
    MessageDecided {
        content_hash: message.content_hash,
        status: message.status,
        leaf_index: message.leaf_index,
        share: message.share,
    }
}
