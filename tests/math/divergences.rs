//! Divergences.

use limbeck::stages::loss::divergence::Divergence;
use limbeck::stages::loss::row::StudentRow;
use limbeck::stages::loss::top_k::{top_k, Gathered, Support, Tail, Truncation};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::{close, divergences, is_gradient, probabilities, rows, SUPPORTS, TAILS};

/// The divergence of two lists of probabilities, written as in a textbook.
fn plain(divergence: Divergence, s: &[f64], q: &[f64]) -> f64 {
    let kl = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * (a / b).ln()).sum::<f64>();
    match divergence {
        Divergence::ForwardKl => kl(q, s),
        Divergence::ReverseKl => kl(s, q),
        Divergence::Jsd { beta } => {
            let m: Vec<f64> = s.iter().zip(q).map(|(s, q)| beta * q + (1.0 - beta) * s).collect();
            beta * kl(q, &m) + (1.0 - beta) * kl(s, &m)
        }
    }
}

/// The two lists a truncated divergence compares.
fn plainly_truncated(s: &[f64], q: &[f64], ids: &[usize], tail: Tail) -> (Vec<f64>, Vec<f64>) {
    let cut = |p: &[f64]| {
        let kept: Vec<f64> = ids.iter().map(|&i| p[i]).collect();
        let mass: f64 = kept.iter().sum();
        match tail {
            Tail::Drop => kept,
            Tail::Renormalise => kept.iter().map(|p| p / mass).collect(),
            Tail::Bucket => kept.iter().copied().chain([1.0 - mass]).collect(),
        }
    };
    (cut(s), cut(q))
}

proptest! {
    #[test]
    fn divergences_are_what_the_textbook_says((student, teacher) in rows(), divergence in divergences()) {
        let (s, q) = (probabilities(&student), probabilities(&teacher));
        let value = divergence.value(&student, &teacher);
        close(value, plain(divergence, &s, &q), 1e-12)?;
        prop_assert!(value >= -1e-15);
        close(divergence.value(&student, &student), 0.0, 1e-15)?;
        let mut grad = vec![0.0; student.len()];
        prop_assert_eq!(divergence.gradient(&student, &teacher, &mut grad), value);
        is_gradient(|z| divergence.value(z, &teacher), &student, &grad)?;
    }

    #[test]
    fn gradients_are_added_and_weighted(
        (student, teacher) in rows(), divergence in divergences(), k in 1usize..12,
    ) {
        for (support, tail) in SUPPORTS.into_iter().flat_map(|s| TAILS.map(|t| (s, t))) {
            let (mut once, mut more) = (vec![0.0; student.len()], vec![1.0; student.len()]);
            let top = Truncation { k, support, tail };
            top.push(divergence, &mut StudentRow::traced(&student, 0, &mut once), &teacher, 1.0);
            top.push(divergence, &mut StudentRow::traced(&student, 0, &mut more), &teacher, -2.0);
            for (once, more) in once.iter().zip(more) {
                close(more, 1.0 - 2.0 * once, 1e-13)?;
            }
        }
    }

    #[test]
    fn jensen_shannon_is_bounded_and_symmetric((student, teacher) in rows(), scale in 1.0..400.0) {
        let js = Divergence::Jsd { beta: 0.5 };
        let far: Vec<f64> = student.iter().map(|z| z * scale).collect();
        let (there, back) = (js.value(&far, &teacher), js.value(&teacher, &far));
        close(there, back, 1e-14)?;
        prop_assert!((-1e-15..=std::f64::consts::LN_2 + 1e-15).contains(&there));
    }

    #[test]
    fn truncated_values_gradients_and_masses(
        (student, teacher) in rows(), divergence in divergences(), k in 1usize..12,
    ) {
        for support in SUPPORTS {
            for tail in TAILS {
                let top = Truncation { k, support, tail };
                let mut grad = vec![0.0; student.len()];
                let mut row = StudentRow::traced(&student, 0, &mut grad);
                let got = top.push(divergence, &mut row, &teacher, 1.0).unwrap();
                let (s, q) = (probabilities(&student), probabilities(&teacher));
                let ids = support.of(&student, &teacher, k);
                let whole = k >= student.len();
                let (cut_s, cut_q) = plainly_truncated(&s, &q, &ids, if whole { Tail::Drop } else { tail });
                // an empty bucket holds rounding only: nothing to compare with there
                if !(tail == Tail::Bucket && ids.len() == student.len()) {
                    close(got.value, plain(divergence, &cut_s, &cut_q), 1e-11)?;
                }
                close(got.student_mass, ids.iter().map(|&i| s[i]).sum(), 1e-12)?;
                close(got.teacher_mass, ids.iter().map(|&i| q[i]).sum(), 1e-12)?;
                // the ids are constants for the gradient, so they are held while z moves
                let teacher = Gathered::of(&teacher, &ids);
                let fixed = |z: &[f64]| {
                    tail.push(divergence, &mut StudentRow::whole(z, 0), &ids, &teacher, 1.0).unwrap().value
                };
                is_gradient(fixed, &student, &grad)?;
            }
        }
    }

    #[test]
    fn the_sampled_token_against_all_others(
        (student, teacher) in rows(), divergence in divergences(), at in any::<prop::sample::Index>(), k in 1usize..12,
    ) {
        let y = at.index(student.len());
        let top = Truncation { k, support: Support::Sampled, tail: Tail::Bucket };
        let mut grad = vec![0.0; student.len()];
        let got = top.push(divergence, &mut StudentRow::traced(&student, y, &mut grad), &teacher, 1.0).unwrap();
        let (s, q) = (probabilities(&student)[y], probabilities(&teacher)[y]);
        close(got.student_mass, s, 1e-12)?;
        close(got.teacher_mass, q, 1e-12)?;
        let others = |row: &[f64]| (0..row.len()).filter(|&i| i != y).map(|i| probabilities(row)[i]).sum::<f64>();
        close(got.value, plain(divergence, &[s, others(&student)], &[q, others(&teacher)]), 1e-11)?;
        let moved = |z: &[f64]| top.push(divergence, &mut StudentRow::whole(z, y), &teacher, 1.0).unwrap().value;
        is_gradient(moved, &student, &grad)?;
    }

    #[test]
    fn as_wide_as_the_vocabulary_is_the_full_divergence(
        (student, teacher) in rows(), divergence in divergences(), extra in 0usize..3,
    ) {
        let (v, mut full) = (student.len(), vec![0.0; student.len()]);
        let value = divergence.gradient(&student, &teacher, &mut full);
        for (support, tail) in SUPPORTS.into_iter().flat_map(|s| TAILS.map(|t| (s, t))) {
            let mut grad = vec![0.0; v];
            let top = Truncation { k: v + extra, support, tail };
            let mut row = StudentRow::traced(&student, 0, &mut grad);
            let got = top.push(divergence, &mut row, &teacher, 1.0).unwrap();
            prop_assert_eq!((got.value, got.student_mass, got.teacher_mass), (value, 1.0, 1.0));
            prop_assert_eq!(&grad, &full);
        }
    }

    #[test]
    fn the_top_k_are_those_of_a_full_sort(row in vec(-3i32..4, 0..80), k in 0usize..90) {
        let row: Vec<f64> = row.into_iter().map(f64::from).collect();
        let mut ids: Vec<usize> = (0..row.len()).collect();
        ids.sort_by(|&a, &b| row[b].partial_cmp(&row[a]).unwrap()); // stable: of equals the lowest first
        ids.truncate(k);
        ids.sort_unstable();
        prop_assert_eq!(top_k(&row, k), ids);
    }

    #[test]
    fn single_precision_follows_double((student, teacher) in rows(), divergence in divergences()) {
        let short = |row: &[f64]| row.iter().map(|&x| x as f32).collect::<Vec<_>>();
        let (mut grad, mut grad32) = (vec![0.0; student.len()], vec![0.0; student.len()]);
        let value = divergence.gradient(&student, &teacher, &mut grad);
        let value32 = divergence.gradient(&short(&student), &short(&teacher), &mut grad32);
        close(f64::from(value32), value, 1e-5)?;
        for (got, want) in grad32.iter().zip(grad) {
            close(f64::from(*got), want, 1e-5)?;
        }
    }

    #[test]
    fn rows_of_any_scale_stay_finite(student in vec(-200f32..200.0, 5), teacher in vec(-200f32..200.0, 5)) {
        for divergence in [Divergence::ForwardKl, Divergence::ReverseKl, Divergence::Jsd { beta: 0.5 }] {
            for (support, tail) in SUPPORTS.into_iter().flat_map(|s| TAILS.map(|t| (s, t))) {
                for k in 1..6 {
                    let mut grad = vec![0.0; 5];
                    let mut row = StudentRow::traced(&student, 0, &mut grad);
                    let got = Truncation { k, support, tail }.push(divergence, &mut row, &teacher, 1.0).unwrap();
                    prop_assert!(got.value.is_finite() && grad.iter().all(|g| g.is_finite()));
                }
            }
        }
    }
}

#[test]
fn a_recorded_row_is_no_distribution() {
    let mut row = StudentRow::recorded(-1.5f64);
    row.push_log_prob(1.0);
    assert_eq!((row.log_prob(), row.entropy(), row.logits()), (-1.5, None, None));
    assert_eq!(Divergence::ReverseKl.push(&mut row, &[0.0, 0.0], 1.0), None);
    let top = Truncation { k: 1, support: Support::Union, tail: Tail::Bucket };
    assert_eq!(top.push(Divergence::ReverseKl, &mut row, &[0.0, 0.0], 1.0), None);
}

#[test]
fn what_the_student_cannot_do_counts_nothing() {
    // a logit of −∞ is a token that is ruled out: no NaN from 0 · ∞
    let (student, teacher) = ([0.0f64, 0.0, f64::NEG_INFINITY], [0.0, 0.0, f64::NEG_INFINITY]);
    for divergence in [Divergence::ForwardKl, Divergence::ReverseKl, Divergence::Jsd { beta: 0.3 }] {
        let mut grad = [0.0; 3];
        assert_eq!(divergence.gradient(&student, &teacher, &mut grad), 0.0);
        assert_eq!(grad, [0.0; 3]);
    }
    assert!((Divergence::ReverseKl.value(&student, &[0.0; 3]) - 1.5f64.ln()).abs() < 1e-15);
    assert_eq!(Divergence::ForwardKl.value(&student, &[0.0; 3]), f64::INFINITY);
}

#[test]
fn a_wide_vocabulary_is_summed_without_drift() {
    let wide = vec![0.25f32; 1 << 18];
    let entropy = f64::from(StudentRow::whole(&wide, 0).entropy().unwrap());
    assert!((entropy - (wide.len() as f64).ln()).abs() < 1e-5, "{entropy}");
}
