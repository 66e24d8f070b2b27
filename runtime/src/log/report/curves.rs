//! The curves: what the numbers did over the steps.

use super::chart::{window, Chart, Look, Series, SMOOTH_FROM};
use super::html::{escape, GREY};
use crate::log::metrics::{Metrics, ACCURACY, HELD_OUT, REGIME, STEP_TIME};

type Steps = [(u64, Metrics)];

pub(super) fn render(steps: &Steps) -> String {
    let charts = [
        single(steps, "Loss", "loss", "loss, averaged over the step's tokens"),
        accuracy(steps),
        single(steps, "Reverse KL", "reverse_kl", "nats per token, student to teacher"),
        single(steps, "Entropy", "entropy", "nats per token, of the student"),
        single(steps, "Gradient norm", "grad_norm", "before clipping"),
        single(steps, "Reward", "reward", "mean of the step"),
        regimes(steps),
        speed(steps),
        single(steps, "Learning rate", "lr", "step size"),
    ];
    let charts = charts.map(|chart| chart.render()).concat();
    if charts.is_empty() {
        return charts;
    }
    let mut note = String::new();
    if steps.len() >= SMOOTH_FROM {
        note += &format!("Thin: each step. Thick: mean over {} steps. ", window(steps.len()));
    }
    if !names(steps, HELD_OUT).is_empty() {
        note += "Dots: held-out prompts. ";
    }
    format!(
        "<p class=\"note\">{note}Numbers show under the mouse.</p>\n\
         <div class=\"charts\">\n{charts}</div>\n{}",
        broken(steps)
    )
}

/// The values of one name over the steps.
pub(super) fn values(steps: &Steps, name: &str) -> Vec<(f64, f64)> {
    let value = |(step, metrics): &(u64, Metrics)| Some((*step as f64, metrics.get(name)?));
    steps.iter().filter_map(value).collect()
}

/// The names that stand behind a prefix, in the order in which they came up.
fn names(steps: &Steps, prefix: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (_, metrics) in steps {
        for (name, _) in metrics.under(prefix) {
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        }
    }
    names
}

fn single(steps: &Steps, title: &str, name: &str, label: &str) -> Chart {
    let look = if name == "lr" { Look::Exact } else { Look::Smoothed };
    let series =
        Series { name: title.to_lowercase(), points: values(steps, name), look, ..Series::default() };
    chart(title, label, vec![series])
}

/// A domain has one colour, for rollouts and for held-out prompts.
fn accuracy(steps: &Steps) -> Chart {
    let (rollouts, held_out) = (names(steps, ACCURACY), names(steps, HELD_OUT));
    let mut domains = rollouts.clone();
    domains.extend(held_out.iter().filter(|name| !rollouts.contains(name)).cloned());
    let mut series = Vec::new();
    for (colour, domain) in domains.iter().enumerate() {
        let measured = held_out.contains(domain);
        let behind = if measured { Look::Behind } else { Look::Smoothed };
        for (prefix, note, look) in [(ACCURACY, "", behind), (HELD_OUT, ", held out", Look::Dots)] {
            series.push(Series {
                name: format!("{domain}{note}"),
                colour,
                points: per_cent(values(steps, &format!("{prefix}{domain}"))),
                look,
            });
        }
    }
    chart("Accuracy", "% right, of the judged", series)
}

fn regimes(steps: &Steps) -> Chart {
    let series = names(steps, REGIME).into_iter().map(|name| Series {
        colour: regime_colour(&name),
        points: per_cent(values(steps, &format!("{REGIME}{name}"))),
        name,
        look: Look::Smoothed,
    });
    chart("Regimes", "% of tokens", series.collect())
}

/// The colour of a regime in the curves is that of its tokens in the samples (`.r-…` in the style sheet).
fn regime_colour(name: &str) -> usize {
    match name {
        "LH" => 0,
        "HT" => 1,
        "HS" => 2,
        _ => GREY,
    }
}

fn speed(steps: &Steps) -> Chart {
    let speed = |(step, metrics): &(u64, Metrics)| {
        let seconds = metrics.get(STEP_TIME)?;
        (seconds > 0.0).then_some((*step as f64, metrics.get("tokens")? / seconds))
    };
    let points = steps.iter().filter_map(speed).collect();
    let name = "tokens/s".to_owned();
    let series = Series { name, points, ..Series::default() };
    chart("Speed", "tokens per second, whole step", vec![series])
}

fn chart(title: &str, label: &str, series: Vec<Series>) -> Chart {
    Chart { title: title.to_owned(), y_label: label.to_owned(), series, stacked: false }
}

fn per_cent(points: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    points.into_iter().map(|(step, share)| (step, share * 100.0)).collect()
}

/// Says where a number was not finite: a gap in a line is easily overlooked.
fn broken(steps: &Steps) -> String {
    let bad = |(step, metrics): &(u64, Metrics)| {
        let names: Vec<_> = metrics.iter().filter(|(_, v)| !v.is_finite()).map(|(name, _)| name).collect();
        (!names.is_empty()).then(|| format!("step {step}: {}", names.join(", ")))
    };
    let bad: Vec<String> = steps.iter().filter_map(bad).collect();
    if bad.is_empty() {
        return String::new();
    }
    let more = bad.len().saturating_sub(8);
    let more = if more > 0 { format!("; and {more} more steps") } else { String::new() };
    let first = bad[..bad.len().min(8)].join("; ");
    format!("<p class=\"warning\">Not a finite number at {}{more}.</p>\n", escape(&first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_known_name_has_its_chart_and_gaps_are_named() {
        let mut metrics = Metrics::default();
        for name in ["loss", "accuracy/math", "eval/accuracy/math", "lr", "tokens", "step_time"] {
            metrics.set(name, 1.0);
        }
        metrics.set("grad_norm", f64::NAN);
        let html = render(&[(12, metrics)]);
        assert_eq!(html.matches("<figure>").count(), 4);
        assert!(html.contains("math, held out"));
        assert!(html.contains("step 12: grad_norm"));
        assert_eq!(render(&[]), "");
    }
}
