use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate as limbeck;
use crate::batch::{Routed, Scored};
use crate::capability::{Judgement, TwoVoices};
use crate::check::{Facts, Fault};
use crate::dist;
use crate::error::Result;
use crate::log::Metrics;
use crate::real::Real;
use crate::signal::{Kept, RegimeRows, Rows};
use crate::stages::route::gap::{Regime, Routing, Source};
use crate::stages::route::thresholds::{Thresholds, Token};
use crate::stages::route::Route;
use limbeck::Settings;

/// Over which tokens the averages are taken that a token is compared with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum GapScope {
    /// All tokens of the batch, however it is split.
    #[default]
    Batch,
    /// The tokens of one response.
    Sequence,
    /// The tokens of so many responses after each other.
    Micro(usize),
}

/// Each token learns from the teacher or from the student's own hindsight, by their gap on the sampled
/// token and by how likely it is to them (DOPD, arXiv 2606.30626, sections 3.2 to 3.4).
///
/// Both read the privileged input; the gap is `A = |log q_T − log q_S|`, compared with trimmed means.
/// The averages, like the regimes, do not depend on how the batch is split into micro-batches.
#[derive(Clone, Debug, Settings)]
#[settings(check = check, facts = tell)]
pub struct AdvantageGap {
    /// The share of tokens with the largest gaps that the averages leave out; they are still routed.
    #[setting(default = 0.05)]
    pub trim: f64,
    /// Over which tokens the averages are taken.
    #[setting(default = GapScope::Batch)]
    pub scope: GapScope,
}

const fn tell(_: &AdvantageGap, facts: Facts) -> Facts {
    Facts { cuts_rows: true, ..facts }
}

const fn check(method: &AdvantageGap, _: &Facts) -> Option<Fault> {
    if !(method.trim >= 0.0 && method.trim < 1.0) {
        let says = "`trim` is the share of tokens the averages leave out: from 0 to below 1";
        return Some(Fault { stage: "route", field: "trim", says });
    }
    if let GapScope::Micro(0) = method.scope {
        let says = "averages over 0 responses compare nothing: `Micro` takes at least 1";
        return Some(Fault { stage: "route", field: "scope", says });
    }
    None
}

impl<S: TwoVoices, J: Judgement> Route<S, J> for AdvantageGap {
    type Signal = RegimeRows;

    fn route(&self, scored: Scored<S, J>) -> Result<Routed<RegimeRows>> {
        let start = std::time::Instant::now();
        let Scored { mut rollouts, signal } = scored;
        let lengths: Vec<usize> = rollouts.responses_N.iter().map(|r| r.tokens_T.len()).collect();
        let mut regimes_N_T = Vec::with_capacity(lengths.len());
        let mut notes = Notes::default();
        for some in self.sets(lengths.len()) {
            let routing = self.among(&signal, &lengths, some.clone());
            notes.take(&routing);
            let mut rest = routing.regimes.into_iter();
            regimes_N_T.extend(some.map(|i| rest.by_ref().take(lengths[i]).collect::<Vec<_>>()));
        }
        let width = signal.width();
        let rows_N: Vec<Rows> =
            regimes_N_T.iter().enumerate().map(|(i, regimes)| chosen(&signal, i, width, regimes)).collect();
        notes.bytes = rows_N.iter().map(Rows::bytes).sum();
        let everyone = 0..lengths.len();
        let routed = RegimeRows {
            width,
            rows_N,
            returns_N: everyone.clone().map(|i| signal.return_before(i)).collect(),
            heard_N: everyone.map(|i| signal.heard(i)).collect(),
            regimes_N_T,
        };
        notes.write(&mut rollouts.ledger);
        crate::stages::note_time(&mut rollouts.ledger, "route", start);
        Ok(Routed::all(Scored { rollouts, signal: routed }))
    }
}

impl AdvantageGap {
    fn sets(&self, responses: usize) -> Vec<std::ops::Range<usize>> {
        let size = match self.scope {
            GapScope::Batch => responses.max(1),
            GapScope::Sequence => 1,
            GapScope::Micro(size) => size.max(1),
        };
        (0..responses).step_by(size).map(|start| start..(start + size).min(responses)).collect()
    }

    /// The regimes of the tokens of some responses; those that nobody spoke of are not in the averages.
    fn among<S: TwoVoices>(&self, signal: &S, lengths: &[usize], some: std::ops::Range<usize>) -> Routing {
        let of = |i: usize| {
            (0..lengths[i]).map(move |t| {
                let (teacher, student) = signal.said(i, t);
                Token::of(teacher, student)
            })
        };
        let heard: Vec<Token> = some.clone().filter(|&i| signal.heard(i)).flat_map(of).collect();
        let all: Vec<Token> = some.flat_map(of).collect();
        let thresholds = match self.scope {
            GapScope::Batch => dist::thresholds(&heard, self.trim),
            GapScope::Sequence | GapScope::Micro(_) => Thresholds::of(&heard, self.trim),
        };
        Routing::under(thresholds, &all)
    }
}

/// The row of the policy that each token was routed to; the other is not kept.
fn chosen<S: TwoVoices>(signal: &S, i: usize, width: usize, regimes: &[Regime]) -> Rows {
    match signal.hindsight(i) {
        Rows::Cut32(kept) => return Rows::Cut32(cut(signal.teacher(i), kept, width, regimes)),
        Rows::Cut64(kept) => return Rows::Cut64(cut(signal.teacher(i), kept, width, regimes)),
        Rows::F32(_) | Rows::F64(_) => {}
    }
    let source = |regime: &Regime| match regime.source() {
        Source::Teacher => signal.teacher(i),
        Source::Student => signal.hindsight(i),
    };
    let single = matches!(signal.teacher(i), Rows::F32(_));
    let places = regimes.iter().enumerate();
    if single {
        let row = |(t, regime): (usize, &Regime)| source(regime).row::<f32>(width, t).into_owned();
        Rows::F32(Arc::from(places.flat_map(row).collect::<Vec<f32>>()))
    } else {
        let row = |(t, regime): (usize, &Regime)| source(regime).row::<f64>(width, t).into_owned();
        Rows::F64(Arc::from(places.flat_map(row).collect::<Vec<f64>>()))
    }
}

/// The teacher's whole row for HT; elsewhere, of either, only what was kept of the hindsight.
fn cut<R: Real>(teacher: &Rows, hindsight: &[Kept<R>], width: usize, regimes: &[Regime]) -> Arc<[Kept<R>]> {
    let one = |(t, (regime, kept)): (usize, (&Regime, &Kept<R>))| match (regime.source(), kept.ids()) {
        (Source::Student, _) => kept.clone(),
        (Source::Teacher, Some(ids)) if *regime != Regime::HT => Kept::on(&teacher.row(width, t), &ids),
        (Source::Teacher, _) => Kept::Whole(teacher.row(width, t).into_owned().into()),
    };
    regimes.iter().zip(hindsight).enumerate().map(one).collect()
}

/// Shares, gaps and thresholds of a batch, for the log.
#[derive(Default)]
struct Notes {
    /// What the rows take that are held until the step is done.
    bytes: usize,
    tokens: [f64; 4],
    gaps: [f64; 4],
    thresholds: Vec<(f64, f64, f64)>,
}

impl Notes {
    fn take(&mut self, routing: &Routing) {
        for (regime, gap) in routing.regimes.iter().zip(&routing.gaps) {
            let at = *regime as usize;
            self.tokens[at] += 1.0;
            self.gaps[at] += gap;
        }
        let bar = &routing.thresholds;
        self.thresholds.push((bar.gap, bar.student, bar.teacher));
    }

    /// Every number with its weight, so that the numbers of parts of a batch can be merged.
    fn write(&self, ledger: &mut Metrics) {
        let total: f64 = self.tokens.iter().sum();
        let named = [
            ("regime/LH", "gap/LH"),
            ("regime/LL", "gap/LL"),
            ("regime/HT", "gap/HT"),
            ("regime/HS", "gap/HS"),
        ];
        for (at, (share, gap)) in named.into_iter().enumerate() {
            ledger.mean(share, self.tokens[at] / total, total);
            ledger.mean(gap, self.gaps[at] / self.tokens[at], self.tokens[at]);
        }
        ledger.add("row_bytes", self.bytes as f64);
        for bar in &self.thresholds {
            ledger.mean("threshold/gap", bar.0, 1.0);
            ledger.mean("threshold/student", bar.1, 1.0);
            ledger.mean("threshold/teacher", bar.2, 1.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dist::Merge;
    use crate::rng::{Purpose, Stream};
    use crate::stages::route::thresholds::{drop_count, Part};

    fn noted(routing: &Routing, bytes: usize) -> Metrics {
        let (mut notes, mut ledger) = (Notes { bytes, ..Notes::default() }, Metrics::default());
        notes.take(routing);
        notes.write(&mut ledger);
        ledger
    }

    /// As on two ranks: each knows its own tokens, the number of all, and what both have merged.
    #[test]
    fn two_parts_of_a_batch_say_what_the_whole_says() {
        let mut stream = Stream::new(6, Purpose::Task, 0, 0);
        let tokens: Vec<Token> =
            (0..90).map(|_| Token::of(-3.0 * stream.uniform(), -4.0 * stream.uniform())).collect();
        let whole = Routing::under(dist::thresholds(&tokens, 0.05), &tokens);
        assert!(whole.thresholds.dropped == 4 && Regime::ALL.iter().all(|r| whole.regimes.contains(r)));
        let numbers = noted(&whole, 90);
        for cut in [1, 17, 45, 80, 89] {
            let (first, later) = tokens.split_at(cut);
            let drop = drop_count(Merge::merge(first.len(), later.len()), 0.05);
            let part = |tokens| Part::of(tokens, drop);
            let thresholds = Merge::merge(part(first), part(later)).thresholds();
            assert_eq!(thresholds, whole.thresholds, "to the last bit");
            let [first, later] = [first, later].map(|tokens| Routing::under(thresholds, tokens));
            assert_eq!([first.regimes.clone(), later.regimes.clone()].concat(), whole.regimes);
            let merged = Merge::merge(noted(&first, cut), noted(&later, 90 - cut));
            assert_eq!(merged.iter().count(), numbers.iter().count());
            for (name, number) in numbers.iter() {
                let other = merged.get(name).unwrap_or(f64::NAN);
                assert!((number - other).abs() < 1e-12, "{name}: {number} and {other}, cut at {cut}");
            }
        }
    }
}
