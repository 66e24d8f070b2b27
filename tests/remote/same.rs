//! A server of some weights teaches what the same weights teach here.

use limbeck::prelude::*;
use limbeck::world::remote::Speaks;

use crate::stub::{asset, Stub};
use crate::{must_be_alike, must_be_near, servers, Bench, Here, There, EACH};

#[test]
fn each_dialect_trains_as_the_teacher_here() {
    let bench = Bench::new();
    let here = bench.trained::<Here>(r#"teachers: {"teacher": "math"}"#);
    assert_eq!(here.len(), 3);
    for speaks in EACH {
        let stub = bench.stub(speaks);
        let _ = std::fs::remove_dir_all(bench.path("There"));
        let there = bench.trained::<There>(&servers(speaks, &[stub.url()], ""));
        must_be_alike(&here, &there);
        // three steps of four responses, and what the server was looked at with
        assert!(stub.scored() >= 12, "{speaks:?}: {}", stub.scored());
    }
}

#[recipe]
struct ExpertsHere {
    #[teacher(domain = Domain::Math, reads = StepHints)]
    math: Frozen,
    #[teacher(domain = Domain::Code, reads = StepHints)]
    code: Frozen,

    data: Prompts,
    #[with(group_size = 2, max_response_tokens = 12)]
    rollout: Sample,
    verify: TaskAnswer,
    score: SampledToken,
    calibrate: MarginShift,
    loss: PolicyGradient,
    #[with(lr = 1e-3)]
    step: AdamW,
}

#[recipe(base = ExpertsHere)]
struct ExpertsThere {
    #[teacher(domain = Domain::Math, reads = StepHints)]
    math: Remote,
    #[teacher(domain = Domain::Code, reads = StepHints)]
    code: Remote,
}

/// Each domain has its server, and the servers read what only teachers may read.
#[test]
fn experts_of_two_domains_behind_two_servers_read_hints() {
    let bench = Bench::new();
    asset(&bench.path("code"), "code");
    let here = bench.trained::<ExpertsHere>(r#"teachers: {"math": "math", "code": "code"}"#);
    let stubs = [("math", Speaks::Vllm), ("code", Speaks::Sglang)]
        .map(|(name, speaks)| Stub::open(speaks, &bench.path(name), name, None));
    let more = format!(
        r#"servers: {{"math": (urls: [{:?}], speaks: Vllm), "code": (urls: [{:?}], speaks: Sglang, model: "code")}}"#,
        stubs[0].url(),
        stubs[1].url()
    );
    must_be_alike(&here, &bench.trained::<ExpertsThere>(&more));
}

#[recipe]
struct RowsHere {
    #[teacher]
    teacher: Frozen,

    data: Prompts,
    #[with(group_size = 2, max_response_tokens = 16)]
    rollout: Sample,
    score: FullVocab,
    #[with(support = Support::Teacher, tail = Tail::Bucket)]
    loss: ForwardKl<TopK<5>>,
    #[with(lr = 1e-3)]
    step: AdamW,
}

#[recipe(base = RowsHere)]
struct RowsThere {
    #[teacher]
    teacher: Remote<TopK<8>>,
    score: TeacherTopK,
}

#[recipe(base = RowsHere)]
struct ReverseHere {
    #[with(support = Support::Teacher, tail = Tail::Renormalise)]
    loss: ReverseKl<TopK<8>>,
}

#[recipe(base = RowsThere)]
struct ReverseThere {
    #[with(support = Support::Teacher, tail = Tail::Renormalise)]
    loss: ReverseKl<TopK<8>>,
}

/// On the teacher's likeliest tokens, with all others as one or left out, the loss is that of whole rows:
/// to 2e-4, for the others are known from what the likeliest leave of 1.
#[test]
fn the_likeliest_tokens_of_a_server_teach_what_whole_rows_teach() {
    let bench = Bench::new();
    let folder = r#"teachers: {"teacher": "math"}"#;
    let (rows, reverse) = (bench.trained::<RowsHere>(folder), bench.trained::<ReverseHere>(folder));
    for speaks in [Speaks::Vllm, Speaks::Sglang] {
        let stub = bench.stub(speaks);
        let there = servers(speaks, &[stub.url()], "");
        for run in ["RowsThere", "ReverseThere"] {
            let _ = std::fs::remove_dir_all(bench.path(run));
        }
        must_be_near(&rows, &bench.trained::<RowsThere>(&there), 2e-4);
        must_be_near(&reverse, &bench.trained::<ReverseThere>(&there), 2e-4);
    }
}
