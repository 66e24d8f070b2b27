// A teacher behind a server scores the student's answers; its own are never asked for.
use limbeck::prelude::*;

#[recipe]
pub struct MyOpd {
    #[teacher]
    teacher: Remote<TopK<20>>,

    data: Prompts,
    #[with(on_policy = 0.5, off_policy = OffPolicy::Teacher)]
    rollout: Mixed,
    score: TeacherTopK,
    #[with(support = Support::Teacher, tail = Tail::Bucket)]
    loss: ForwardKl<TopK<20>>,
    step: AdamW,
}

fn main() {}
