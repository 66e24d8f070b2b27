//! A pool of different problems.

use std::collections::HashSet;

use super::draw::{belongs, row, stream, Use};
use super::{Fresh, TaskDomain, TaskSpec};
use crate::error::Result;
use crate::world::rows::Row;

/// How often a new problem is looked for before the pool is called impossible.
const ATTEMPTS: u32 = 20_000;

/// The rows of `spec`: for each domain and level, `per_level` rows with different problems; or, when
/// `draws` is given, so many fresh rows in which a problem may come again.
///
/// The rows of a domain and level depend on the seed and the split alone, whatever other domains and
/// levels are asked for, and a larger pool begins with the smaller one.
pub fn generate(spec: &TaskSpec) -> Result<Vec<Row>> {
    if spec.draws > 0 {
        spec.check_draws()?;
        return Ok(Fresh::new(spec)?.take(spec.draws).collect());
    }
    spec.check_pool()?;
    let mut rows = Vec::new();
    let mut made = HashSet::new();
    for domain in spec.known_domains()? {
        if made.insert(domain) {
            for level in spec.levels.0..=spec.levels.1 {
                cell(spec, domain, level, &mut rows)?;
            }
        }
    }
    Ok(rows)
}

fn cell(spec: &TaskSpec, domain: TaskDomain, level: u32, rows: &mut Vec<Row>) -> Result<()> {
    let number = match domain {
        TaskDomain::Math => 0,
        TaskDomain::Code => 1,
    };
    let cell = (number << 8 | u64::from(level)) << 32;
    let mut seen = HashSet::new();
    for slot in 0..spec.per_level as u64 {
        let place = cell | slot;
        let problem = (0..ATTEMPTS)
            .map(|attempt| domain.draw(&mut stream(spec, Use::Pool, place, attempt), level))
            .find(|problem| belongs(spec, problem) && !seen.contains(&problem.body))
            .ok_or_else(|| spec.too_few(domain, level, seen.len()))?;
        let (hint, slips) = (stream(spec, Use::PoolHint, place, 0), stream(spec, Use::PoolSlips, place, 0));
        rows.push(row(spec, domain, &problem, hint, slips));
        seen.insert(problem.body);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_larger_pool_begins_with_the_smaller_one_and_problems_differ() {
        let spec =
            TaskSpec { domains: vec!["math".into()], levels: (3, 3), per_level: 50, ..TaskSpec::default() };
        let small = generate(&spec).unwrap();
        let large = generate(&TaskSpec { per_level: 90, ..spec.clone() }).unwrap();
        assert_eq!(small[..], large[..50]);
        let both = TaskSpec { domains: vec!["code".into(), "math".into()], levels: (2, 3), ..spec };
        assert_eq!(generate(&both).unwrap()[150..], small[..]);
        let different: HashSet<_> = large.iter().map(|row| row.prompt.to_string()).collect();
        assert_eq!(different.len(), 90);
    }

    #[test]
    fn a_pool_that_cannot_be_is_an_error() {
        let spec = TaskSpec { levels: (1, 2), per_level: 100_000, ..TaskSpec::default() };
        let error = generate(&spec).unwrap_err().to_string();
        assert!(error.contains("math has only about 1944 different Train problems of level 1"), "{error}");
        for per_level in [0, usize::MAX] {
            assert!(generate(&TaskSpec { per_level, ..TaskSpec::default() }).is_err());
        }
        // nearly all there are
        let spec =
            TaskSpec { levels: (1, 1), per_level: 1800, domains: vec!["math".into()], ..TaskSpec::default() };
        assert_eq!(generate(&spec).unwrap().len(), 1800);
    }
}
