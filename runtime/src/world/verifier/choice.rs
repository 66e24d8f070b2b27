//! Verifiers as a run file writes them.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::own::offered;
use super::{Exact, Judges, Math, Pattern, UnitTests, Verifier};
use crate::error::{Error, Result};
use crate::suggest::nearest;

/// Who judges a domain, as a run file writes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Judge {
    /// [`Exact`]: the response is the answer.
    Exact,
    /// [`Math`]: its answer has the value of the row's.
    Math,
    /// [`Pattern`]: what a regular expression finds is the answer.
    Pattern(String),
    /// [`UnitTests`]: the row's tests pass.
    UnitTests {
        /// How long the tests may take, by the clock.
        #[serde(default = "seconds")]
        seconds: f64,
        /// How much memory a process of theirs may have, in MiB.
        #[serde(default = "megabytes")]
        megabytes: u64,
        /// The program that runs the file with response and tests.
        #[serde(default = "command")]
        command: Vec<String>,
        /// What that file is called.
        #[serde(default = "file")]
        file: String,
        /// Whether tests may use the network, where it cannot be taken from them or need not.
        #[serde(default)]
        allow_network: bool,
    },
    /// A verifier of the program's own, under the name it was [offered](super::offer) by.
    Own(String),
}

fn seconds() -> f64 {
    5.0
}

fn megabytes() -> u64 {
    512
}

fn command() -> Vec<String> {
    vec!["python3".into()]
}

fn file() -> String {
    "main.py".into()
}

impl Judge {
    /// The verifier itself.
    ///
    /// # Errors
    /// Settings that cannot be, a name that nobody offered.
    pub fn verifier(&self) -> Result<Arc<dyn Verifier>> {
        Ok(match self {
            Self::Exact => Arc::new(Exact),
            Self::Math => Arc::new(Math),
            Self::Pattern(text) => Arc::new(Pattern::new(text)?),
            Self::UnitTests { seconds, megabytes, command, file, allow_network } => {
                let tests = UnitTests::new(*seconds, *megabytes)?.run_by(command, file)?;
                Arc::new(if *allow_network { tests.with_network() } else { tests })
            }
            Self::Own(name) => return offered(name).map_err(|known| nobody_offers(name, &known)),
        })
    }
}

fn nobody_offers(name: &str, known: &[String]) -> Error {
    let error = Error::call(format!("this program offers no verifier `{name}`"));
    match nearest(name, known.iter().map(String::as_str)) {
        Some(near) => error.next(format!("did you mean `{near}`?")),
        None if known.is_empty() => error.next(
            "a program offers its own in its `main`: limbeck::world::verifier::offer(\"name\", Verifier)",
        ),
        None => error.next(format!("it offers: {}", known.join(", "))),
    }
}

/// The verifiers that a run file chooses, and what is wrong with the choices; `name` is what messages call the file.
pub(crate) fn chosen(choices: &BTreeMap<String, Judge>, name: &str) -> (Judges, Vec<Error>) {
    let (mut judges, mut wrong) = (Judges::default(), Vec::new());
    for (domain, choice) in choices {
        match choice.verifier() {
            Ok(verifier) => judges = judges.with(domain, verifier),
            Err(why) => wrong.push(why.or_at(format!("{name}, `verifiers`, {domain:?}"))),
        }
    }
    (judges, wrong)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patch::ron_options;
    use crate::world::rows::Row;

    fn read(text: &str) -> BTreeMap<String, Judge> {
        ron_options().from_str(text).unwrap()
    }

    #[test]
    fn choices_are_read_and_written() {
        let text = r#"{"a": Math, "b": Pattern("x(.)"), "c": UnitTests(seconds: 2), "": Exact}"#;
        let choices = read(text);
        let Judge::UnitTests { seconds, megabytes, allow_network, .. } = &choices["c"] else { panic!() };
        assert_eq!((*seconds, *megabytes, *allow_network), (2.0, 512, false));
        assert_eq!(read(&ron::to_string(&choices).unwrap()), choices);
        let (judges, wrong) = chosen(&choices, "run.ron");
        assert!(wrong.is_empty());
        assert_eq!(
            ["a", "b", "c", "", "d"].map(|d| judges.of(d).name().to_owned()),
            ["math", "pattern", "unit tests", "exact", "exact"]
        );
    }

    #[test]
    fn what_is_wrong_with_a_choice_is_said_at_its_place() {
        let told = |text: &str| {
            let wrong = chosen(&read(text), "run.ron").1;
            wrong.iter().map(ToString::to_string).collect::<String>()
        };
        assert!(told(r#"{"a": Pattern("(")}"#)
            .starts_with("run.ron, `verifiers`, \"a\": is no regular expression"));
        assert!(told(r#"{"a": UnitTests(seconds: 0)}"#).contains("seconds"));
        assert!(told(r#"{"a": UnitTests(command: [])}"#).contains("command"));
        assert!(told(r#"{"a": Own("ches")}"#).contains("no verifier `ches`"));
    }

    #[test]
    fn a_program_offers_its_own() {
        struct Even;
        impl Verifier for Even {
            fn name(&self) -> &str {
                "even"
            }
            fn judge(&self, _: &Row, response: &str, _: bool) -> Result<Option<bool>, String> {
                Ok(Some(response.len().is_multiple_of(2)))
            }
        }
        super::super::offer("even length", Even);
        let own = Judge::Own("even length".into()).verifier().unwrap();
        assert_eq!(own.judge(&Row::new("?"), "ab", true), Ok(Some(true)));
        let near = Judge::Own("even lenght".into()).verifier().err().unwrap().to_string();
        assert!(near.contains("did you mean `even length`?"), "{near}");
    }
}
