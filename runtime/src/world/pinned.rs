//! A world whose dims and vocabularies are types: what cannot fit does not compile.

use std::marker::PhantomData;

use crate::error::{Error, Result};
use crate::models::ModelConfig;
use crate::recipe::Recipe;
use crate::tensor::{Cpu, Device};
use crate::world::{FromFiles, Policy, Speaker, Vocabulary, World};

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
    /// Whether it has eyes.
    const SEES: bool = false;
}

/// Teachers that speak `V`: a tuple of their architectures, in any order; `()` for none.
#[diagnostic::on_unimplemented(
    message = "a teacher of `{Self}` speaks another vocabulary than the student (`{V}`)",
    label = "another vocabulary",
    note = "a teacher must score exactly the student's token ids: pin a teacher with the student's vocabulary"
)]
pub trait Speaks<V: Vocabulary> {
    /// What the teachers may be.
    #[doc(hidden)]
    const SHAPES: &'static [Shape];
}

/// No teacher speaks any vocabulary.
impl<V: Vocabulary> Speaks<V> for () {
    const SHAPES: &'static [Shape] = &[];
}

// never recommended: of a teacher that does not fit, the sentence above is to be read
#[diagnostic::do_not_recommend]
impl<V: Vocabulary, A: Architecture<Vocabulary = V>> Speaks<V> for (A,) {
    const SHAPES: &'static [Shape] = &[Shape::of::<A>()];
}

#[diagnostic::do_not_recommend]
impl<V: Vocabulary, A, B> Speaks<V> for (A, B)
where
    A: Architecture<Vocabulary = V>,
    B: Architecture<Vocabulary = V>,
{
    const SHAPES: &'static [Shape] = &[Shape::of::<A>(), Shape::of::<B>()];
}

/// An architecture's numbers.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    name: &'static str,
    sees: bool,
    dims: [(&'static str, usize); 5],
}

impl Shape {
    const fn of<A: Architecture>() -> Self {
        Self {
            name: A::NAME,
            sees: A::SEES,
            dims: [
                ("vocab_size", A::Vocabulary::SIZE),
                ("hidden_size", A::HIDDEN),
                ("num_hidden_layers", A::LAYERS),
                ("num_attention_heads", A::HEADS),
                ("num_key_value_heads", A::KV_HEADS),
            ],
        }
    }

    /// The first number in which a model differs: its name, the model's, the pinned one.
    fn difference(&self, config: &ModelConfig) -> Option<(&'static str, usize, usize)> {
        let found = [
            config.vocab_size,
            config.hidden_size,
            config.num_hidden_layers,
            config.num_attention_heads,
            config.num_key_value_heads,
        ];
        let pairs = self.dims.iter().zip(found).map(|(&(field, pinned), found)| (field, found, pinned));
        pairs.into_iter().find(|(_, found, pinned)| found != pinned)
    }
}

/// A world of pinned architectures: `S` for the student, `T` for the teachers.
///
/// The files are opened as ever, and compared with the types once:
///
/// ```no_run
/// # use limbeck::world::{Architecture, Vocabulary};
/// use limbeck::prelude::*;
/// use limbeck::world::{FromFiles, Pinned};
/// # struct Sums;
/// # impl Vocabulary for Sums { const SIZE: usize = 39; const NAME: &'static str = "sums"; }
/// # struct Small;
/// # impl Architecture for Small {
/// #     type Vocabulary = Sums;
/// #     const NAME: &'static str = "Small";
/// #     const HIDDEN: usize = 16;
/// #     const LAYERS: usize = 1;
/// #     const HEADS: usize = 2;
/// #     const KV_HEADS: usize = 1;
/// # }
/// # #[recipe]
/// # struct MyOpd {
/// #     #[teacher]
/// #     teacher: Frozen,
/// #     data: Prompts,
/// #     rollout: Sample,
/// #     score: FullVocab,
/// #     loss: ReverseKl<TopK<8>>,
/// #     step: AdamW,
/// # }
/// limbeck::fits!(MyOpd, Pinned<Small, (Small,)>);
///
/// # fn main() -> limbeck::Result<()> {
/// let teachers = [("teacher".to_string(), "models/teacher".into())].into();
/// let device = limbeck::tensor::Cpu::default();
/// let files = FromFiles::open(&MyOpd::PLAN, "models/student".as_ref(), &teachers, &device)?;
/// let mut world = Pinned::<Small, (Small,)>::new(files)?;
/// let rows = limbeck::world::rows::read_jsonl("sums.jsonl")?;
/// let report = MyOpd::DEFAULT.train(&limbeck::run::Run::new(rows, 100, 16), &mut world)?;
/// # Ok(())
/// # }
/// ```
pub struct Pinned<S, T, D: Device = Cpu> {
    files: FromFiles<D>,
    pinned: PhantomData<(S, T)>,
}

impl<S: Architecture, T, D: Device> Pinned<S, T, D> {
    /// Takes over opened files, if student and teachers are of the pinned architectures.
    ///
    /// # Errors
    /// The first dimension that differs, with both numbers.
    pub fn new(files: FromFiles<D>) -> Result<Self>
    where
        T: Speaks<S::Vocabulary>,
    {
        let student = Shape::of::<S>();
        must_be(&[student], "student", files.student())?;
        let shapes: Vec<Shape> = T::SHAPES.iter().copied().chain([student]).collect();
        for (seat, teacher) in files.teachers() {
            must_be(&shapes, seat, teacher)?;
        }
        Ok(Self { files, pinned: PhantomData })
    }
}

/// The policy is of one of these shapes; the first is compared with, if it is not.
fn must_be<D: Device>(shapes: &[Shape], who: &str, policy: &Policy<D>) -> Result<()> {
    let config = policy.decoder.config();
    let same = |shape: &&Shape| shape.difference(config).is_none();
    if let Some(shape) = shapes.iter().find(same) {
        let eyes = |has| if has { "eyes" } else { "no eyes" };
        return match shape.sees == policy.has_eyes() {
            true => Ok(()),
            false => Err(Error::call(format!(
                "`{who}` has {}, and {} has {}",
                eyes(policy.has_eyes()),
                shape.name,
                eyes(shape.sees)
            ))
            .at("config.json")
            .next("pin the architecture of these weights, or open them with `FromFiles`")),
        };
    }
    let first = shapes.iter().find_map(|shape| Some((shape.name, shape.difference(config)?)));
    let Some((name, (field, found, pinned))) = first else { return Ok(()) };
    Err(Error::call(format!("the `{field}` of `{who}` is {found}, and {name} has {pinned}"))
        .at("config.json")
        .next("pin the architecture of these weights, or open them with `FromFiles`"))
}

/// Refuses a recipe whose loss compares more tokens than the world's vocabulary has.
///
/// A world's types and a recipe's meet in a generic function, and what a generic function asserts is
/// found by `cargo build` and not by `cargo check`. This line is no generic one, so both find it:
///
/// ```compile_fail,E0080
/// # use limbeck::prelude::*;
/// # use limbeck::world::{Architecture, Pinned, Vocabulary};
/// # struct Sums;
/// # impl Vocabulary for Sums { const SIZE: usize = 39; const NAME: &'static str = "sums"; }
/// # struct Small;
/// # impl Architecture for Small {
/// #     type Vocabulary = Sums;
/// #     const NAME: &'static str = "Small";
/// #     const HIDDEN: usize = 16;
/// #     const LAYERS: usize = 1;
/// #     const HEADS: usize = 2;
/// #     const KV_HEADS: usize = 1;
/// # }
/// # #[recipe]
/// # struct Wide {
/// #     #[teacher]
/// #     teacher: Frozen,
/// #     data: Prompts,
/// #     rollout: Sample,
/// #     score: FullVocab,
/// #     loss: ReverseKl<TopK<64>>,
/// #     step: AdamW,
/// # }
/// limbeck::fits!(Wide, Pinned<Small, (Small,)>); // `Wide` compares TopK<64>, and there are 39 tokens
/// # fn main() {}
/// ```
///
/// Without the line, a build of a program that trains `Wide` in this world fails all the same.
#[macro_export]
macro_rules! fits {
    ($recipe:ty, $world:ty $(,)?) => {
        const _: () = $crate::world::pinned::fits::<$recipe, $world>();
    };
}

/// What [`fits!`](crate::fits) asserts.
///
/// # Panics
/// At compile time, if the recipe does not fit.
#[doc(hidden)]
#[track_caller]
pub const fn fits<R: Recipe, W: World>() {
    assert!(narrow_enough(R::FACTS.vocabulary, W::Vocabulary::SIZE), "{}", TOO_WIDE);
    assert!(!R::FACTS.shows || W::SEES, "{}", NO_EYES);
}

/// Whether a loss over the `needs` likeliest tokens can be computed on a vocabulary; 0 is not known yet.
pub(crate) const fn narrow_enough(needs: usize, vocabulary: usize) -> bool {
    vocabulary == 0 || needs <= vocabulary
}

/// The sentence about a loss that compares more tokens than there are.
pub(crate) const TOO_WIDE: &str =
    "the loss compares more tokens than this world's vocabulary has: lower K, or compare the full vocabulary";

/// The sentence about prompts that show images to a student without eyes.
pub(crate) const NO_EYES: &str =
    "the recipe's prompts show images, and this world's student has no eyes: pin one that `sees images`, or draw prompts with `Prompts`";

// that `T` speaks the student's vocabulary is asked once, by `new`
impl<S: Architecture, T, D: Device> World for Pinned<S, T, D> {
    type Device = D;
    type Vocabulary = S::Vocabulary;
    const SEES: bool = S::SEES;

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

    fn seated(&self) -> Vec<(&str, &Policy<D>)> {
        self.files.seated()
    }

    fn speaker(&self, seat: &str) -> Result<Speaker<'_, D>> {
        self.files.speaker(seat)
    }

    fn teacher(&self, seat: &str) -> Result<&Policy<D>> {
        self.files.teacher(seat)
    }
}
