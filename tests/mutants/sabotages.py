"""Sabotages that `make mutants ARGS=--quick` tries: one for each promise that the program makes, by mutant's name."""

from __future__ import annotations

_VOTE = "instructions/cast_vote.rs: drop:"
_SUBMIT = "instructions/submit_message.rs: drop:"

SABOTAGES: dict[str, str] = {
    f"{_VOTE} if seat_of(thread.items, voter).is_none() {{ return Err(NotACoAuthor.into()); }}": "only co-authors vote",
    f"{_VOTE} if vote_of(message.items, voter).is_some() {{ return Err(AlreadyVoted.into()); }}": "one vote each",
    f"{_VOTE} if same(voter, &message.fields.author) {{ return Err(OwnMessage.into()); }}": "not on one's own message",
    f"{_VOTE} message.fields.check_open(now)?;": "only while the window is open",
    f"{_SUBMIT} if self.stake < protocol.minimum_stake.get() {{ return Err(StakeTooLow.into()); }}": "a stake at least",
    f"{_SUBMIT} if !same(source.owner().as_array(), key(self.author)) {{ return Err(Unauthorized.into()); }}": (
        "nobody stakes as a delegate"
    ),
    "instructions/claim.rs: drop: if message.items.get(vote).is_some_and(|vote| vote.claimed == 1) "
    "{ return Err(AlreadyClaimed.into())": "a share is paid once",
    "instructions/refund.rs: drop: if !same(&message.author, key(self.payee)) { return Err(Unauthorized.into()); }": (
        "the author alone is refunded"
    ),
    "instructions/divest.rs: drop: if payout < self.min_payout { return Err(PayoutTooLow.into()); }": (
        "nobody leaves with less than they ask for"
    ),
    "instructions/withdraw_treasury.rs: drop: if !same(&protocol.admin, key(self.admin)) "
    "{ return Err(Unauthorized.into()); }": "only the admin empties the treasury",
    "instructions/initialize.rs: drop: checks::address(self.program_key, self.program.as_array())?;": (
        "the program's own key sets it up"
    ),
    "rules.rs: turn: } else if approvals < votes.len() {": "a mixed vote does not publish",
    "decision.rs: drop: add(&mut thread.treasury_due, remainder)?;": "a remainder is owed to the treasury",
    "state/thread.rs: drop: pda::check(account, &[pda::THREAD, &thread.fields.thread_id], thread.fields.header.bump, "
    "program)?;": "a thread stands at its address",
    "state/thread.rs: drop: pda::check(account, &[pda::VAULT, thread], self.vault_bump, program)": (
        "a vault is the thread's own"
    ),
    "state/mod.rs: drop: checks::owner(account, program)?;": "accounts are the program's",
    "tokens.rs: drop: if !same(key(destination), &associated) { return Err(InvalidDestination.into()); }": (
        "without a signature only the associated account is paid"
    ),
    "tree.rs: turn: if count >> level & 1 == 1 {": "the root commits to every leaf",
}
