//! The numbers of a batch that do not depend on the loss. Each is a sum or a mean with its weight, so that the
//! numbers of two parts of a batch, merged, are the batch's.

use std::collections::BTreeMap;

use super::Metrics;
use crate::batch::Routed;
use crate::capability::Signal;
use crate::stages::calibrate::margin::trajectory_return;
use crate::stages::calibrate::order::order;

/// Writes them into `metrics`.
pub(super) fn describe<S: Signal>(routed: &Routed<S>, metrics: &mut Metrics) {
    let (rollouts, signal) = (routed.rollouts(), routed.signal());
    let mut by_domain: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
    for (i, response) in rollouts.responses_N.iter().enumerate() {
        let length = response.tokens_T.len() as f64;
        metrics.add("tokens", length);
        metrics.mean("response_length", length, 1.0);
        metrics.mean("finished", share(response.finished), 1.0);
        metrics.mean("kept_fraction", share(rollouts.kept_N[i]), 1.0);
        if let Some(correct) = routed.outcome(i) {
            metrics.mean("reward", share(correct), 1.0);
            let (right, judged) = by_domain.entry(rollouts.prompt_of(i).domain()).or_default();
            (*right, *judged) = (*right + share(correct), *judged + 1.0);
        }
        metrics.mean("heard_share", share(signal.heard(i)), 1.0);
        metrics.mean("learnt_from", share(routed.learnt_from(i)), 1.0);
        if let Some(before) = signal.return_before(i) {
            metrics.mean("reverse_kl", -before, length);
        }
    }
    for (domain, (right, judged)) in by_domain {
        metrics.mean(&format!("accuracy/{domain}"), right / judged, judged);
    }
    for group in rollouts.groups() {
        describe_order(routed, &group, metrics);
    }
}

/// Whether the right responses of a group return more than its wrong ones, before and after calibration.
fn describe_order<S: Signal>(routed: &Routed<S>, group: &[usize], metrics: &mut Metrics) {
    let signal = routed.signal();
    let outcomes: Vec<_> = group.iter().map(|&i| routed.outcome(i)).collect();
    if outcomes.iter().all(Option::is_none) {
        return;
    }
    let before: Option<Vec<f64>> = group.iter().map(|&i| signal.return_before(i)).collect();
    let after: Option<Vec<f64>> = group.iter().map(|&i| signal.rewards(i).map(trajectory_return)).collect();
    if let Some(found) = before.map(|returns| order(&returns, &outcomes)) {
        let pairs = found.pairs as f64;
        metrics.mean("mixed_groups", share(found.mixed), 1.0);
        metrics.mean("inverted_pairs", found.inverted as f64 / pairs, pairs);
        metrics.mean("order_consistent", share(found.consistent), share(found.mixed));
    }
    if let Some(found) = after.map(|returns| order(&returns, &outcomes)) {
        metrics.mean("order_consistent_after", share(found.consistent), share(found.mixed));
    }
}

fn share(holds: bool) -> f64 {
    f64::from(u8::from(holds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dist::Merge;
    use crate::replay::Recorded;
    use crate::rng::{Purpose, Stream};
    use crate::settings::Settings;
    use crate::stages::balance::{Balance, ByOutcome};
    use crate::stages::calibrate::{Calibrate, MarginShift};
    use crate::stages::score::{SampledToken, Score};
    use crate::world::roster::{Frozen, Kind};
    use serde_json::json;

    /// What a rank says that has these responses of the batch.
    fn described(lines: &[serde_json::Value]) -> Metrics {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let recorded = Recorded::read(text.as_bytes(), "test", 0).unwrap();
        let rollouts = ByOutcome::DEFAULT.keep(recorded.judged().unwrap()).unwrap();
        let teacher = Frozen::DEFAULT.seat("teacher");
        let scored = SampledToken::DEFAULT.recall(&recorded, &teacher, rollouts).unwrap();
        let scored = MarginShift::DEFAULT.adjust(scored).unwrap();
        let mut metrics = scored.rollouts.ledger.clone();
        describe(&Routed::all(scored), &mut metrics);
        metrics
    }

    #[test]
    fn two_parts_of_a_batch_say_what_the_whole_says() {
        let mut stream = Stream::new(8, Purpose::Task, 0, 0);
        let mut said = |n: usize| (0..n).map(|_| -2.0 * stream.uniform()).collect::<Vec<f64>>();
        // groups of 3 and 4; one is right throughout, one is not judged, one has no domain
        let mut lines = Vec::new();
        for (group, (domain, outcomes)) in [
            ("math", &[Some(true), Some(false), Some(true)][..]),
            ("code", &[Some(false), Some(true), Some(true), Some(false)]),
            ("math", &[Some(true), Some(true), Some(true)]),
            ("", &[None, None, None]),
            ("code", &[Some(false), None, Some(true)]),
        ]
        .into_iter()
        .enumerate()
        {
            for (i, correct) in outcomes.iter().enumerate() {
                let length = 1 + (3 * group + 5 * i) % 7;
                lines.push(json!({
                    "prompt": format!("p{group}"), "domain": domain, "correct": correct,
                    "student": said(length), "teacher": said(length),
                }));
            }
        }
        let whole = described(&lines);
        for name in
            ["accuracy/math", "mixed_groups", "inverted_pairs", "order_consistent_after", "reverse_kl"]
        {
            assert!(whole.get(name).is_some_and(|x| x != 0.0), "{name}: {:?}", whole.get(name));
        }
        for cut in [3, 7, 10, 13] {
            let (first, later) = lines.split_at(cut);
            let merged = Merge::merge(described(first), described(later));
            let names = |metrics: &Metrics| {
                let all = metrics.iter().map(|(name, _)| name.to_owned());
                all.collect::<std::collections::BTreeSet<_>>()
            };
            assert_eq!(names(&merged), names(&whole));
            for (name, number) in whole.iter().filter(|(name, _)| !name.ends_with("_time")) {
                let other = merged.get(name).unwrap_or(f64::NAN);
                assert!((number - other).abs() < 1e-12, "{name}: {number} and {other}, cut at {cut}");
            }
        }
    }
}
