// The loss compares 64 of the teacher's likeliest tokens, and its server gives 20.
use limbeck::prelude::*;

#[recipe]
pub struct MyOpd {
    #[teacher]
    teacher: Remote<TopK<20>>,

    data: Prompts,
    rollout: Sample,
    score: TeacherTopK,
    #[with(support = Support::Teacher, tail = Tail::Bucket)]
    loss: ReverseKl<TopK<64>>,
    step: AdamW,
}

fn main() {}
