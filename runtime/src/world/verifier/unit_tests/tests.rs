#![cfg(target_os = "linux")]

use std::net::TcpListener;
use std::path::PathBuf;

use super::*;

/// Tests in the language of the shell, which every machine has.
fn shell(seconds: f64, megabytes: u64) -> UnitTests {
    UnitTests::new(seconds, megabytes).unwrap().run_by(&["sh".into()], "main.sh").unwrap()
}

fn row(tests: &str) -> Row {
    let mut row = Row::new("write a program");
    row.columns.insert("tests".into(), tests.into());
    row
}

fn judge(tests: &UnitTests, row: &Row, response: &str) -> (bool, String) {
    let right = tests.judge(row, response, true).unwrap().unwrap();
    (right, tests.feedback(row, response, true).unwrap_or_default())
}

/// The same tests where this machine lets programs be confined; where it does not, that is said.
fn confined(tests: UnitTests) -> Option<UnitTests> {
    match tests.confinement() {
        Ok(confinement) => {
            assert!(confinement.apart && confinement.offline);
            Some(tests)
        }
        Err(why) => {
            assert!(why.contains("allow_network: true"), "{why}");
            None
        }
    }
}

/// How programs are confined: as well as this machine can, and as badly as any.
fn both(seconds: f64) -> Vec<UnitTests> {
    let badly = shell(seconds, 256).with_network();
    let landlock = 0;
    assert!(badly.confinement.set(Ok(Confinement { apart: false, offline: false, landlock })).is_ok());
    confined(shell(seconds, 256)).into_iter().chain([badly]).collect()
}

#[test]
fn a_response_is_right_when_its_tests_pass() {
    let row = row("[ \"$(double 4)\" = 8 ] || { echo 'double 4 is not 8'; exit 1; }\necho '{marker}'");
    for tests in both(20.0) {
        let right = "Of course:\n```sh\ndouble() { echo $(($1 * 2)); }\n```\nThat is all.";
        assert_eq!(judge(&tests, &row, right), (true, String::new()));
        let wrong = "```sh\ndouble() { echo $(($1 + 2)); }\n```";
        assert_eq!(judge(&tests, &row, wrong), (false, "double 4 is not 8".to_string()));
        let (right, said) = judge(&tests, &row, "```sh\ndouble( { echo\n```");
        assert!(!right && said.contains("main.sh"), "a syntax error: {said}");
        let (right, said) = judge(&tests, &row, "exit 0");
        assert!(!right && said.contains("before the tests did"), "{said}");
    }
    assert_eq!(shell(1.0, 64).judge(&Row::new("no tests"), "exit 0", true), Ok(None));
}

#[test]
fn python_is_run_where_there_is_one() {
    let tests = UnitTests::new(20.0, 1024).unwrap();
    let tests = if tests.confinement().is_ok() { tests } else { tests.with_network() };
    match tests.ready() {
        Err(why) => assert!(why.contains("python3"), "{why}"),
        Ok(_) => {
            let row = row("assert double(4) == 8, 'double(4) is not 8'");
            assert!(judge(&tests, &row, "```python\ndef double(x):\n    return 2 * x\n```").0);
            let (right, said) = judge(&tests, &row, "def double(x):\n    return x + 2");
            assert!(!right && said.ends_with("AssertionError: double(4) is not 8"), "{said}");
            assert!(judge(&tests, &row, "def double(x)\n    return 2 * x").1.contains("SyntaxError"));
            assert!(!judge(&tests, &row, "import os\nos._exit(0)").0);
            assert!(judge(&tests, &row, "x = [0] * 10**10").1.contains("MemoryError"));
        }
    }
}

#[test]
fn what_does_not_end_is_stopped() {
    for tests in both(0.5) {
        let (right, said) = judge(&tests, &row(":"), "while :; do :; done");
        assert!(!right && said.contains("stopped after 0.5 s"), "{said}");
        let (right, said) = judge(&tests, &row(":"), "trap '' TERM HUP INT; while :; do sleep 1; done");
        assert!(!right && said.contains("stopped after 0.5 s"), "{said}");
    }
}

#[test]
fn memory_files_and_output_are_bounded() {
    for tests in both(60.0) {
        let (right, _) = judge(&tests, &row("exit 0"), "x=aaaaaaaa; while :; do x=$x$x$x$x; done");
        assert!(!right, "more memory than there is");
        let (right, _) = judge(&tests, &row(":"), "set -e; head -c 40000000 /dev/zero > large");
        assert!(!right, "a file of 40 MB");
        let (right, said) = judge(&tests, &row("exit 1"), "yes | head -n 3000000; echo the end");
        assert!(!right && said.len() <= TAIL && said.ends_with("the end"), "{}", said.len());
    }
}

#[test]
fn the_environment_and_the_input_are_empty() {
    for tests in both(20.0) {
        let (_, said) = judge(&tests, &row("exit 1"), "env | cut -d= -f1 | sort; cat; echo end");
        let names: Vec<&str> =
            said.lines().filter(|name| !["PATH", "PWD", "SHLVL", "_", "OLDPWD"].contains(name)).collect();
        assert_eq!(names, ["end"]);
    }
}

/// Processes of this machine in whose command line `word` stands.
fn processes_with(word: &str) -> usize {
    let all = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = all.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    lines.filter(|line| String::from_utf8_lossy(line).contains(word)).count()
}

#[test]
fn children_end_with_the_tests() {
    for (i, tests) in both(20.0).iter().enumerate() {
        // as long a sleep as nobody else asks for
        let word = format!("{}", 70_000_000 + std::process::id() + u32::try_from(i).unwrap());
        let code = format!("(setsid sleep {word} >/dev/null 2>&1 &)\nsleep {word} &\ntrue");
        assert_eq!(judge(tests, &row(":"), &code), (true, String::new()));
        assert_eq!(processes_with(&word), 0, "a child outlived its tests");
    }
}

/// What the test below runs and kills: tests that wait for long.
#[test]
#[ignore = "run by nothing_outlives_limbeck, in a process of its own"]
fn waits() {
    let word = std::env::var("WORD").unwrap();
    let _ = shell(3000.0, 256).with_network().judge(&row(":"), &format!("sleep {word} & sleep {word}"), true);
}

#[test]
fn nothing_outlives_limbeck() {
    let word = format!("{}", 90_000_000 + std::process::id());
    let name = std::thread::current().name().unwrap().replace("nothing_outlives_limbeck", "waits");
    let mut limbeck = std::process::Command::new(std::env::current_exe().unwrap());
    let mut limbeck = limbeck.args(["--ignored", "--exact", &name]).env("WORD", &word).spawn().unwrap();
    let until = |wanted: &dyn Fn(usize) -> bool| {
        let looks = (0..10_000).find(|_| {
            std::thread::sleep(Duration::from_millis(5));
            wanted(processes_with(&word))
        });
        assert!(looks.is_some(), "{} processes", processes_with(&word));
    };
    until(&|running| running >= 2);
    limbeck.kill().unwrap();
    limbeck.wait().unwrap();
    until(&|running| running == 0);
    // nobody was left to remove its folder
    let name = format!("limbeck-tests-{}-", limbeck.id());
    let left = std::fs::read_dir(std::env::temp_dir()).unwrap().flatten();
    for folder in left.filter(|entry| entry.file_name().to_string_lossy().starts_with(&name)) {
        std::fs::remove_dir_all(folder.path()).unwrap();
    }
}

#[test]
fn processes_are_bounded_and_none_is_left() {
    if let Some(best) = confined(shell(20.0, 256)) {
        let word = format!("{}", 80_000_000 + std::process::id());
        let code = format!("i=0; while [ $i -lt 300 ]; do sleep {word} & i=$((i+1)); done; wait");
        let (right, said) = judge(&best, &row(":"), &code);
        assert!(!right && said.to_lowercase().contains("fork"), "{said}");
        assert_eq!(processes_with(&word), 0);
    }
}

#[test]
fn writing_stays_in_the_folder() {
    let outside = std::env::temp_dir().join(format!("limbeck-outside-{}", std::process::id()));
    let open = |path: &std::path::Path| {
        use std::os::unix::fs::PermissionsExt;
        std::fs::create_dir(path).unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o777)).unwrap();
    };
    open(&outside);
    let best = confined(shell(20.0, 256));
    if let Some(best) = best.filter(|best| best.confinement().is_ok_and(|found| found.landlock > 0)) {
        let code = format!("echo x > here && cat here && ! echo x > {}/there", outside.display());
        assert_eq!(judge(&best, &row("exit $?"), &code), (true, String::new()));
        assert!(!outside.join("there").exists());
    }
    std::fs::remove_dir_all(outside).unwrap();
    let left = std::fs::read_dir(std::env::temp_dir()).unwrap().flatten();
    let mine = format!("limbeck-tests-{}-", std::process::id());
    let folder = Folder::new().unwrap();
    let path: PathBuf = folder.path().into();
    assert!(path.file_name().unwrap().to_string_lossy().starts_with(&mine) && left.count() > 0);
    drop(folder);
    assert!(!path.exists());
}

/// What the test below runs in the sandbox: it connects to the port that the file `port` names.
#[test]
#[ignore = "run by the_network_is_not_there, in a process of its own"]
fn connects() {
    let port: u16 = std::fs::read_to_string("port").unwrap().trim().parse().unwrap();
    std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
}

#[test]
fn the_network_is_not_there() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    // somewhere that every user can read
    let program = Folder::new().unwrap();
    let copy = program.path().join("connects");
    std::fs::copy(std::env::current_exe().unwrap(), &copy).unwrap();
    let name = std::thread::current().name().unwrap().replace("the_network_is_not_there", "connects");
    let command = format!("exec {} --ignored --exact {name}", copy.display());
    let code = format!("echo {port} > port\n{command}");
    let open = shell(60.0, 4096).with_network();
    let (right, said) = judge(&open, &row(":"), &code);
    assert!(right, "with the network it connects: {said}");
    let closed = shell(60.0, 4096);
    match closed.ready() {
        Ok(said) => {
            assert!(said.unwrap().contains("no network"));
            let (right, said) = judge(&closed, &row(":"), &code);
            assert!(!right && said.contains("connects"), "{said}");
        }
        Err(why) => assert!(why.contains("allow_network: true"), "{why}"),
    }
}

#[test]
fn settings_that_cannot_be_are_refused() {
    for (seconds, megabytes) in [(0.0, 512), (f64::NAN, 512), (1e9, 512), (5.0, 1)] {
        assert!(UnitTests::new(seconds, megabytes).is_err(), "{seconds} {megabytes}");
    }
    let tests = || UnitTests::new(5.0, 512).unwrap();
    assert!(tests().run_by(&[], "main.py").is_err());
    assert!(tests().run_by(&["sh".into()], "../main.sh").is_err());
    let none = tests().with_network().run_by(&["no-such-program".into()], "main.x").unwrap();
    assert!(none.ready().unwrap_err().contains("no-such-program"));
    assert!(none.judge(&row("x"), "y", true).is_err(), "a verifier that fails calls nothing wrong");
    assert!(none.fits(&Row::new("?")).unwrap_err().contains("`tests`"));
}
