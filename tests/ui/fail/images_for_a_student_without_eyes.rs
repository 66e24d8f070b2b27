// Prompts with images for a student that is text only.
use limbeck::prelude::*;
use limbeck::world::{Architecture, FromFiles, Pinned, Vocabulary};

struct Sums;

impl Vocabulary for Sums {
    const SIZE: usize = 39;
    const NAME: &'static str = "sums";
}

struct Small;

impl Architecture for Small {
    type Vocabulary = Sums;
    const NAME: &'static str = "Small";
    const HIDDEN: usize = 16;
    const LAYERS: usize = 1;
    const HEADS: usize = 2;
    const KV_HEADS: usize = 1;
}

#[recipe]
pub struct MyOpd {
    #[teacher]
    teacher: Frozen,

    data: Pictured,
    rollout: Sample,
    score: FullVocab,
    loss: ReverseKl,
    step: AdamW,
}

limbeck::fits!(MyOpd, Pinned<Small, (Small,)>);

fn main() -> limbeck::Result<()> {
    let device = limbeck::tensor::Cpu::default();
    let teachers = [("teacher".to_string(), "teacher".into())].into();
    let files = FromFiles::open(&MyOpd::PLAN, "student".as_ref(), &teachers, &device)?;
    let mut world = Pinned::<Small, (Small,)>::new(files)?;
    let run = limbeck::run::Run::new(limbeck::world::rows::read_jsonl("sums.jsonl")?, 2, 4);
    MyOpd::DEFAULT.train(&run, &mut world)?;
    Ok(())
}
