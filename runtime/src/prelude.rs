//! What a recipe file needs: `use limbeck::prelude::*;`.

pub use crate::privileged::{
    Boxes, BoxesAndCaption, Caption, Evidence, Experience, Feedback, NoHints, Pixelated, ReferenceAnswer,
    SiblingSuccess, StepHints, SuccessOrFeedback,
};
pub use crate::stages::balance::{ByOutcome, Scope};
pub use crate::stages::calibrate::{Direction, MarginMask, MarginShift, Over, Statistic};
pub use crate::stages::checkpoint::Safetensors;
pub use crate::stages::data::{ByDifficulty, Pictured, Prompts, Shape, Target};
pub use crate::stages::log::Jsonl;
pub use crate::stages::loss::{
    CrossEntropy, Divergence, EntropyGated, Estimator, ForwardKl, Full, Jsd, JsdToBoth, PolicyGradient,
    ReverseKl, Routed, SampledKl, Support, Tail, TopK, UpTo,
};
pub use crate::stages::rollout::{Mixed, OffPolicy, Reference, Sample};
pub use crate::stages::route::{
    AdvantageGap, ByImportance, ByVisualAdvantage, ExploreThenRefine, GapScope, Importance, PruneByGap,
    Pruned, RegimeSet, TokenScope,
};
pub use crate::stages::score::{
    BothViews, Contrasted, Demonstrated, Extrapolated, FullVocab, GroupOutcome, SampledToken, TeacherTopK,
};
pub use crate::stages::step::{AdamW, Schedule};
pub use crate::stages::verify::TaskAnswer;
pub use crate::world::scenes::Modal;
pub use crate::world::tasks::TaskDomain as Domain;
pub use crate::world::{Ema, Frozen, Own, Remote, SameWeights, Start};
pub use crate::{recipe, Recipe, Settings};
