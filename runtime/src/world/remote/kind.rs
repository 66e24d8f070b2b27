//! `Remote` as a kind of teacher: what a server can give is in the type.

use std::fmt::Debug;
use std::marker::PhantomData;

use crate as limbeck;
use crate::check::Facts;
use crate::stages::loss::TopK;
use crate::world::roster::{Another, Kind};
use limbeck::Settings;

/// How likely the sampled token is, and nothing of the others.
#[derive(Clone, Copy, Debug)]
pub struct Sampled;

/// What a server gives at each token: the sampled token's log-probability, or also its `K` likeliest tokens.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say what a server gives",
    note = "write `Remote` for the sampled token alone, or `Remote<TopK<20>>` for the 20 likeliest tokens as well"
)]
pub trait Given: Clone + Debug + Send + Sync + 'static {
    /// How many of the likeliest tokens.
    const K: usize;
}

impl Given for Sampled {
    const K: usize = 0;
}

impl<const K: usize> Given for TopK<K> {
    const K: usize = K;
}

/// A teacher behind a server: vLLM, SGLang or `llama-cpp-python`, which the run file names as `servers`.
///
/// It gives the log-probability of each sampled token; `Remote<TopK<20>>` gives its 20 likeliest tokens as well, and
/// no server gives its whole distribution.
#[derive(Clone, Debug, Settings)]
#[settings(facts = tell)]
pub struct Remote<G: Given = Sampled> {
    /// What the server gives.
    #[setting(skip)]
    pub gives: PhantomData<G>,
}

const fn tell<G: Given>(_: &Remote<G>, facts: Facts) -> Facts {
    Facts { served: true, given: G::K, ..facts }
}

impl<G: Given> Kind for Remote<G> {
    const SELF: bool = false;
}

impl<G: Given> Another for Remote<G> {}
