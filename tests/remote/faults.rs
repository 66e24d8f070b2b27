//! Every wrong answer is found, has its sentence, and is never learnt from.

use limbeck::prelude::*;
use limbeck::run::check;
use limbeck::world::remote::Speaks;
use limbeck::Entry;

use crate::stub::{always, Fault, Stub, Wrong};
use crate::{must_be_alike, servers, Bench, There, EACH};

/// What `limbeck check` says is wrong.
fn wrong<R: Recipe>(bench: &Bench, more: &str) -> String {
    let findings = check(&Entry::of::<R>(), &bench.run(R::NAME, more));
    findings.wrong.iter().map(|why| format!("{why}\n")).collect()
}

/// What a fault is called, in each dialect.
fn sentences(fault: Fault) -> [&'static str; 3] {
    match fault {
        Fault::Late => ["shifted by one row: each is of the row after its token's"; 3],
        Fault::Early => ["shifted by one row: each is of the row before its token's"; 3],
        Fault::Short => [
            "rows of log-probabilities, and there are",
            "log-probabilities, the first empty, and there are",
            "tokens, and there are",
        ],
        Fault::Null => ["it gave no log-probability for token"; 3],
        Fault::NotANumber => ["not finite (NaN or Infinity)"; 3],
        Fault::Positive => ["it gave 0.5 as the log-probability of token"; 3],
        Fault::Sentinel => ["it gave -9999 for token"; 3],
        Fault::OtherTokens => ["does not hold that token", "it scored other tokens", "as other tokens"],
        Fault::Status(_) => ["it answered 500: out of memory"; 3],
        Fault::Slow => ["no answer within 0.4 s"; 3],
        Fault::Dropped => ["the connection was dropped"; 3],
        Fault::Truncated => ["its JSON ends early: the answer was cut off"; 3],
        // SGLang's stub has nothing to ask: what it calls the tokens is compared
        Fault::OtherVocabulary | Fault::OtherTexts => ["speaks another vocabulary than the student"; 3],
        Fault::NoTexts => ["nobody can tell whether its model `math` has the student's vocabulary"; 3],
    }
}

#[test]
fn every_fault_has_its_sentence() {
    let bench = Bench::new();
    let all = [
        Fault::Late,
        Fault::Early,
        Fault::Short,
        Fault::Null,
        Fault::NotANumber,
        Fault::Positive,
        Fault::Sentinel,
        Fault::OtherTokens,
        Fault::Status(500),
        Fault::Slow,
        Fault::Dropped,
        Fault::Truncated,
        Fault::OtherVocabulary,
        Fault::OtherTexts,
        Fault::NoTexts,
    ];
    for fault in all {
        for (speaks, sentence) in EACH.into_iter().zip(sentences(fault)) {
            let stub = Stub::open(speaks, &bench.path("math"), "math", always(fault));
            let limit = if fault == Fault::Slow { "timeout: 0.4, retries: 0" } else { "retries: 1" };
            let said = wrong::<There>(&bench, &servers(speaks, &[stub.url()], limit));
            // the dialect of llama.cpp has nothing but texts: other texts are other tokens, and none are not possible
            if speaks == Speaks::LlamaCpp && matches!(fault, Fault::OtherTexts | Fault::NoTexts) {
                continue;
            }
            assert!(said.contains(sentence), "{fault:?} of {speaks:?}: {said}");
            assert!(said.starts_with("servers.teacher: `teacher` at http://127.0.0.1"), "{said}");
            assert_eq!(said.matches("servers.teacher").count(), 1, "{said}");
            if fault == Fault::Late && speaks == Speaks::LlamaCpp {
                assert!(said.contains("`prepend_bos: true`"), "{said}");
            }
        }
    }
}

/// Wrong answers that pass are asked for again, and the run is what it would have been.
#[test]
fn what_passes_is_asked_for_again() {
    let bench = Bench::new();
    let good = bench.trained::<There>(&servers(Speaks::Vllm, &[bench.stub(Speaks::Vllm).url()], ""));
    for fault in [Fault::Status(503), Fault::Status(429), Fault::Null, Fault::Dropped, Fault::Truncated] {
        // the first answers are right, so that the server is trusted
        let some = Some(Wrong { fault, from: 5, to: 8 });
        let stub = Stub::open(Speaks::Vllm, &bench.path("math"), "math", some);
        std::fs::remove_dir_all(bench.path("There")).unwrap();
        must_be_alike(&good, &bench.trained::<There>(&servers(Speaks::Vllm, &[stub.url()], "in_flight: 2")));
    }
}

#[test]
fn who_answers_is_looked_at_before_a_run() {
    let bench = Bench::new();
    let stub = bench.stub(Speaks::Vllm);
    let said = |speaks, url: &str, more: &str| {
        wrong::<There>(&bench, &servers(speaks, &[url.to_string()], &format!("ready_within: 0.2, {more}")))
    };
    assert_eq!(said(Speaks::Vllm, &stub.url(), r#"model: "math""#), "");
    let other = said(Speaks::Vllm, &stub.url(), r#"model: "Qwen/Qwen3-8B""#);
    assert!(other.contains("it serves `math`, and the run file names `Qwen/Qwen3-8B`"), "{other}");
    let dialect = said(Speaks::Sglang, &stub.url(), "");
    assert!(
        dialect.contains("this is no SGLang server, or it does not let us in: it answered 404"),
        "{dialect}"
    );
    let gone = stub.url();
    drop(stub);
    let nobody = said(Speaks::Vllm, &gone, "");
    assert!(nobody.contains("it was not ready within 0.2 s: nobody listens there"), "{nobody}");
}

#[test]
fn run_files_are_refused_with_the_field() {
    let bench = Bench::new();
    let said = |more: &str| wrong::<There>(&bench, more);
    for (more, words) in [
        ("", &["`There` declares the teacher `teacher` behind a server", "add `servers: {\"teacher\""][..]),
        (
            r#"servers: {"techer": (urls: ["http://127.0.0.1:1"], speaks: Vllm)}"#,
            &["servers.techer", "did you mean `teacher`?"],
        ),
        (
            r#"servers: {"teacher": (urls: ["127.0.0.1:1"], speaks: Vllm)}"#,
            &["servers.teacher.urls[0]", "begins with `http://`"],
        ),
        (r#"servers: {"teacher": (urls: [], speaks: Vllm)}"#, &["servers.teacher.urls", "name at least one"]),
        (r#"servers: {"teacher": (urls: ["http://127.0.0.1:1"], speaks: Vlm)}"#, &["Vlm"]),
        (
            r#"servers: {"teacher": (urls: ["http://127.0.0.1:1"], speaks: Vllm, in_flight: 0)}"#,
            &["servers.teacher.in_flight"],
        ),
        (
            r#"servers: {"teacher": (urls: ["http://127.0.0.1:1"], speaks: Vllm, key_from: "LIMBECK_NO_SUCH_KEY")}"#,
            &["servers.teacher.key_from", "`LIMBECK_NO_SUCH_KEY` is not set"],
        ),
    ] {
        let said = said(more);
        assert!(words.iter().all(|word| said.contains(word)), "{more}\n{said}");
    }
    if cfg!(not(feature = "https")) {
        let said = said(r#"servers: {"teacher": (urls: ["https://teacher.example"], speaks: Vllm)}"#);
        assert!(said.contains("servers.teacher.urls[0]") && said.contains("--features https"), "{said}");
    }
}

#[recipe(base = There)]
struct Likeliest {
    #[teacher]
    teacher: Remote<TopK<8>>,
    score: TeacherTopK,
    #[with(support = Support::Teacher, tail = Tail::Bucket)]
    loss: ReverseKl<TopK<8>>,
}

/// It names the likeliest tokens by text, and two tokens may have one.
#[test]
fn llama_cpp_gives_no_likeliest_tokens() {
    let bench = Bench::new();
    let stub = bench.stub(Speaks::LlamaCpp);
    let said = wrong::<Likeliest>(&bench, &servers(Speaks::LlamaCpp, &[stub.url()], ""));
    assert!(
        said.contains("servers.teacher.speaks") && said.contains("declare the teacher as `Remote`"),
        "{said}"
    );
}
