//! How votes become a decision. Pure: accounts in, verdict out.

use crate::state::{
    message::{Status, Vote, vote_of},
    thread::{CoAuthor, MAX_CO_AUTHORS, Thread, seat_of},
};
use crate::{layout::Key, state::View};

/// The status that a pending message has earned: `Pending` while somebody's vote is missing, or while it was approved
/// but cannot be seated or appended.
///
/// Voters are the present co-authors other than the author, whenever they joined. Everybody's vote counts for good,
/// also that of one who has left since.
#[inline(never)]
pub fn verdict(thread: &View<Thread>, author: &Key, votes: &[Vote]) -> Status {
    let co_authors = thread.items;
    let seat = seat_of(co_authors, author);
    if somebody_is_missing(co_authors, seat, votes) {
        return Status::Pending;
    }
    let approvals = votes.iter().filter(|vote| vote.approve == 1).count();
    if votes.is_empty() {
        Status::Expired
    } else if approvals == 0 {
        Status::Denied
    } else if approvals < votes.len() {
        Status::Split
    } else if thread.fields.tree_is_full() || (seat.is_none() && co_authors.len() >= MAX_CO_AUTHORS) {
        Status::Pending
    } else {
        Status::Published
    }
}

fn somebody_is_missing(co_authors: &[CoAuthor], author: Option<usize>, votes: &[Vote]) -> bool {
    let voters = co_authors.len().wrapping_sub(usize::from(author.is_some()));
    // Nobody votes twice, so fewer votes than voters need no search.
    votes.len() < voters
        || co_authors
            .iter()
            .enumerate()
            .any(|(seat, co_author)| Some(seat) != author && vote_of(votes, &co_author.key).is_none())
}
