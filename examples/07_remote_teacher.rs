//! Teachers behind servers: what a server can give is in the teacher's type.
//!
//! ```text
//! cargo run --release --example 07_remote_teacher -- check examples/runs/remote.ron
//! cargo run --release --example 07_remote_teacher -- train examples/runs/remote.ron
//! ```
//!
//! Both need a server of the teacher. `examples/remote/llama_cpp_server.sh` starts one of a GGUF file and runs both.
//! Write `score: FullVocab` into `FromServer`, and the compiler says that `Remote` cannot give its whole distribution.

use std::process::ExitCode;

use limbeck::prelude::*;
use limbeck::Entry;

/// Each token is worth what the teacher thinks of it: any of the three servers can say that.
#[recipe]
pub struct FromServer {
    #[teacher]
    teacher: Remote,

    data: Prompts,
    #[with(group_size = 2, max_response_tokens = 24)]
    rollout: Sample,
    score: SampledToken,
    loss: PolicyGradient,
    #[with(lr = 1e-5)]
    step: AdamW,
}

/// The same teacher's 20 likeliest tokens, and all others as one: vLLM and SGLang can say that.
#[recipe(base = FromServer)]
pub struct LikeliestFromServer {
    #[teacher]
    teacher: Remote<TopK<20>>,
    score: TeacherTopK,
    #[with(support = Support::Teacher, tail = Tail::Bucket)]
    loss: ForwardKl<TopK<20>>,
}

fn main() -> ExitCode {
    const RECIPES: &[Entry] = &[Entry::of::<FromServer>(), Entry::of::<LikeliestFromServer>()];
    limbeck::main(RECIPES)
}
