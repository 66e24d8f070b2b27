//! The world a loop runs in: the student, its teachers, and where they live.

pub mod architectures;
pub(crate) mod caught;
pub mod files;
pub mod pinned;
pub mod policy;
pub mod remote;
pub mod roster;
pub mod rows;
pub mod scenes;
pub mod tasks;
pub mod tokenizer;
pub mod verifier;

pub use files::FromFiles;
pub use pinned::{Architecture, Pinned, Speaks};
pub use policy::Policy;
pub use remote::{Remote, ServerFile};
pub use roster::{Ema, Experts, Frozen, Nobody, Own, SameWeights, Seat, Start};

use crate::error::Result;
use crate::tensor::Device;

/// A vocabulary as a type: two models that share it speak the same tokens.
pub trait Vocabulary: 'static {
    /// The number of tokens; 0 when it is known only once the files are open.
    const SIZE: usize;
    /// What people call it.
    const NAME: &'static str;
}

/// A vocabulary that is known only once the files are open.
#[derive(Clone, Copy, Debug)]
pub struct AnyVocabulary;

impl Vocabulary for AnyVocabulary {
    const SIZE: usize = 0;
    const NAME: &'static str = "from the files";
}

/// A domain of prompts, as the user's own enum. Made by `#[derive(Domain)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a set of domains",
    note = "put `#[derive(Clone, Copy, Domain)]` on the enum"
)]
pub trait Domain: Sized + Copy + 'static {
    /// Every domain.
    const ALL: &'static [Self];
    /// The name data rows use: the variant in snake case.
    fn name(&self) -> &'static str;
}

impl Domain for tasks::TaskDomain {
    const ALL: &'static [Self] = &[Self::Math, Self::Code];

    fn name(&self) -> &'static str {
        tasks::TaskDomain::name(*self)
    }
}

/// Who speaks from a teacher's seat.
pub enum Speaker<'a, D: Device> {
    /// A policy whose weights are here.
    Here(&'a Policy<D>),
    /// A server, which says how likely tokens are.
    Served(&'a remote::Server),
}

/// The student, its teachers and their device. One recipe text serves every world.
pub trait World {
    /// Where the tensors live.
    type Device: Device;
    /// The student's vocabulary.
    type Vocabulary: Vocabulary;
    /// Whether the student may have eyes: `false` says that it has none, `true` that it has, or that only its files tell.
    const SEES: bool = true;

    /// The student as it is now.
    fn student(&self) -> &Policy<Self::Device>;

    /// The student, to be moved.
    fn student_mut(&mut self) -> &mut Policy<Self::Device>;

    /// Lets the teachers that follow the student follow it, after a step.
    ///
    /// # Errors
    /// When the device fails.
    fn follow(&mut self) -> Result<()> {
        Ok(())
    }

    /// The teachers that change while the student learns, by seat: a checkpoint keeps them too.
    fn followers(&self) -> Vec<(&str, &Policy<Self::Device>)> {
        Vec::new()
    }

    /// One of the teachers that change, to be put back as it was.
    fn follower_mut(&mut self, _: &str) -> Option<&mut Policy<Self::Device>> {
        None
    }

    /// Every teacher with its seat; the student itself where it teaches.
    fn seated(&self) -> Vec<(&str, &Policy<Self::Device>)>;

    /// Who speaks from a teacher's seat: a policy here, or a server.
    ///
    /// # Errors
    /// When nobody sits there.
    fn speaker(&self, seat: &str) -> Result<Speaker<'_, Self::Device>> {
        self.teacher(seat).map(Speaker::Here)
    }

    /// The policy that sits in a teacher's seat.
    ///
    /// # Errors
    /// When nobody sits there.
    fn teacher(&self, seat: &str) -> Result<&Policy<Self::Device>>;
}
