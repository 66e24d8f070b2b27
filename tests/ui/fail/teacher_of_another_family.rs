// A Qwen student cannot be taught by a Llama: it would score other token ids.
use limbeck::prelude::*;
use limbeck::world::architectures::{Llama3_2_1B, Qwen3_0_6B};
use limbeck::world::{FromFiles, Pinned};

#[recipe]
pub struct MyOpd {
    #[teacher]
    teacher: Frozen,

    data: Prompts,
    rollout: Sample,
    score: FullVocab,
    loss: ReverseKl<TopK<8>>,
    step: AdamW,
}

fn main() -> limbeck::Result<()> {
    let device = limbeck::tensor::Cpu::default();
    let teachers = [("teacher".to_string(), "teacher".into())].into();
    let files = FromFiles::open(&MyOpd::PLAN, "student".as_ref(), &teachers, &device)?;
    let mut world = Pinned::<Qwen3_0_6B, (Llama3_2_1B,)>::new(files)?;
    let run = limbeck::run::Run::new(limbeck::world::rows::read_jsonl("sums.jsonl")?, 2, 4);
    MyOpd::DEFAULT.train(&run, &mut world)?;
    Ok(())
}
