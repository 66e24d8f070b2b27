//! Servers that are lost on the way: others take over, or the run stops with its state saved and goes on from it.

use std::fs;
use std::path::Path;
use std::process::Command;

use limbeck::run::{resume, train};
use limbeck::world::remote::Speaks;
use limbeck::{Entry, Recipe};

use crate::stub::{asset, Fault, Stub, Wrong};
use crate::{must_be_alike, servers, Bench, There};

/// A server that answers this often and then no more.
fn until(bench: &Bench, from: usize) -> Stub {
    let wrong = Some(Wrong { fault: Fault::Dropped, from, to: usize::MAX });
    Stub::open(Speaks::Vllm, &bench.path("math"), "math", wrong)
}

/// The bytes of everything that a checkpoint restores, but for the fingerprints.
fn checkpoint(out: &Path, step: u32) -> Vec<Vec<u8>> {
    let folder = out.join(format!("checkpoints/step-{step:06}"));
    let state: serde_json::Value =
        serde_json::from_slice(&fs::read(folder.join("state.json")).unwrap()).unwrap();
    let files = ["student/model.safetensors", "optimizer.safetensors"]
        .map(|name| fs::read(folder.join(name)).unwrap());
    files.into_iter().chain([state["data"].to_string().into(), state["step"].to_string().into()]).collect()
}

#[test]
fn of_two_servers_one_may_be_lost() {
    let bench = Bench::new();
    let good = bench.trained::<There>(&servers(Speaks::Vllm, &[bench.stub(Speaks::Vllm).url()], ""));
    let (well, dying) = (bench.stub(Speaks::Vllm), until(&bench, 5));
    fs::remove_dir_all(bench.path("There")).unwrap();
    let both = servers(Speaks::Vllm, &[dying.url(), well.url()], "in_flight: 1");
    must_be_alike(&good, &bench.trained::<There>(&both));
    assert!(dying.scored() > 5, "the one that is lost was asked");
}

#[test]
fn a_run_that_lost_its_teacher_goes_on_from_the_step_it_was_in() {
    let bench = Bench::new();
    let entry = Entry::of::<There>();
    let whole = bench.stub(Speaks::Vllm);
    let good = bench.trained::<There>(&servers(Speaks::Vllm, &[whole.url()], ""));
    fs::rename(bench.path("There"), bench.path("whole")).unwrap();

    // four requests before the run, four a step: it is lost in the third
    let dying = until(&bench, 14);
    let options = bench.run(There::NAME, &servers(Speaks::Vllm, &[dying.url()], "retries: 1"));
    let why = train(&entry, &options).err().expect("nobody answers");
    let said = why.to_string();
    assert_eq!(why.exit_code(), 1, "{said}");
    for words in [
        "servers.teacher: the teacher `teacher` is lost: http://127.0.0.1",
        "the connection was dropped (asked 2 times)",
        "the state after step 2 is saved",
        "limbeck resume ",
    ] {
        assert!(said.contains(words), "no {words:?} in {said}");
    }
    let out = bench.path("There");
    assert_eq!(bench.numbers("There").len(), 2, "no step is learnt from what nobody said");

    // … not under another teacher, whatever it is called
    let run = fs::read_to_string(out.join("run.ron")).unwrap();
    let moved = |url: &str| fs::write(out.join("run.ron"), run.replace(&dying.url(), url)).unwrap();
    asset(&bench.path("code"), "code");
    let other = Stub::open(Speaks::Vllm, &bench.path("code"), "math", None);
    moved(&other.url());
    let why = resume(&entry, &out, true).err().expect("another teacher").to_string();
    assert!(why.contains("other weights under the name `math`"), "{why}");
    let named = Stub::open(Speaks::Vllm, &bench.path("math"), "other", None);
    moved(&named.url());
    let why = resume(&entry, &out, true).err().expect("another teacher").to_string();
    assert!(why.contains("the teacher behind a server is not the one this run was started under"), "{why}");

    // back, at another address
    let back = bench.stub(Speaks::Vllm);
    moved(&back.url());
    resume(&entry, &out, true).unwrap_or_else(|why| panic!("{why}"));
    assert_eq!(checkpoint(&bench.path("whole"), 3), checkpoint(&out, 3));
    assert_eq!(good, bench.numbers("There"));

    // a run that has made its steps needs nobody
    drop(back);
    assert!(resume(&entry, &out, true).unwrap().finished_before);
}

#[test]
fn lost_in_the_first_step_there_is_nothing_to_save() {
    let bench = Bench::new();
    let dying = until(&bench, 5);
    let options = bench.run(There::NAME, &servers(Speaks::Vllm, &[dying.url()], "retries: 0"));
    let said = train(&Entry::of::<There>(), &options).err().expect("nobody answers").to_string();
    assert!(said.contains("no step was finished") && said.contains("begins anew"), "{said}");
    assert_eq!(fs::read_dir(bench.path("There/checkpoints")).unwrap().count(), 0);
}

/// The key comes from the environment, goes into the header, and is written nowhere.
#[test]
fn a_key_is_sent_and_never_written() {
    let bench = Bench::new();
    let stub = bench.stub(Speaks::Vllm);
    let (name, key) = ("LIMBECK_TEST_KEY", "sk-nobody-knows");
    let options = bench.run("There", &servers(Speaks::Vllm, &[stub.url()], &format!("key_from: {name:?}")));
    // another process, whose environment is its own
    let me = std::env::current_exe().unwrap();
    let child = Command::new(me)
        .args(["--exact", "lost::train_with_the_key_of_the_environment", "--nocapture", "--include-ignored"])
        .env(name, key)
        .env("LIMBECK_TEST_RUN", &options.file)
        .env("LIMBECK_TEST_OUT", bench.path("There"))
        .output()
        .unwrap();
    let said =
        format!("{}{}", String::from_utf8_lossy(&child.stdout), String::from_utf8_lossy(&child.stderr));
    assert!(child.status.success() && said.contains("1 passed"), "{said}");
    assert!(stub.heard().to_lowercase().contains(&format!("authorization: bearer {key}")));
    assert!(!said.contains(key));
    let mut files = vec![bench.path("There")];
    let mut looked_at = 0;
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            let bytes = fs::read(&path).unwrap();
            assert!(!bytes.windows(key.len()).any(|some| some == key.as_bytes()), "{}", path.display());
            looked_at += 1;
        }
    }
    assert!(looked_at > 8, "{looked_at}");
}

#[test]
#[ignore = "run by `a_key_is_sent_and_never_written`"]
fn train_with_the_key_of_the_environment() {
    let path = |name| std::env::var_os(name).map(std::path::PathBuf::from);
    let (Some(file), out) = (path("LIMBECK_TEST_RUN"), path("LIMBECK_TEST_OUT")) else { return };
    let options = limbeck::run::TrainOptions { file, out, quiet: true, ..Default::default() };
    train(&Entry::of::<There>(), &options).unwrap_or_else(|why| panic!("{why}"));
}
