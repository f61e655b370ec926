//! One file per instruction. `process` reads accounts and arguments, then `validate`s, then `apply`s.

pub mod cast_vote;
pub mod create_thread;
pub mod initialize;
pub mod new_message;
pub mod post_message;
pub mod submit_message;
