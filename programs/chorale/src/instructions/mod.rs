//! One file per instruction. `process` reads accounts and arguments, then `validate`s, then `apply`s.

pub mod cancel;
pub mod cast_vote;
pub mod claim;
pub mod configure;
pub mod create_thread;
pub mod divest;
pub mod expire;
pub mod initialize;
pub mod new_message;
pub mod post_message;
pub mod refund;
pub mod resolve;
pub mod submit_message;
pub mod sweep;
pub mod withdraw_treasury;
