// A server says what the teacher thinks of its own likeliest tokens, and not of the student's.
use limbeck::prelude::*;

#[recipe]
pub struct MyOpd {
    #[teacher]
    teacher: Remote<TopK<20>>,

    data: Prompts,
    rollout: Sample,
    score: TeacherTopK,
    #[with(support = Support::Student, tail = Tail::Bucket)]
    loss: ReverseKl<TopK<20>>,
    step: AdamW,
}

fn main() {}
