//! The response is a program, and the row's tests run it.

#[cfg(target_os = "linux")]
mod calls;
mod code;
mod folder;
#[cfg(target_os = "linux")]
mod landlock;
#[cfg(target_os = "linux")]
mod sandbox;
#[cfg(not(target_os = "linux"))]
#[path = "elsewhere.rs"]
mod sandbox;

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use super::Verifier;
use crate::error::{Error, Result};
use crate::plan::fingerprint;
use crate::world::rows::Row;
use folder::Folder;
use sandbox::{Confinement, Ended, How};

/// The column with the tests.
const COLUMN: &str = "tests";
/// What stands in tests for the line that says that they ran to their end.
const MARKER: &str = "{marker}";
/// How much of what the tests printed is feedback, in bytes.
const TAIL: usize = 1500;
/// Verdicts that are remembered, so that feedback is about the very run that was judged.
const REMEMBERED: usize = 1024;

/// Right when the row's tests pass.
///
/// The response's code is the last block between code fences, or all of it where there is none. It is written to a
/// file, the column `tests` after it, and the file is run by a program: `python3 main.py`. Right is what ends with
/// exit status 0 in time and, in Python, has come to the end of the tests: a line that is printed after them must be
/// there, so that a response that calls `exit(0)` first is wrong. In other languages the tests print `{marker}`
/// themselves, which stands for that line; without it the exit status alone counts. A response that sets out to
/// deceive can read the file it stands in. A row without tests is not judged.
///
/// # What a program is kept from, on Linux
///
/// | what | how | holds |
/// |---|---|---|
/// | time | wall clock for all of it, `RLIMIT_CPU` for each process | always |
/// | memory | `RLIMIT_AS` for each process | always; all processes together may have 64 times that |
/// | output, files | 32 KiB of output is kept; `RLIMIT_FSIZE` of 16 MiB a file; no core files | always |
/// | processes | 64 at once (`RLIMIT_NPROC`) | with namespaces |
/// | network | an own network namespace without any interface that is up | with namespaces, unless `allow_network` |
/// | children that stay | an own process namespace: all end with the tests, whatever group or session they chose | with namespaces; otherwise what is left is found through `PR_SET_CHILD_SUBREAPER` and killed |
/// | writing | Landlock: only in the folder of this run, which is removed, and `/dev/null` | where the kernel has Landlock |
/// | being root | it runs as user 65534 where Limbeck runs as root | always |
/// | the environment | empty but for `PATH`; standard input is empty | always |
/// | outliving Limbeck | `PR_SET_PDEATHSIG`: killed when Limbeck is | always; the run's folder may stay |
///
/// It may read whatever its user may read. Where namespaces are not permitted (some containers), the network cannot be
/// taken away: the verifier then refuses before the run, unless `allow_network: true` is written. On other systems
/// than Linux it refuses. It is a fence around programs that go wrong, and no wall against programs that attack the
/// kernel.
///
/// A slow machine can make a right response late: choose `seconds` well above what the tests take.
pub struct UnitTests {
    seconds: f64,
    megabytes: u64,
    command: Vec<String>,
    file: String,
    network: bool,
    /// How far this machine lets a program be confined.
    confinement: OnceLock<Result<Confinement, String>>,
    remembered: Mutex<HashMap<String, Verdict>>,
}

/// What the tests said of one response.
#[derive(Clone)]
struct Verdict {
    right: bool,
    said: String,
}

impl UnitTests {
    /// Tests in Python, with a time limit by the clock and a memory limit for each process.
    ///
    /// # Errors
    /// Limits under which nothing could run.
    pub fn new(seconds: f64, megabytes: u64) -> Result<Self> {
        if !(seconds > 0.0 && seconds <= 3600.0) {
            return Err(Error::call(format!("`seconds` is {seconds}"))
                .next("give tests from a fraction of a second to an hour, for example seconds: 5"));
        }
        if !(16..=1 << 20).contains(&megabytes) {
            return Err(Error::call(format!("`megabytes` is {megabytes}"))
                .next("give a process from 16 to 1048576 MiB, for example megabytes: 512"));
        }
        Ok(Self {
            seconds,
            megabytes,
            command: vec!["python3".into()],
            file: "main.py".into(),
            network: false,
            confinement: OnceLock::new(),
            remembered: Mutex::default(),
        })
    }

    /// The same, with another program to run the tests, and another name for the file that it gets as its last
    /// argument.
    ///
    /// # Errors
    /// No program, a file name that is a path.
    pub fn run_by(self, command: &[String], file: &str) -> Result<Self> {
        if command.first().is_none_or(String::is_empty) {
            return Err(Error::call("`command` names no program").next("for example command: [\"python3\"]"));
        }
        if file.is_empty() || file.starts_with('.') || file.contains(['/', '\0']) {
            return Err(
                Error::call(format!("`file` is {file:?}")).next("a name without folders: \"main.py\"")
            );
        }
        Ok(Self { command: command.to_vec(), file: file.into(), ..self })
    }

    /// The same, and tests may use the network.
    #[must_use]
    pub fn with_network(self) -> Self {
        Self { network: true, ..self }
    }

    fn in_python(&self) -> bool {
        self.file.ends_with(".py")
    }

    /// How a program is confined here.
    fn confinement(&self) -> Result<Confinement, String> {
        let found = self.confinement.get_or_init(|| Confinement::possible(self.network));
        found.clone()
    }

    fn run(&self, text: &str) -> Result<Ended, String> {
        let confinement = self.confinement()?;
        let failed = |why: std::io::Error| format!("the tests cannot be run: {why}");
        let folder = Folder::new().map_err(failed)?;
        folder.write(&self.file, text).map_err(failed)?;
        let limits =
            sandbox::Limits { time: Duration::from_secs_f64(self.seconds), memory: self.megabytes << 20 };
        sandbox::run(&self.command, &self.file, folder.path(), &limits, &confinement)
            .map_err(|why| format!("`{}` cannot be run: {why}", self.command.join(" ")))
    }

    /// The verdict on a response; none where the row has no tests.
    fn verdict(&self, row: &Row, response: &str) -> Result<Option<Verdict>, String> {
        let Some(tests) = row.columns.get(COLUMN).filter(|tests| !tests.trim().is_empty()) else {
            return Ok(None);
        };
        let code = code::of(response);
        // nobody can write a text with its own fingerprint in it
        let key = fingerprint(format!("{code}\0{tests}").as_bytes());
        let remembered = || self.remembered.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(known) = remembered().get(&key) {
            return Ok(Some(known.clone()));
        }
        let marker = format!("limbeck: the tests have ended {key}");
        let mut text = format!("{code}\n\n{}\n", tests.replace(MARKER, &marker));
        let marked = self.in_python() || tests.contains(MARKER);
        if self.in_python() && !tests.contains(MARKER) {
            text.push_str(&format!("\nprint(\"\\n{marker}\")\n"));
        }
        let ended = self.run(&text)?;
        let verdict = self.weigh(&ended, marked.then_some(&marker[..]));
        let mut all = remembered();
        if all.len() >= REMEMBERED {
            all.clear();
        }
        all.insert(key, verdict.clone());
        Ok(Some(verdict))
    }

    fn weigh(&self, ended: &Ended, marker: Option<&str>) -> Verdict {
        let output = String::from_utf8_lossy(&ended.output);
        let came_to_the_end = marker.is_none_or(|marker| output.lines().any(|line| line == marker));
        let right = ended.how == How::Exit(0) && came_to_the_end;
        let why = match ended.how {
            _ if right => String::new(),
            How::Exit(0) => "the program ended before the tests did".to_string(),
            How::Exit(_) => String::new(),
            How::Late => format!("stopped after {} s", self.seconds),
            How::Signal(signal) => format!("killed by signal {signal}"),
        };
        let said: Vec<&str> = output.lines().filter(|line| Some(*line) != marker).collect();
        let said = said.join("\n");
        let mut from = said.len().saturating_sub(TAIL);
        while !said.is_char_boundary(from) {
            from += 1;
        }
        let said = [said[from..].trim(), &why].into_iter().filter(|part| !part.is_empty());
        Verdict { right, said: said.collect::<Vec<_>>().join("\n") }
    }
}

impl Verifier for UnitTests {
    fn name(&self) -> &str {
        "unit tests"
    }

    fn judge(&self, row: &Row, response: &str, _finished: bool) -> Result<Option<bool>, String> {
        Ok(self.verdict(row, response)?.map(|verdict| verdict.right))
    }

    /// Of a wrong response: the end of what the program and its tests printed, and what stopped them.
    fn feedback(&self, row: &Row, response: &str, _finished: bool) -> Option<String> {
        let verdict = self.verdict(row, response).ok()??;
        (!verdict.right).then_some(verdict.said).filter(|said| !said.is_empty())
    }

    fn fits(&self, row: &Row) -> Result<(), String> {
        match row.columns.get(COLUMN) {
            Some(tests) if !tests.trim().is_empty() => Ok(()),
            _ => Err(format!("the row has no tests: its column `{COLUMN}` is missing or empty")),
        }
    }

    /// Runs an empty program as tests are run.
    fn ready(&self) -> Result<Option<String>, String> {
        let confinement = self.confinement()?;
        let by = "\nname a program that every user can start, by its path: command: [\"/usr/bin/python3\"]";
        let ended = self.run("").map_err(|why| format!("{why}{by}"))?;
        if self.in_python() && ended.how != How::Exit(0) {
            let said = String::from_utf8_lossy(&ended.output).trim().replace('\n', " ");
            return Err(format!("`{}` does not run an empty file: {said}{by}", self.command.join(" ")));
        }
        Ok(Some(format!(
            "{} s and {} MiB for `{} {}`; {}",
            self.seconds,
            self.megabytes,
            self.command.join(" "),
            self.file,
            confinement.describe()
        )))
    }
}

#[cfg(test)]
mod tests;
