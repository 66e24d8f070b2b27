// The teacher's type does not say how many of its likeliest tokens the server gives.
use limbeck::prelude::*;

#[recipe]
pub struct MyOpd {
    #[teacher]
    teacher: Remote,

    data: Prompts,
    rollout: Sample,
    score: TeacherTopK,
    #[with(support = Support::Teacher, tail = Tail::Bucket)]
    loss: ForwardKl<TopK<20>>,
    step: AdamW,
}

fn main() {}
