//! Losses in numbers: what a device can work out by itself, without asking the host for each row.

use std::borrow::Cow;

/// The loss of one row: that of the sampled token's log-probability, and what is added for comparing the row with
/// others.
#[derive(Clone, Debug)]
pub struct Described<'a> {
    /// The sampled token.
    pub sampled: u32,
    /// Its log-probability when it was drawn, where that is known.
    pub old: Option<f32>,
    /// The most that an importance weight may be; infinite where nothing is weighed.
    pub importance_clip: f32,
    /// The sampled token's own loss.
    pub own: Own,
    /// Comparisons, two at most.
    pub parts: Vec<Part<'a>>,
    /// Which of the numbers that were found are told.
    pub tells: Tells,
}

/// A loss that sees nothing but the sampled token's log-probability, `new`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Own {
    /// No loss.
    Nothing,
    /// `−new`.
    CrossEntropy,
    /// With `d = new − teacher`: `½ d²`.
    K2 {
        /// The teacher's log-probability.
        teacher: f32,
    },
    /// With `d = new − teacher`: `exp(−d) − 1 + d`.
    K3 {
        /// The teacher's log-probability.
        teacher: f32,
    },
    /// `d = new − teacher`.
    K1 {
        /// The teacher's log-probability.
        teacher: f32,
    },
    /// The policy gradient on a reward, clipped, as [`PolicyToken`](crate::stages::loss::policy::PolicyToken) has it.
    Clipped {
        /// The log-probability to which the ratio is taken.
        old: f32,
        /// The teacher's log-probability; without one there is no gap to mask.
        teacher: Option<f32>,
        /// The reward.
        advantage: f32,
        /// The ratio is held above 1 less this.
        clip_low: f32,
        /// The ratio is held below 1 plus this.
        clip_high: f32,
        /// Gaps from which on the token is left out.
        gap_mask: f32,
    },
    /// The policy gradient on the reward `teacher − new`, at a ratio of 1.
    Pulled {
        /// The teacher's log-probability.
        teacher: f32,
    },
}

/// How a row is compared with a teacher's.
#[derive(Clone, Debug)]
pub struct Part<'a> {
    /// What is measured.
    pub kind: Kind,
    /// The teacher.
    pub teacher: Teacher<'a>,
    /// What becomes of the tokens that are not looked at.
    pub rest: Rest,
    /// What value and gradient are multiplied by.
    pub weight: f32,
    /// Whether the importance weight multiplies them as well.
    pub weighed: bool,
    /// It counts where the teacher's entropy, in nats, is above this; −∞ asks nothing.
    pub gate: f32,
}

/// The divergences of [`Divergence`](crate::stages::loss::Divergence).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// `KL(q‖s)`.
    ForwardKl,
    /// `KL(s‖q)`.
    ReverseKl,
    /// `β KL(q‖m) + (1−β) KL(s‖m)`.
    Jsd {
        /// The teacher's weight in the mixture.
        beta: f32,
    },
}

/// What is at hand of a teacher, and which tokens are looked at.
#[derive(Clone, Debug)]
pub enum Teacher<'a> {
    /// Its row of logits or log-probabilities, as long as the student's.
    Row(Cow<'a, [f32]>, Among),
    /// Some tokens of it (ascending ids), and `ln Σ e^x` of all others.
    Some {
        /// The tokens.
        ids: Vec<u32>,
        /// What it says of each.
        values: Vec<f32>,
        /// What it says of all others together.
        rest: f32,
        /// Of these tokens, as many of the student's likeliest are looked at; 0 takes all.
        narrow: usize,
    },
}

/// The tokens that are looked at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Among {
    /// All.
    All,
    /// The student's likeliest.
    Student(usize),
    /// The teacher's likeliest.
    Teacher(usize),
    /// Both.
    Union(usize),
    /// The one that was sampled.
    Sampled,
}

/// What becomes of the other tokens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rest {
    /// Both sides are renormalised without them.
    Renormalise,
    /// They count as one token.
    Bucket,
    /// Nothing is renormalised.
    Drop,
    /// The teacher is renormalised without them, the student is not.
    TeacherAlone,
}

/// Which of the numbers that were found are told beside the loss.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tells {
    /// The loss's own weight: the importance, or this number.
    pub weight: Weight,
    /// The probabilities of the tokens that were compared.
    pub masses: bool,
    /// Whether the token was masked.
    pub masked: bool,
}

/// The weight that a loss gives a token by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Weight {
    /// None.
    #[default]
    Nothing,
    /// The importance weight.
    Importance,
    /// A number.
    Fixed(f64),
}

/// What a device found at one row.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct Found {
    /// The loss.
    pub loss: f64,
    /// The sampled token's log-probability.
    pub log_prob: f32,
    /// The row's entropy in nats.
    pub entropy: f32,
    /// The importance weight; 1 where none was asked for.
    pub weight: f32,
    /// The probability that the student gives to the tokens compared last.
    pub student_mass: f32,
    /// The probability that the teacher gives to them.
    pub teacher_mass: f32,
    /// Whether the sampled token's own loss was masked: 1 or 0.
    pub masked: u32,
}
