//! Where the time went: stage by stage, over the run and in all.

use super::chart::{Chart, Look, Series};
use super::curves::values;
use super::html::{colour, escape, percent, GREY};
use crate::log::metrics::{Metrics, STEP_TIME};
use crate::log::progress::duration;

/// A stage and its seconds at each step.
struct Stage {
    name: String,
    seconds: Vec<(f64, f64)>,
}

/// Stages that take less than this share of a step are drawn together.
const SMALL: f64 = 0.02;

pub(super) fn render(steps: &[(u64, Metrics)]) -> String {
    let stages = stages(steps);
    let all: f64 = stages.iter().map(Stage::total).sum();
    if all <= 0.0 {
        return String::new();
    }
    let colours = colours(&stages, all);
    format!(
        "<div class=\"charts\">\n{}{}</div>\n",
        chart(&stages, &colours).render(),
        breakdown(&stages, &colours, all, steps.len())
    )
}

/// What was measured, in the order of the loop, and what remains of the whole step.
fn stages(steps: &[(u64, Metrics)]) -> Vec<Stage> {
    let mut stages: Vec<Stage> = Vec::new();
    for name in steps.iter().flat_map(|(_, metrics)| metrics.iter().map(|(name, _)| name)) {
        let Some(stage) = name.strip_suffix("_time").filter(|_| name != STEP_TIME) else {
            continue;
        };
        if !stages.iter().any(|known| known.name == stage) {
            let seconds = |(step, metrics): &(u64, Metrics)| (*step as f64, usable(metrics.get(name)));
            let seconds = steps.iter().map(seconds).collect();
            stages.push(Stage { name: stage.to_owned(), seconds });
        }
    }
    let whole = values(steps, STEP_TIME);
    if !whole.is_empty() {
        let rest = |(i, (step, metrics)): (usize, &(u64, Metrics))| {
            let known: f64 = stages.iter().map(|stage| stage.seconds[i].1).sum();
            (*step as f64, (usable(metrics.get(STEP_TIME)) - known).max(0.0))
        };
        let seconds = steps.iter().enumerate().map(rest).collect();
        stages.push(Stage { name: "the rest".to_owned(), seconds });
    }
    stages
}

fn usable(seconds: Option<f64>) -> f64 {
    seconds.filter(|s| (0.0..1e9).contains(s)).unwrap_or(0.0)
}

impl Stage {
    fn total(&self) -> f64 {
        self.seconds.iter().map(|(_, seconds)| seconds).sum()
    }
}

/// A colour for each stage: the large ones have their own, the small ones share one.
fn colours(stages: &[Stage], all: f64) -> Vec<usize> {
    let mut next = 0;
    let colour = |stage: &Stage| {
        let large = stage.total() >= SMALL * all && next < GREY;
        next += usize::from(large);
        if large {
            next - 1
        } else {
            GREY
        }
    };
    stages.iter().map(colour).collect()
}

fn chart(stages: &[Stage], colours: &[usize]) -> Chart {
    let mut series = Vec::new();
    let mut small: Option<Series> = None;
    for (stage, colour) in stages.iter().zip(colours) {
        let one = Series {
            name: stage.name.clone(),
            colour: *colour,
            points: stage.seconds.clone(),
            look: Look::Exact,
        };
        match &mut small {
            _ if *colour != GREY => series.push(one),
            None => small = Some(one),
            Some(small) => small.take_in(&one),
        }
    }
    series.extend(small);
    Chart {
        title: "Time of a step".to_owned(),
        y_label: "seconds, stages on top of each other".to_owned(),
        series,
        stacked: true,
    }
}

fn breakdown(stages: &[Stage], colours: &[usize], all: f64, steps: usize) -> String {
    let row = |(stage, index): (&Stage, &usize)| {
        let share = stage.total() / all;
        format!(
            "<tr><th><i class=\"bar {colour}\"></i>{name}</th>\
             <td class=\"grow\"><svg class=\"share\" viewBox=\"0 0 100 10\" preserveAspectRatio=\"none\">\
             <rect class=\"fill {colour}\" width=\"{width:.1}\" height=\"10\"/></svg></td>\
             <td>{share}</td><td>{each:.3} s</td><td>{total}</td></tr>\n",
            colour = colour(*index),
            name = escape(&stage.name),
            width = share * 100.0,
            share = percent(share),
            each = stage.total() / steps.max(1) as f64,
            total = duration(stage.total()),
        )
    };
    let rows: String = stages.iter().zip(colours).map(row).collect();
    format!(
        "<figure>\n<figcaption><b>Stage by stage</b></figcaption>\n<table class=\"numbers\">\n\
         <thead><tr><th>stage</th><td></td><td>share</td><td>per step</td><td>in all</td></tr></thead>\n\
         <tbody>\n{rows}</tbody></table>\n</figure>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_stage_accounts_for_is_the_rest() {
        let mut metrics = Metrics::default();
        for (name, seconds) in [("rollout_time", 3.0), ("loss_time", 1.5), ("step_time", 5.0)] {
            metrics.set(name, seconds);
        }
        let stages = stages(&[(0, metrics.clone()), (1, metrics)]);
        let totals: Vec<_> = stages.iter().map(|s| (s.name.as_str(), s.total())).collect();
        assert_eq!(totals, [("rollout", 6.0), ("loss", 3.0), ("the rest", 1.0)]);
    }

    #[test]
    fn nothing_measured_is_no_section() {
        assert_eq!(render(&[(0, Metrics::default())]), "");
    }
}
