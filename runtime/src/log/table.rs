//! The table at the end: who is how good at what, and how sure that is.

use std::fmt;

use serde_json::{json, Map, Value};

use super::accuracy::{Accuracy, Change, Estimate};

/// Policies by domains.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    domains: Vec<String>,
    rows: Vec<Row>,
}

#[derive(Clone, Debug, PartialEq)]
struct Row {
    policy: String,
    cells: Vec<Accuracy>,
    against: Option<String>,
}

impl Table {
    /// A table without rows; the columns are these domains, and their mean if there are several.
    pub fn new(domains: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { domains: domains.into_iter().map(Into::into).collect(), rows: Vec::new() }
    }

    /// One policy, its accuracy per domain in the order of the columns; what is missing is not judged.
    pub fn row(&mut self, policy: impl Into<String>, accuracies: &[Accuracy]) {
        self.push(policy.into(), accuracies, None);
    }

    /// One policy that is compared with one above it: `student after` with `student before`.
    pub fn row_against(
        &mut self,
        policy: impl Into<String>,
        accuracies: &[Accuracy],
        against: impl Into<String>,
    ) {
        self.push(policy.into(), accuracies, Some(against.into()));
    }

    fn push(&mut self, policy: String, accuracies: &[Accuracy], against: Option<String>) {
        let mut cells = accuracies.to_vec();
        cells.resize(self.domains.len(), Accuracy::default());
        self.rows.push(Row { policy, cells, against });
    }

    /// The names of the columns: the domains, then `mean` if there are several.
    pub fn columns(&self) -> Vec<&str> {
        let mean = (self.domains.len() > 1).then_some("mean");
        self.domains.iter().map(String::as_str).chain(mean).collect()
    }

    /// Whether a column is the mean over the domains.
    pub fn is_mean(&self, column: usize) -> bool {
        column >= self.domains.len()
    }

    /// The names of the rows.
    pub fn policies(&self) -> Vec<&str> {
        self.rows.iter().map(|row| row.policy.as_str()).collect()
    }

    /// What the table says in a place: the estimate, how it changed, and how many answers it is from.
    pub fn cell(&self, row: usize, column: usize) -> Option<(Estimate, Change, usize)> {
        let row = self.rows.get(row)?;
        let (estimate, n) = row.estimate(column)?;
        let base = row
            .against
            .as_ref()
            .and_then(|name| self.rows.iter().find(|other| &other.policy == name))
            .and_then(|base| base.estimate(column));
        let change = base.map_or(Change::Unclear, |(base, _)| estimate.change_from(&base));
        Some((estimate, change, n))
    }

    /// The policy that another is compared with.
    pub fn against(&self, row: usize) -> Option<&str> {
        self.rows.get(row)?.against.as_deref()
    }

    /// The table for scripts.
    pub fn to_json(&self) -> Value {
        let row = |(index, row): (usize, &Row)| {
            let cell = |column: usize| match self.cell(index, column) {
                None if row.unjudged(column) == 0 => Value::Null,
                None => json!({ "accuracy": null, "n": 0, "unjudged": row.unjudged(column) }),
                Some((estimate, change, n)) => json!({
                    "accuracy": estimate.rate,
                    "interval95": [estimate.low, estimate.high],
                    "n": n,
                    "unjudged": row.unjudged(column),
                    "improved": change == Change::Up,
                    "worsened": change == Change::Down,
                }),
            };
            let columns = self.columns().into_iter().enumerate();
            let cells: Map<_, _> = columns.map(|(i, name)| (name.to_owned(), cell(i))).collect();
            json!({ "policy": row.policy, "against": row.against, "cells": cells })
        };
        json!({
            "columns": self.columns(),
            "rows": self.rows.iter().enumerate().map(row).collect::<Vec<_>>(),
        })
    }
}

impl Row {
    /// Column by column; the one after the last domain is the mean, which needs all of them.
    fn estimate(&self, column: usize) -> Option<(Estimate, usize)> {
        if let Some(cell) = self.cells.get(column) {
            return Some((cell.estimate()?, cell.n()));
        }
        let all: Option<Vec<_>> = self.cells.iter().map(Accuracy::estimate).collect();
        let n = self.cells.iter().map(Accuracy::n).sum();
        Some((Estimate::mean(&all?)?, n))
    }

    fn unjudged(&self, column: usize) -> usize {
        match self.cells.get(column) {
            Some(cell) => cell.unjudged,
            None => self.cells.iter().map(|cell| cell.unjudged).sum(),
        }
    }
}

/// Aligned plain text, one line a policy, and a line that explains the numbers.
impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        super::table_text::write(self, f)
    }
}
