//! What tasks to make, as a run file says it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::TaskDomain;
use crate::error::{Error, Result};

/// The highest level there is.
pub const MAX_LEVEL: u32 = 12;

/// The largest pool that is kept in memory.
const MAX_ROWS: usize = 4_000_000;

/// Training or test: no problem is ever in both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Split {
    /// Problems to train on.
    #[default]
    Train,
    /// Problems kept for tests: every tenth by the checksum of its body.
    HeldOut,
}

/// Which tasks to make.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TaskSpec {
    /// Which domains, `math` and `code`. [`super::Fresh`] takes them in turn, so naming one twice
    /// doubles its share; a pool has each once.
    pub domains: Vec<String>,
    /// The lowest and the highest level: the number of steps.
    pub levels: (u32, u32),
    /// How many problems the pool has for each domain and level.
    pub per_level: usize,
    /// So many rows drawn with replacement, instead of a pool of distinct problems; 0 makes the pool.
    pub draws: usize,
    /// The seed.
    pub seed: u64,
    /// Share of the rows whose prompt carries its hint in line.
    pub hinted: f64,
    /// Share of the rows whose prompt carries a worked answer in line, as another response would be.
    pub worked: f64,
    /// Probability that a digit of a result in the reference is replaced by a random digit.
    pub slips: f64,
    /// The same for single operations, by letter, instead of `slips`.
    pub slips_on: BTreeMap<String, f64>,
    /// Rows with a hint or a worked answer in line keep their true references.
    pub spare_hinted: bool,
    /// References have a steady mistake: `-` with an operand of 6 or more gives 10 too much, `w` swaps the
    /// last two. The steps after it go on from there.
    pub bent: bool,
    /// Rows with the hint in line have the last result alone as their reference: `=70`.
    pub skip_hinted: bool,
    /// Training or test.
    pub split: Split,
}

impl Default for TaskSpec {
    fn default() -> Self {
        Self {
            domains: TaskDomain::ALL.map(|domain| domain.name().to_owned()).into(),
            levels: (2, 4),
            per_level: 256,
            draws: 0,
            seed: 0,
            hinted: 0.0,
            worked: 0.0,
            slips: 0.0,
            slips_on: BTreeMap::new(),
            spare_hinted: false,
            bent: false,
            skip_hinted: false,
            split: Split::Train,
        }
    }
}

impl TaskSpec {
    /// Is everything in range? The error names the field.
    pub fn check(&self) -> Result<()> {
        self.known_domains()?;
        let (low, high) = self.levels;
        if low < 1 || low > high || high > MAX_LEVEL {
            let next = format!("write the lowest and the highest, between 1 and {MAX_LEVEL}: levels: (2, 4)");
            return Err(Error::call(format!("`levels` is ({low}, {high})")).next(next));
        }
        share("hinted", self.hinted)?;
        share("worked", self.worked)?;
        share("hinted + worked", self.hinted + self.worked)?;
        share("slips", self.slips)?;
        let known: String = TaskDomain::ALL.iter().map(|domain| domain.letters()).collect();
        for (letter, &slips) in &self.slips_on {
            if letter.chars().count() != 1 || !known.contains(letter.as_str()) {
                let next = format!("name one of the letters {known}");
                return Err(
                    Error::call(format!("`slips_on` names {letter:?}, which is no operation")).next(next)
                );
            }
            share(&format!("slips_on[{letter:?}]"), slips)?;
        }
        Ok(())
    }

    /// The domains by name, in the order given.
    pub(super) fn known_domains(&self) -> Result<Vec<TaskDomain>> {
        let named = |name: &String| {
            TaskDomain::named(name).ok_or_else(|| {
                Error::call(format!("`domains` names {name:?}, which no task generator makes"))
                    .next("name `math` or `code`, or give the run a data file")
            })
        };
        let domains = self.domains.iter().map(named).collect::<Result<Vec<_>>>()?;
        if domains.is_empty() {
            return Err(Error::call("`domains` is empty").next("name `math`, `code` or both"));
        }
        Ok(domains)
    }

    /// Can a pool be made? The error names the field.
    pub(super) fn check_pool(&self) -> Result<()> {
        self.check()?;
        let domains = self.known_domains()?;
        let cells = domains.len() * (self.levels.1 - self.levels.0 + 1) as usize;
        if self.per_level == 0 || self.per_level.saturating_mul(cells) > MAX_ROWS {
            let next = format!("a pool has from 1 row to {MAX_ROWS} in all; fresh rows have no limit");
            let what = format!("`per_level` is {}, for {cells} pairs of domain and level", self.per_level);
            return Err(Error::call(what).next(next));
        }
        let of_split = if self.split == Split::Train { 0.9 } else { 0.1 };
        for domain in domains {
            let there = domain.problems(self.levels.0) * of_split;
            if self.per_level as f64 > 0.95 * there {
                return Err(self.too_few(domain, self.levels.0, there as usize));
            }
        }
        Ok(())
    }

    /// Can so many rows be drawn? The error names the field.
    pub(super) fn check_draws(&self) -> Result<()> {
        if self.draws > MAX_ROWS {
            return Err(Error::call(format!("`draws` is {}", self.draws))
                .next(format!("draw at most {MAX_ROWS} rows")));
        }
        self.check()
    }

    /// There are not enough different problems for a pool.
    pub(super) fn too_few(&self, domain: TaskDomain, level: u32, there: usize) -> Error {
        let (name, split) = (domain.name(), self.split);
        let what = format!(
            "`per_level` is {}, but {name} has only about {there} different {split:?} problems of level {level}",
            self.per_level
        );
        Error::call(what).next("ask for fewer, or begin at a higher level")
    }

    /// The probability of a slip on an operation.
    pub(super) fn slip_of(&self, letter: char) -> f64 {
        let mut buffer = [0; 4];
        self.slips_on.get(&*letter.encode_utf8(&mut buffer)).copied().unwrap_or(self.slips)
    }
}

fn share(field: &str, value: f64) -> Result<()> {
    if (0.0..=1.0).contains(&value) {
        return Ok(());
    }
    Err(Error::call(format!("`{field}` is {value}")).next("write a number from 0.0 to 1.0"))
}
