//! Whether a run's verifiers fit its rows and this machine: looked at before a run, and shown by `check`.

use std::collections::BTreeSet;

use super::prepare::Prepared;
use super::ready::TOLD;
use crate::error::Error;
use crate::suggest::nearest;
use crate::world::rows::Row;

/// Rows whose responses are judged.
pub(super) struct Asked<'a> {
    pub(super) rows: &'a [Row],
    /// What messages call them.
    pub(super) name: &'a str,
}

/// What `check` says of the verifiers that the run file chooses, and what does not fit.
pub(super) fn judges_fit(prepared: &Prepared, all: &[Asked]) -> (Vec<String>, Vec<Error>) {
    let (mut good, mut wrong) = (Vec::new(), Vec::new());
    let domains: BTreeSet<&str> =
        all.iter().flat_map(|asked| asked.rows).map(|row| row.domain.as_str()).collect();
    for (domain, verifier) in prepared.judges.chosen() {
        let place = format!("{}, `verifiers`, {domain:?}", prepared.name);
        // of rows that could not be read nothing is known
        if !all.is_empty() && !domains.contains(domain) {
            wrong.push(nobody_is(domain, &domains).at(&place));
        }
        match verifier.ready() {
            Ok(said) => {
                let said = said.map_or(String::new(), |said| format!(": {said}"));
                let named = if domain.is_empty() { "rows without a domain" } else { domain };
                good.push(format!("verifier of {named}: {}{said}", verifier.name()));
            }
            Err(why) => {
                let (what, next) = why.split_once('\n').unwrap_or((&why, "choose another verifier"));
                wrong.push(Error::call(what).at(&place).next(next));
            }
        }
    }
    for asked in all {
        wrong.extend(rows_fit(prepared, asked));
    }
    (good, wrong)
}

fn nobody_is(domain: &str, domains: &BTreeSet<&str>) -> Error {
    let error = match domain {
        "" => Error::call("every row has a domain, and none is judged by this"),
        _ => Error::call(format!("no row has the domain `{domain}`")),
    };
    if let Some(near) = nearest(domain, domains.iter().copied().filter(|known| !known.is_empty())) {
        return error.next(format!("did you mean `{near}`?"));
    }
    let named: Vec<String> = domains.iter().map(|domain| format!("{domain:?}")).collect();
    error.next(format!("the rows have: {}", named.join(", ")))
}

/// Rows whose verifier can judge nothing by them.
fn rows_fit(prepared: &Prepared, asked: &Asked) -> Vec<Error> {
    let chosen: Vec<&str> = prepared.judges.chosen().map(|(domain, _)| domain).collect();
    let rows = asked.rows.iter().enumerate().filter(|(_, row)| chosen.contains(&row.domain.as_str()));
    let unfit =
        rows.filter_map(|(index, row)| Some((index, prepared.judges.of(&row.domain).fits(row).err()?)));
    let mut wrong: Vec<Error> = Vec::new();
    let mut untold = 0;
    for (index, why) in unfit {
        if wrong.len() == TOLD {
            untold += 1;
            continue;
        }
        let next = "correct the row or drop it, or choose another verifier for its domain";
        wrong.push(Error::call(why).at(format!("{}, row {}", asked.name, index + 1)).next(next));
    }
    if untold > 0 {
        wrong.push(Error::call(format!("{untold} more rows cannot be judged")).at(asked.name));
    }
    wrong
}
