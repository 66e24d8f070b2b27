//! RON layers: how a run file's mistakes are told, and how `--set` goes over it.

use ron::error::SpannedError;
use serde::de::DeserializeOwned;
use serde::Deserialize;

use super::file::RunFile;
use crate::error::{Error, Result};
use crate::suggest::nearest;

/// RON as run files use it: `Some` may be left out for optional fields of the run itself.
pub fn ron_options() -> ron::Options {
    ron::Options::default().with_default_extension(ron::extensions::Extensions::IMPLICIT_SOME)
}

/// A RON error in the user's terms, at `name:line:column`.
pub fn explain(why: &SpannedError, text: &str, name: &str) -> Error {
    let start = why.span.start;
    let place = format!("{name}:{}:{}", start.line, start.col);
    let around = enclosing(text, start.line, start.col);
    let error = match &why.code {
        ron::Error::NoSuchStructField { found, expected, outer } => {
            unknown(found, expected, outer.as_deref(), around.as_deref())
        }
        ron::Error::MissingStructField { field, .. } => {
            Error::call(format!("`{field}` is missing")).next(format!("add `{field}: …`"))
        }
        ron::Error::DuplicateStructField { field, .. } => {
            Error::call(format!("`{field}` is given twice")).next("remove one of the two")
        }
        ron::Error::NoSuchEnumVariant { found, expected, .. } => {
            let error = Error::call(format!("`{found}` is not a value for this setting"));
            match nearest(found, expected.iter().copied()) {
                Some(near) => {
                    error.next(format!("did you mean `{near}`? The values are: {}", expected.join(", ")))
                }
                None => error.next(format!("the values are: {}", expected.join(", "))),
            }
        }
        ron::Error::ExpectedDifferentStructName { expected, found, .. } => {
            Error::call(format!("`{found}` does not belong here")).next(format!("write `{expected}(…)`"))
        }
        other => Error::call(format!("cannot be understood: {other}")),
    };
    error.at(place)
}

fn unknown(found: &str, expected: &[&str], outer: Option<&str>, around: Option<&str>) -> Error {
    let what = match (outer, around) {
        (Some("Run"), _) => format!("a run file has no field `{found}`"),
        (_, None | Some("set")) => format!("the recipe has no stage `{found}`"),
        (_, Some(around)) => format!("`{around}` has no setting `{found}`"),
    };
    let error = Error::call(what);
    if expected.is_empty() {
        return error.next("it has no settings at all");
    }
    match nearest(found, expected.iter().copied()) {
        Some(near) => error.next(format!("did you mean `{near}`?")),
        None => error.next(format!("known here: {}", expected.join(", "))),
    }
}

/// The word before the innermost parenthesis that is open at `line:column`.
fn enclosing(text: &str, line: usize, column: usize) -> Option<String> {
    let mut before = String::new();
    for (i, row) in text.lines().enumerate() {
        if i + 1 == line {
            before.extend(row.chars().take(column.saturating_sub(1)));
            break;
        }
        before.push_str(row);
        before.push('\n');
    }
    let mut depth = 0;
    for (at, letter) in before.char_indices().rev() {
        match letter {
            ')' => depth += 1,
            '(' if depth > 0 => depth -= 1,
            '(' => {
                let head =
                    before[..at].trim_end().trim_end_matches(|c: char| c.is_alphanumeric() || c == '_');
                let head = head.trim_end().trim_end_matches(':').trim_end();
                let word: String =
                    head.chars().rev().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                let word: String = word.chars().rev().collect();
                return (!word.is_empty()).then_some(word);
            }
            _ => {}
        }
    }
    None
}

/// The fields of a run that `--set` may change beside the settings of stages.
#[derive(Default, Deserialize)]
#[serde(rename = "Run", deny_unknown_fields, default)]
struct RunOverlay {
    seed: Option<u64>,
    steps: Option<u64>,
    batch: Option<usize>,
    micro_batch: Option<usize>,
    save_every: Option<u64>,
    student: Option<std::path::PathBuf>,
    data: Option<std::path::PathBuf>,
    eval: Option<super::file::EvalFile>,
}

/// Puts `--set key=value` over a run file. Settings of stages come back as a patch.
///
/// # Errors
/// A key that does not exist, a value of the wrong type; with the user's own words.
pub fn set<P: DeserializeOwned + Default>(file: &mut RunFile<P>, word: &str) -> Result<Option<P>> {
    let place = format!("--set {word}");
    let (key, value) = word.split_once('=').ok_or_else(|| {
        Error::call("has no `=`")
            .at(&place)
            .next("write --set stage.field=VALUE, for example --set calibrate.delta=0.2")
    })?;
    let path: Vec<&str> = key.trim().split('.').collect();
    if path.iter().any(|part| part.is_empty() || !part.chars().all(|c| c.is_alphanumeric() || c == '_')) {
        return Err(Error::call(format!("`{key}` is not the name of a setting"))
            .at(&place)
            .next("write stage.field, for example calibrate.delta"));
    }
    match path[..] {
        [field] => {
            let text = format!("({field}:{value})");
            let over: RunOverlay =
                ron_options().from_str(&text).map_err(|why| explain(&why, &text, "").at(&place))?;
            file.seed = over.seed.unwrap_or(file.seed);
            file.steps = over.steps.unwrap_or(file.steps);
            file.batch = over.batch.unwrap_or(file.batch);
            file.micro_batch = over.micro_batch.unwrap_or(file.micro_batch);
            file.save_every = over.save_every.unwrap_or(file.save_every);
            file.student = over.student.unwrap_or_else(|| file.student.clone());
            if over.data.is_some() {
                (file.data, file.tasks) = (over.data, None);
            }
            file.eval = over.eval.or_else(|| file.eval.clone());
            Ok(None)
        }
        [stage, field] => {
            let text = format!("({stage}:({field}:{value}))");
            let patch = ron_options().from_str(&text).map_err(|why| explain(&why, &text, "").at(&place))?;
            Ok(Some(patch))
        }
        _ => Err(Error::call(format!("`{key}` goes too deep"))
            .at(&place)
            .next("write stage.field, for example calibrate.delta")),
    }
}

/// `--set` over a recipe alone: a setting of a stage, or nothing when a field of a run is meant.
///
/// # Errors
/// As [`set`].
pub fn set_in_replay<P: DeserializeOwned + Default>(word: &str) -> Result<Option<P>> {
    set(&mut RunFile::default(), word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_enclosing_word_is_the_stage() {
        let text = "Run(\n  set: (rollout: (temprature: 1.0)),\n)";
        assert_eq!(enclosing(text, 2, 19).as_deref(), Some("rollout"));
        assert_eq!(enclosing(text, 2, 9).as_deref(), Some("set"));
        assert_eq!(enclosing(text, 1, 1), None);
    }
}
