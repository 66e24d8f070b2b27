//! What a sweep found: a row a recipe and choice of settings.

use std::collections::BTreeSet;
use std::fmt::{self, Display, Formatter};

use serde::Serialize;
use serde_json::{json, Value};

use super::plan::Case;
use super::results::Row;
use super::stats::Mean;

/// The table of a sweep.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// The domains; `overall` is their mean, each counting the same.
    pub domains: Vec<String>,
    /// Accuracy before training, over the seeds of the first row.
    pub before: Vec<Option<Mean>>,
    /// The rows; the first is what the others are compared with.
    pub rows: Vec<Line>,
    /// What failed.
    pub failed: Vec<Failed>,
}

/// A recipe under one choice of settings.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// What people call it.
    pub label: String,
    /// The recipe.
    pub recipe: String,
    /// The settings.
    pub set: Vec<String>,
    /// The seeds whose runs are whole.
    pub seeds: Vec<u64>,
    /// Accuracy after training by domain, then overall.
    pub accuracy: Vec<Option<Mean>>,
    /// How much more than the first row's, on the seeds that both have; of the first row none.
    pub difference: Vec<Option<Mean>>,
    /// Seconds a run.
    pub seconds: Option<Mean>,
}

/// A run that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failed {
    /// What people call it.
    pub label: String,
    /// What was wrong.
    pub error: String,
    /// Where it says more.
    pub log: String,
}

impl Table {
    /// The table of these rows, which are whole.
    pub fn of(cases: &[Case], rows: &[Row], failed: Vec<Failed>) -> Self {
        let domains: BTreeSet<&String> = rows.iter().flat_map(|row| row.after.keys()).collect();
        let domains: Vec<String> = domains.into_iter().cloned().collect();
        let of = |case: &Case| -> Vec<&Row> {
            let here = |row: &&Row| row.recipe == case.recipe && row.set == case.set;
            let mut mine: Vec<&Row> = rows.iter().filter(here).collect();
            mine.sort_by_key(|row| row.seed);
            mine
        };
        let base = cases.first().map(of).unwrap_or_default();
        let columns = 0..=domains.len();
        let mean = |rows: &[&Row], share: &dyn Fn(&Row) -> Option<f64>| {
            Mean::of(&rows.iter().filter_map(|row| share(row)).collect::<Vec<f64>>())
        };
        let line = |(at, case): (usize, &Case)| {
            let mine = of(case);
            let less_base = |row: &Row, column: usize| {
                let same = base.iter().find(|other| other.seed == row.seed)?;
                Some(after(row, &domains, column)? - after(same, &domains, column)?)
            };
            let difference = |column| if at == 0 { None } else { mean(&mine, &|row| less_base(row, column)) };
            Line {
                label: case.label.clone(),
                recipe: case.recipe.clone(),
                set: case.set.clone(),
                seeds: mine.iter().map(|row| row.seed).collect(),
                accuracy: columns
                    .clone()
                    .map(|column| mean(&mine, &|row| after(row, &domains, column)))
                    .collect(),
                difference: columns.clone().map(difference).collect(),
                seconds: mean(&mine, &|row| Some(row.seconds)),
            }
        };
        let before = columns.clone().map(|column| mean(&base, &|row| share(&row.before, &domains, column)));
        Self { before: before.collect(), rows: cases.iter().enumerate().map(line).collect(), failed, domains }
    }

    /// The table for scripts.
    pub fn to_json(&self) -> Value {
        let named = |means: &[Option<Mean>]| {
            let names = self.domains.iter().map(String::as_str).chain(["overall"]);
            Value::Object(names.zip(means).map(|(name, mean)| (name.to_string(), json!(mean))).collect())
        };
        let row = |row: &Line| {
            json!({
                "label": row.label, "recipe": row.recipe, "set": row.set, "seeds": row.seeds,
                "accuracy": named(&row.accuracy), "difference": named(&row.difference), "seconds": row.seconds,
            })
        };
        json!({
            "domains": self.domains,
            "before": named(&self.before),
            "rows": self.rows.iter().map(row).collect::<Vec<_>>(),
            "failed": self.failed,
        })
    }

    /// The columns that are shown: of one domain it is the domain alone.
    fn shown(&self) -> Vec<(usize, &str)> {
        let domains = self.domains.iter().enumerate().map(|(column, name)| (column, name.as_str()));
        domains.chain((self.domains.len() > 1).then_some((self.domains.len(), "overall"))).collect()
    }
}

fn after(row: &Row, domains: &[String], column: usize) -> Option<f64> {
    share(&row.after, domains, column)
}

/// Accuracy in a domain; beyond the last, the mean over all of them.
fn share(of: &std::collections::BTreeMap<String, f64>, domains: &[String], column: usize) -> Option<f64> {
    match domains.get(column) {
        Some(domain) => of.get(domain).copied(),
        None => {
            let all: Option<Vec<f64>> = domains.iter().map(|domain| of.get(domain).copied()).collect();
            Mean::of(&all?).map(|mean| mean.mean)
        }
    }
}

impl Display for Table {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let columns = self.shown();
        let last = columns.last().map_or(0, |(column, _)| *column);
        let mut lines: Vec<Vec<String>> = Vec::new();
        let mut head = vec![String::new(), "n".to_string()];
        head.extend(columns.iter().map(|(_, name)| (*name).to_string()));
        head.extend(["difference".to_string(), "s a run".to_string()]);
        lines.push(head);
        let shares = |means: &[Option<Mean>]| {
            columns.iter().map(|(at, _)| percent(means[*at], false)).collect::<Vec<_>>()
        };
        if self.before.iter().any(Option::is_some) {
            let n = self.rows.first().map_or(0, |row| row.seeds.len()).to_string();
            lines
                .push([vec!["before".to_string(), n], shares(&self.before), vec![String::new(); 2]].concat());
        }
        for row in &self.rows {
            let seconds = row.seconds.map_or("–".to_string(), |mean| format!("{:.1}", mean.mean));
            let ends = vec![difference(row.difference[last]), seconds];
            let starts = vec![row.label.clone(), row.seeds.len().to_string()];
            lines.push([starts, shares(&row.accuracy), ends].concat());
        }
        write_aligned(f, &lines)?;
        writeln!(f, "Accuracy in % on held-out prompts after training: mean over n seeds ± half of its 95 % t-interval.")?;
        if let (Some(base), true) = (self.rows.first(), self.rows.len() > 1) {
            let what = columns.last().map_or("", |(_, name)| *name);
            writeln!(
                f,
                "difference: {what}, less {} on the same seeds; ↑ ↓ where the interval leaves out 0.",
                base.label
            )?;
        }
        for failed in &self.failed {
            let first = failed.error.split(" · ").next().unwrap_or_default();
            writeln!(f, "failed: {}: {first} (more in {})", failed.label, failed.log)?;
        }
        Ok(())
    }
}

fn write_aligned(f: &mut Formatter<'_>, lines: &[Vec<String>]) -> fmt::Result {
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let columns = lines.first().map_or(0, Vec::len);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for line in lines {
        let cells = line.iter().zip(&widths).enumerate().map(|(at, (cell, width))| {
            // numbers of one width stand one under the other
            if at == 1 || at + 1 == columns {
                format!("{cell:>width$}")
            } else {
                format!("{cell:width$}")
            }
        });
        writeln!(f, "{}", cells.collect::<Vec<_>>().join("   ").trim_end())?;
    }
    Ok(())
}

/// `74.6 ± 1.1`, in per cent.
fn percent(mean: Option<Mean>, signed: bool) -> String {
    let Some(Mean { mean, half95, .. }) = mean else { return "–".to_string() };
    // less than what is shown is 0 from above
    let shown = if (100.0 * mean).abs() < 0.05 { 0.0 } else { 100.0 * mean };
    let number = if signed { format!("{shown:+5.1}") } else { format!("{shown:4.1}") };
    match half95 {
        Some(half) => format!("{number} ± {:.1}", 100.0 * half),
        None => number,
    }
}

fn difference(mean: Option<Mean>) -> String {
    let sign = match mean.and_then(|mean| mean.clear_of_zero()) {
        Some(side) if side > 0.0 => " ↑",
        Some(_) => " ↓",
        None => "",
    };
    format!("{}{sign}", percent(mean, true))
}

#[cfg(test)]
mod tests {
    use super::super::results::Status;
    use super::*;

    fn case(recipe: &str) -> Case {
        Case { recipe: recipe.to_string(), set: Vec::new(), label: recipe.to_string() }
    }

    fn row(recipe: &str, seed: u64, code: f64, math: f64) -> Row {
        let shares = |code, math| [("code".to_string(), code), ("math".to_string(), math)].into();
        Row {
            member: format!("{recipe}-seed{seed}"),
            recipe: recipe.to_string(),
            set: Vec::new(),
            seed,
            status: Status::Done,
            steps: 9,
            seconds: 10.0 * seed as f64,
            before: shares(0.1, 0.2),
            after: shares(code, math),
            hashes: std::collections::BTreeMap::new(),
            error: None,
        }
    }

    /// By hand: A's overall is 50, 52, 54, so 52 ± 4.302653 · 2 / √3 = 4.968; B's less A's on seeds 1 and 3 are
    /// 7 and 9, so 8 ± 12.706205 · √2 / √2 = 12.706.
    #[test]
    fn means_and_paired_differences_are_as_by_hand() {
        let rows = [
            row("A", 1, 0.4, 0.6),
            row("A", 2, 0.42, 0.62),
            row("A", 3, 0.44, 0.64),
            row("B", 3, 0.53, 0.73),
            row("B", 1, 0.47, 0.67),
        ];
        let failed =
            Failed { label: "B, seed 2".into(), error: "no · why".into(), log: "runs/B-seed2.log".into() };
        let table = Table::of(&[case("A"), case("B"), case("C")], &rows, vec![failed]);
        let is = |mean: Option<Mean>, by_hand: (usize, f64, f64)| {
            let mean = mean.unwrap();
            assert_eq!(mean.n, by_hand.0);
            assert!((mean.mean - by_hand.1).abs() < 1e-12, "{mean:?}");
            assert!((mean.half95.unwrap() - by_hand.2).abs() < 1e-6, "{mean:?}");
        };
        is(table.rows[0].accuracy[2], (3, 0.52, 4.302653 * 0.02 / 3f64.sqrt()));
        is(table.rows[1].accuracy[0], (2, 0.5, 12.706205 * 0.03));
        is(table.rows[1].difference[2], (2, 0.08, 12.706205 * 0.01));
        assert_eq!((table.rows[1].seeds.as_slice(), table.rows[2].seeds.len()), (&[1, 3][..], 0));
        assert_eq!((table.rows[0].difference[2], table.rows[2].accuracy[2]), (None, None));
        let text = table.to_string();
        let lines: Vec<String> =
            text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(
            lines,
            [
                "n code math overall difference s a run",
                "before 3 10.0 ± 0.0 20.0 ± 0.0 15.0 ± 0.0",
                "A 3 42.0 ± 5.0 62.0 ± 5.0 52.0 ± 5.0 – 20.0",
                "B 2 50.0 ± 38.1 70.0 ± 38.1 60.0 ± 38.1 +8.0 ± 12.7 20.0",
                "C 0 – – – – –",
                "Accuracy in % on held-out prompts after training: mean over n seeds ± half of its 95 % t-interval.",
                "difference: overall, less A on the same seeds; ↑ ↓ where the interval leaves out 0.",
                "failed: B, seed 2: no (more in runs/B-seed2.log)",
            ]
        );
        let starts = |line: &str, word: &str| line.split(word).next().map(|before| before.chars().count());
        let rows: Vec<&str> = text.lines().collect();
        assert_eq!(starts(rows[0], "overall"), starts(rows[3], "60.0"), "columns are aligned: {text}");
    }

    #[test]
    fn a_difference_clear_of_zero_has_its_sign() {
        let mean = |mean, half95| Some(Mean { n: 5, mean, half95 });
        assert_eq!(difference(mean(0.03, Some(0.01))), " +3.0 ± 1.0 ↑");
        assert_eq!(difference(mean(-0.03, Some(0.01))), " -3.0 ± 1.0 ↓");
        assert_eq!(difference(mean(-0.03, Some(0.04))), " -3.0 ± 4.0");
        // a difference that is only rounding is none
        assert_eq!(difference(mean(-1e-17, Some(0.0))), " +0.0 ± 0.0");
        assert_eq!((difference(mean(0.12, None)), difference(None)), ("+12.0".to_string(), "–".to_string()));
    }
}
