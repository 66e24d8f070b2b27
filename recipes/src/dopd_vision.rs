use limbeck::prelude::*;

use crate::Dopd;

/// DOPD for students with eyes: teacher and hindsight read boxes with labels, and see the image as the student does.
///
/// arXiv 2606.30626, section 3 (equations 1 and 6 to 11) in its vision-language form: the privileged input is the boxes the
/// question is about, an object's label and four coordinates each, as text: the column `boxes`. Regimes, objectives and
/// constants are those of `Dopd`; the paper's batch is of 64 prompts with 4 rollouts each, and at most 300 steps.
///
/// Where we differ: where `Dopd` differs. How the paper writes a box is not to be read in it; a run's data decides, and its
/// `privileged` says where the text stands.
#[recipe(base = Dopd)]
pub struct DopdVision {
    #[teacher(reads = Boxes)]
    teacher: _,
    #[teacher(reads = Boxes)]
    hindsight: _,
}
