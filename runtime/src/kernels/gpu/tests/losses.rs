//! The losses that recipes have, as `Loss::token` finds them on the CPU and as the kernel does from their descriptions.

use super::*;
use crate::kernels::token_loss::{Described, Found, TokenLoss};
use crate::kernels::vocabulary_loss::{self, HeadGradients, VocabularyLossKernel};
use crate::real::log_softmax_into;
use crate::signal::{Compared, DemonstratedTokens, DualRows, Kept, RegimeRows, Rows, TopRows, WholeRows};
use crate::stages::loss::row::StudentRow;
use crate::stages::loss::{
    CrossEntropy, Divergence, EntropyGated, Estimator, ForwardKl, Full, Jsd, JsdToBoth, Loss, PolicyGradient,
    ReverseKl, Routed, SampledKl, Support, Tail, TopK,
};
use crate::stages::route::gap::{Regime, RegimeSet};
use std::marker::PhantomData;
use std::sync::Mutex;

const ROWS: usize = 12;
const INNER: usize = 6;

/// One response whose every token is a row.
struct OneResponse<L, S> {
    loss: L,
    signal: S,
    sampled: Vec<usize>,
    /// Entropy, weight and masses, as told.
    told: Mutex<Vec<[f32; 4]>>,
}

impl<S: crate::capability::Signal, L: Loss<S>> TokenLoss for OneResponse<L, S> {
    fn row(&self, row: usize, logits: &[f32], grad: Option<&mut [f32]>) -> f64 {
        let sampled = self.sampled[row];
        let student = match grad {
            Some(grad) => StudentRow::traced(logits, sampled, grad),
            None => StudentRow::whole(logits, sampled),
        };
        let mut student = student.drawn_at(Some(old(row)));
        let token = self.loss.token(&self.signal, 0, row, &mut student);
        let (student_mass, teacher_mass) = token.masses.unwrap_or((0.0, 0.0));
        let told = [
            student.entropy().unwrap_or_default(),
            token.weight.unwrap_or(1.0) as f32,
            student_mass as f32,
            teacher_mass as f32,
        ];
        self.told.lock().unwrap()[row] = told;
        token.loss
    }

    fn described(&self, row: usize) -> Option<Described<'_>> {
        let described = self.loss.described(&self.signal, 0, row, self.sampled[row])?;
        Some(Described { sampled: self.sampled[row] as u32, old: Some(old(row)), ..described })
    }

    fn found(&self, row: usize, described: &Described<'_>, found: &Found) -> f64 {
        use crate::kernels::token_loss::Weight;
        let weight = match described.tells.weight {
            Weight::Nothing => 1.0,
            Weight::Importance => found.weight,
            Weight::Fixed(weight) => weight as f32,
        };
        let masses = if described.tells.masses { [found.student_mass, found.teacher_mass] } else { [0.0; 2] };
        self.told.lock().unwrap()[row] = [found.entropy, weight, masses[0], masses[1]];
        found.loss
    }
}

fn old(row: usize) -> f32 {
    -2.0 - (row % 4) as f32 * 0.5
}

/// Log-probabilities at random: `[ROWS, width]`, rounded before, so that there are equals.
fn log_rows(width: usize, minor: u64) -> Vec<f32> {
    let mut rows = random(ROWS * width, minor);
    for row in rows.chunks_exact_mut(width) {
        row.iter_mut().for_each(|x| *x = (*x * 4.0).round() / 2.0);
        let logits = row.to_vec();
        log_softmax_into(&logits, row);
    }
    rows
}

fn whole(width: usize, minor: u64) -> WholeRows {
    let rows = Rows::F32(log_rows(width, minor).into());
    WholeRows::new(width, vec![rows], &[vec![0.0; ROWS]], &[vec![0.0; ROWS]], vec![true])
}

/// Compares losses, gradients and what is told besides.
#[track_caller]
fn same<S: crate::capability::Signal, L: Loss<S>>(name: &str, width: usize, loss: L, signal: S) {
    let sampled = (0..ROWS).map(|row| row * 7 % width).collect();
    let loss = OneResponse { loss, signal, sampled, told: Mutex::new(vec![[f32::NAN; 4]; ROWS]) };
    let told = || std::mem::replace(&mut *loss.told.lock().unwrap(), vec![[f32::NAN; 4]; ROWS]).concat();
    let (hidden, head) = (check::matrix(ROWS, INNER, 1), check::matrix(width, INNER, 2));
    let weights: Vec<f32> = (0..ROWS).map(|row| [0.3, 0.0, 1.0][row % 3]).collect();
    let (mut g_hidden, mut g_head) = (buffer(&random(ROWS * INNER, 3)), buffer(&random(width * INNER, 4)));
    let (of_hidden, of_head) = (g_hidden.to_vec(), g_head.to_vec());
    let into = HeadGradients { hidden: &mut g_hidden, head: Some(&mut g_head) };
    let expected = Cpu::default().vocabulary_loss(&hidden, &head, &weights, &loss, Some(into)).unwrap();
    let expected: Vec<f32> = expected.iter().map(|&loss| loss as f32).collect();
    let expected_told = told();
    let found = in_both_orders(|gpu| {
        let (x, w) = (matrix_on(gpu, &hidden), matrix_on(gpu, &head));
        let (g_x, g_w) = (on(gpu, &of_hidden), on(gpu, &of_head));
        let run = |into| {
            let matrices = [x.at(), w.at()];
            vocabulary_loss::gpu::vocabulary_loss(gpu, matrices, [ROWS, INNER, width], &weights, &loss, into)
        };
        let losses = run(Some((g_x.at(), Some(g_w.at())))).unwrap();
        let told = told();
        assert_eq!(run(None).unwrap(), losses, "{name}: without gradients");
        let losses = losses.iter().map(|&loss| loss as f32).collect();
        vec![losses, floats(gpu, &g_x, ROWS * INNER), floats(gpu, &g_w, width * INNER), told]
    });
    let Some(found) = found else { return };
    agree(&format!("{name}: losses"), &found[0], &expected, 1e-5);
    agree(&format!("{name}: of hidden states"), &found[1], &g_hidden, 2e-5);
    agree(&format!("{name}: of the output layer"), &found[2], &g_head, 2e-5);
    agree(&format!("{name}: entropy, weight, masses"), &found[3], &expected_told, 1e-5);
}

#[test]
fn losses_of_the_sampled_token() {
    for width in [2, 33, 300] {
        let log_probs = |minor: u64| -> Vec<Vec<f64>> {
            vec![random(ROWS, minor).iter().map(|x| -2.0 + f64::from(*x)).collect()]
        };
        let rewards: Vec<f64> = random(ROWS, 7)
            .iter()
            .enumerate()
            .map(|(t, x)| if t == 3 { 0.0 } else { f64::from(*x) })
            .collect();
        let compared = || Compared::new(log_probs(5), log_probs(6), vec![rewards.clone()], vec![true]);
        same("cross-entropy", width, CrossEntropy {}, DemonstratedTokens);
        let policy = PolicyGradient { clip_low: 0.2, clip_high: 0.28, gap_mask: 1.5 };
        same("policy gradient", width, policy, compared());
        for estimator in [Estimator::K1, Estimator::K2, Estimator::K3] {
            same(&format!("{estimator:?}"), width, SampledKl { estimator }, compared());
        }
    }
}

/// Every divergence over whole rows, and over parts of them.
fn divergences(width: usize) {
    const SUPPORTS: [Support; 4] = [Support::Student, Support::Teacher, Support::Union, Support::Sampled];
    let inf = f64::INFINITY;
    let (support, tail) = (Support::Student, Tail::Renormalise);
    let reverse = ReverseKl::<Full> {
        support,
        tail,
        collapse_is_known: false,
        importance_clip: 2.0,
        width: PhantomData,
    };
    same("reverse KL", width, reverse, whole(width, 5));
    let forward = ForwardKl::<Full> { support, tail, importance_clip: inf, width: PhantomData };
    same("forward KL", width, forward, whole(width, 5));
    for beta in [0.5, 0.2] {
        let jsd = Jsd::<Full> { beta, support, tail, importance_clip: inf, width: PhantomData };
        same("JSD", width, jsd, whole(width, 5));
    }
    for support in SUPPORTS {
        for tail in [Tail::Renormalise, Tail::Bucket, Tail::Drop] {
            let name = format!("{support:?} {tail:?} of {width}");
            let reverse = ReverseKl::<TopK<5>> {
                support,
                tail,
                collapse_is_known: true,
                importance_clip: inf,
                width: PhantomData,
            };
            same(&format!("reverse KL {name}"), width, reverse, whole(width, 5));
            let forward = ForwardKl::<TopK<5>> { support, tail, importance_clip: 1.5, width: PhantomData };
            same(&format!("forward KL {name}"), width, forward, whole(width, 5));
            let jsd = Jsd::<TopK<5>> { beta: 0.3, support, tail, importance_clip: inf, width: PhantomData };
            same(&format!("JSD {name}"), width, jsd, whole(width, 5));
        }
    }
}

// two tests, so that two threads have something to do
#[test]
fn divergences_over_a_small_vocabulary() {
    divergences(9);
}

#[test]
fn divergences_over_a_larger_vocabulary() {
    divergences(130);
}

#[test]
fn teachers_of_whom_some_tokens_are_kept() {
    let width = 70;
    let rows = log_rows(width, 5);
    let kept = |t: usize| Kept::on(&rows[t * width..][..width], &[1, 4 + t, 40, 41 + t % 3]);
    let cut = || {
        let rows = Rows::Cut32((0..ROWS).map(kept).collect());
        TopRows::new(WholeRows::new(width, vec![rows], &[vec![0.0; ROWS]], &[vec![0.0; ROWS]], vec![true]))
    };
    for tail in [Tail::Renormalise, Tail::Bucket, Tail::Drop] {
        let support = Support::Teacher;
        let forward =
            ForwardKl::<TopK<4>> { support, tail, importance_clip: f64::INFINITY, width: PhantomData };
        same(&format!("kept {tail:?}"), width, forward, cut());
        let fewer =
            Jsd::<TopK<2>> { beta: 0.5, support, tail, importance_clip: f64::INFINITY, width: PhantomData };
        same(&format!("two of kept {tail:?}"), width, fewer, cut());
    }
}

#[test]
fn two_voices_gates_and_regimes() {
    let width = 90;
    let said_N_T = vec![vec![(0.0, 0.0); ROWS]];
    let dual = DualRows { teacher: whole(width, 5), hindsight: whole(width, 6), said_N_T };
    same("both", width, JsdToBoth { teacher_share: 0.3, beta: 0.4 }, dual);
    for threshold in [3.4, 0.0, 9.0] {
        let gated = EntropyGated::<TopK<6>> { threshold, clip_low: 0.2, clip_high: 0.2, width: PhantomData };
        same(&format!("gated at {threshold}"), width, gated, whole(width, 5));
    }
    let rows = log_rows(width, 8);
    let row = |t: usize| &rows[t * width..][..width];
    let regimes: Vec<Regime> = (0..ROWS).map(|t| Regime::ALL[t % 4]).collect();
    // of what learns on the likeliest tokens only these are kept
    let kept = |t: usize| match regimes[t] {
        Regime::HT => Kept::Whole(row(t).into()),
        _ => Kept::On([0, 3, 9 + t as u32, 60].into(), {
            crate::stages::loss::top_k::Gathered::of(row(t), &[0, 3, 9 + t, 60])
        }),
    };
    let signal = |rows| RegimeRows {
        width,
        regimes_N_T: vec![regimes.clone()],
        rows_N: vec![rows],
        returns_N: vec![None],
        heard_N: vec![true],
    };
    for (learn, tail) in [("all", Tail::Renormalise), ("some", Tail::Bucket)] {
        let mut loss = Routed::<TopK<3>> {
            light: 0.6,
            weak: 0.3,
            learn: RegimeSet::ALL,
            strong: Divergence::Jsd { beta: 0.5 },
            strong_whole: true,
            gentle: Divergence::ReverseKl,
            support: Support::Student,
            tail,
            collapse_is_known: false,
            width: PhantomData,
        };
        if learn == "some" {
            loss.learn.lh = false;
        }
        same(
            &format!("routed, {learn}, cut"),
            width,
            loss.clone(),
            signal(Rows::Cut32((0..ROWS).map(kept).collect())),
        );
        same(&format!("routed, {learn}"), width, loss, signal(Rows::F32(rows.clone().into())));
    }
}

#[test]
fn a_loss_without_a_description_is_asked_on_the_host() {
    struct Own;
    impl TokenLoss for Own {
        fn row(&self, row: usize, logits: &[f32], grad: Option<&mut [f32]>) -> f64 {
            if let Some(grad) = grad {
                grad.copy_from_slice(logits);
            }
            f64::from(logits[0]) + row as f64
        }
    }
    let (rows, width) = (9, 13);
    let (hidden, head) = (check::matrix(rows, INNER, 1), check::matrix(width, INNER, 2));
    let weights: Vec<f32> = (0..rows).map(|row| (row % 2) as f32).collect();
    let mut g_hidden = buffer(&vec![0.0; rows * INNER]);
    let into = HeadGradients { hidden: &mut g_hidden, head: None };
    let expected = Cpu::default().vocabulary_loss(&hidden, &head, &weights, &Own, Some(into)).unwrap();
    let ids: Vec<u32> = (0..rows as u32).collect();
    let found = in_both_orders(|gpu| {
        let (x, w, g) = (matrix_on(gpu, &hidden), matrix_on(gpu, &head), on(gpu, &vec![0.0; rows * INNER]));
        let (matrices, sizes) = ([x.at(), w.at()], [rows, INNER, width]);
        let into = Some((g.at(), None));
        let losses =
            vocabulary_loss::gpu::vocabulary_loss(gpu, matrices, sizes, &weights, &Own, into).unwrap();
        let said = vocabulary_loss::gpu::said(gpu, matrices, sizes, &ids).unwrap();
        vocabulary_loss::gpu::each_row(gpu, matrices, sizes, &|row, logits| {
            let whole = crate::kernels::exp::log_sum_exp(logits);
            let (log_prob, entropy) = said[row];
            assert!((log_prob - (f64::from(logits[row]) - whole)).abs() < 1e-12);
            assert!((entropy - crate::kernels::exp::entropy(logits, whole)).abs() < 1e-12);
        })
        .unwrap();
        vec![losses.iter().map(|&loss| loss as f32).collect(), floats(gpu, &g, rows * INNER)]
    });
    let Some(found) = found else { return };
    agree("losses", &found[0], &expected.iter().map(|&loss| loss as f32).collect::<Vec<_>>(), 1e-6);
    agree("of hidden states", &found[1], &g_hidden, 1e-5);
}
