//! One measurement in a process of its own, so that its peak of memory is its own.

use std::process::{Command, Stdio};

use serde_json::Value;

use crate::error::{Error, Result};

/// What `limbeck bench` says under `args`, as JSON; `what` is measured, for messages.
///
/// # Errors
/// When the process cannot be started or says no numbers.
pub(super) fn apart(args: &[String], what: &str) -> Result<Value> {
    let failed = |why: String| Error::run(why).at(what);
    let here =
        std::env::current_exe().map_err(|why| failed(format!("this program does not find itself: {why}")))?;
    let mut command = Command::new(here);
    command.args(["bench", "--json"]).args(args).stderr(Stdio::inherit());
    let output = command.output().map_err(|why| failed(format!("its process cannot be started: {why}")))?;
    serde_json::from_slice(&output.stdout)
        .map_err(|_| failed(format!("its process ended with {} and no numbers", output.status)))
}
