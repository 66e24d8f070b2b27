//! Fresh rows without end.

use super::draw::{belongs, row, stream, Use};
use super::{TaskDomain, TaskSpec};
use crate::error::Result;
use crate::world::rows::Row;

/// Rows without end, for supervised training: the same seed and the same index give the same row, so
/// the cursor is all that has to be saved.
///
/// Domains come in turn, levels and problems at random; a problem may come again.
#[derive(Clone, Debug)]
pub struct Fresh {
    spec: TaskSpec,
    domains: Vec<TaskDomain>,
    next: u64,
}

impl Fresh {
    /// The rows of `spec` from the first on (`per_level` does not matter here).
    pub fn new(spec: &TaskSpec) -> Result<Self> {
        Self::from_cursor(spec, 0)
    }

    /// The rows of `spec` from `cursor` on.
    pub fn from_cursor(spec: &TaskSpec, cursor: u64) -> Result<Self> {
        spec.check()?;
        Ok(Self { domains: spec.known_domains()?, spec: spec.clone(), next: cursor })
    }

    /// The index of the next row.
    pub fn cursor(&self) -> u64 {
        self.next
    }

    /// The row at `index`.
    pub fn row(&self, index: u64) -> Row {
        let spec = &self.spec;
        let domain = self.domains[(index % self.domains.len() as u64) as usize];
        let (low, high) = spec.levels;
        let level = low + stream(spec, Use::Shape, index, 0).below((high - low + 1) as usize) as u32;
        let mut attempt = 0;
        let problem = loop {
            let problem = domain.draw(&mut stream(spec, Use::Fresh, index, attempt), level);
            if belongs(spec, &problem) {
                break problem;
            }
            // one in ten at worst belongs, so this ends soon
            attempt = attempt.wrapping_add(1);
        };
        let (hint, slips) = (stream(spec, Use::Hint, index, 0), stream(spec, Use::Slips, index, 0));
        row(spec, domain, &problem, hint, slips)
    }
}

impl Iterator for Fresh {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        let row = self.row(self.next);
        self.next = self.next.wrapping_add(1);
        Some(row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_enough_to_go_on() {
        let spec = TaskSpec { hinted: 0.5, slips: 0.2, seed: 3, ..TaskSpec::default() };
        let mut fresh = Fresh::new(&spec).unwrap();
        let first: Vec<_> = fresh.by_ref().take(7).collect();
        let later = Fresh::from_cursor(&spec, fresh.cursor()).unwrap();
        assert_eq!(fresh.take(5).collect::<Vec<_>>(), later.clone().take(5).collect::<Vec<_>>());
        assert_eq!(first[4], later.row(4));
        assert_eq!(Fresh::from_cursor(&spec, u64::MAX).unwrap().take(2).count(), 2);
    }

    #[test]
    fn domains_come_in_turn_and_levels_in_equal_shares() {
        let domains = ["math", "math", "code"].map(str::to_owned).to_vec();
        let spec = TaskSpec { domains, levels: (1, 4), ..TaskSpec::default() };
        let rows: Vec<_> = Fresh::new(&spec).unwrap().take(1200).collect();
        assert_eq!(rows.iter().filter(|row| row.domain == "math").count(), 800);
        for level in 1..=4 {
            let share = rows.iter().filter(|row| row.level == Some(level)).count();
            assert!((220..380).contains(&share), "{share} of level {level}");
        }
    }
}
