use limbeck::prelude::*;

use crate::DopdVision;

/// DOPD for students with eyes, whose teacher and hindsight read a caption in place of boxes.
///
/// arXiv 2606.30626, form of the privileged input (RealWorldQA / MMStar): 64.8 / 65.6 against 67.4 / 67.2 for boxes with
/// labels. The column is `caption`.
#[recipe(base = DopdVision)]
pub struct CaptionForBoxes {
    #[teacher(reads = Caption)]
    teacher: _,
    #[teacher(reads = Caption)]
    hindsight: _,
}

/// DOPD for students with eyes, whose teacher and hindsight read boxes and then a caption.
///
/// arXiv 2606.30626, form of the privileged input (RealWorldQA / MMStar): 65.3 / 66.9 against 67.4 / 67.2 for boxes with
/// labels alone. The columns are `boxes` and `caption`.
#[recipe(base = DopdVision)]
pub struct CaptionWithBoxes {
    #[teacher(reads = BoxesAndCaption)]
    teacher: _,
    #[teacher(reads = BoxesAndCaption)]
    hindsight: _,
}

/// DOPD for students with eyes, whose teacher and hindsight read the answer in place of boxes.
///
/// arXiv 2606.30626, form of the privileged input (RealWorldQA / MMStar): 64.6 / 63.2 against 67.4 / 67.2 for boxes with
/// labels. Where a row has a worked `reference`, this reads that.
#[recipe(base = DopdVision)]
pub struct AnswerForBoxes {
    #[teacher(reads = ReferenceAnswer)]
    teacher: _,
    #[teacher(reads = ReferenceAnswer)]
    hindsight: _,
}

/// DOPD for students with eyes without any privileged input: teacher and hindsight see what the student sees.
///
/// arXiv 2606.30626, form of the privileged input (RealWorldQA / MMStar): 63.2 / 60.0 against 67.4 / 67.2 for boxes with
/// labels. The hindsight is then the student itself, so LL and HS tokens pull it nowhere.
#[recipe(base = DopdVision)]
pub struct NothingForBoxes {
    #[teacher(reads = NoHints)]
    teacher: _,
    #[teacher(reads = NoHints)]
    hindsight: _,
}
