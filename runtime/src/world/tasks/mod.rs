//! Two domains of tasks made from a seed, with graded difficulty and exact verifiers.
//!
//! **math** is arithmetic modulo 100, one operation after the other; **code** is a program in a
//! small list language whose output is asked for. Both ask for the steps, each with its operation
//! restated, and the last result after the only `=`:
//!
//! ```text
//! ^m43*9-6-7*5>   *9:87;-6:81;-7:74;*5=70
//! ^clis:9489>     l:4899;i:5900;s=0059
//! ```
//!
//! A hint is all results but the last, put before the `>`: `^m43*9-6-7*5?87;81;74>`.

mod code;
mod domain;
mod draw;
mod fresh;
mod judge;
mod math;
mod pool;
mod problem;
mod spec;

pub use domain::TaskDomain;
pub use draw::held_out;
pub use fresh::Fresh;
pub use judge::TaskVerifier;
pub use pool::generate;
pub use problem::{with_hint, Problem, Step};
pub use spec::{Split, TaskSpec, MAX_LEVEL};
