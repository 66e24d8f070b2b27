//! A world whose dims and vocabularies are types: what cannot fit does not compile.

use std::marker::PhantomData;

use crate::error::{Error, Result};
use crate::models::ModelConfig;
use crate::tensor::{Cpu, Device};
use crate::world::{FromFiles, Policy, Vocabulary, World};

/// A model's shape as a type.
pub trait Architecture: 'static {
    /// The tokens it speaks.
    type Vocabulary: Vocabulary;
    /// What people call it.
    const NAME: &'static str;
    /// The width of the residual stream.
    const HIDDEN: usize;
    /// The number of layers.
    const LAYERS: usize;
    /// The number of query heads.
    const HEADS: usize;
    /// The number of key and value heads.
    const KV_HEADS: usize;
}

/// Teachers that speak `V`: one architecture for all of them, or a tuple of architectures.
#[diagnostic::on_unimplemented(
    message = "a teacher of `{Self}` speaks another vocabulary than the student (`{V}`)",
    label = "another vocabulary",
    note = "a teacher must score exactly the student's token ids: pin a teacher with the student's vocabulary"
)]
pub trait Speaks<V: Vocabulary> {}

/// No teacher speaks any vocabulary.
impl<V: Vocabulary> Speaks<V> for () {}

impl<V: Vocabulary, A: Architecture<Vocabulary = V>> Speaks<V> for (A,) {}
impl<V: Vocabulary, A, B> Speaks<V> for (A, B)
where
    A: Architecture<Vocabulary = V>,
    B: Architecture<Vocabulary = V>,
{
}

/// A world of pinned architectures: `S` for the student, `T` for the teachers.
pub struct Pinned<S, T, D: Device = Cpu> {
    files: FromFiles<D>,
    pinned: PhantomData<(S, T)>,
}

impl<S: Architecture, T: Speaks<S::Vocabulary>, D: Device> Pinned<S, T, D> {
    /// Takes over opened files, if the student's are of the pinned architecture.
    ///
    /// # Errors
    /// The first dimension that differs, with both numbers.
    pub fn new(files: FromFiles<D>) -> Result<Self> {
        must_be::<S>(files.student().decoder.config())?;
        Ok(Self { files, pinned: PhantomData })
    }
}

fn must_be<A: Architecture>(config: &ModelConfig) -> Result<()> {
    let dims = [
        ("vocab_size", config.vocab_size, A::Vocabulary::SIZE),
        ("hidden_size", config.hidden_size, A::HIDDEN),
        ("num_hidden_layers", config.num_hidden_layers, A::LAYERS),
        ("num_attention_heads", config.num_attention_heads, A::HEADS),
        ("num_key_value_heads", config.num_key_value_heads, A::KV_HEADS),
    ];
    match dims.iter().find(|(_, found, pinned)| found != pinned) {
        None => Ok(()),
        Some((field, found, pinned)) => {
            Err(Error::call(format!("the student's `{field}` is {found}, and {} has {pinned}", A::NAME))
                .at("config.json")
                .next("pin the architecture of these weights, or open them with `FromFiles`"))
        }
    }
}

impl<S: Architecture, T: Speaks<S::Vocabulary>, D: Device> World for Pinned<S, T, D> {
    type Device = D;
    type Vocabulary = S::Vocabulary;

    fn student(&self) -> &Policy<D> {
        self.files.student()
    }

    fn student_mut(&mut self) -> &mut Policy<D> {
        self.files.student_mut()
    }

    fn follow(&mut self) -> Result<()> {
        self.files.follow()
    }

    fn followers(&self) -> Vec<(&str, &Policy<D>)> {
        self.files.followers()
    }

    fn follower_mut(&mut self, seat: &str) -> Option<&mut Policy<D>> {
        self.files.follower_mut(seat)
    }

    fn teacher(&self, seat: &str) -> Result<&Policy<D>> {
        self.files.teacher(seat)
    }
}
