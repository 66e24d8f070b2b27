//! Divergences on the K most probable tokens.
//!
//! DOPD (arXiv 2606.30626) gives K = 128 but neither whose K nor what becomes of the rest. The default
//! is the student's, both sides renormalised on them ("Rethinking OPD", arXiv 2604.13016); SDPO
//! (arXiv 2601.20802) adds the rest as one more token; OPSD (arXiv 2601.18734) takes the teacher's.

use serde::{Deserialize, Serialize};

use super::divergence::{Divergence, Term};
use super::row::StudentRow;
use crate::real::{log_sum_exp, log_sum_exp_over, Real};

/// Whose K most probable tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Support {
    /// The student's.
    #[default]
    Student,
    /// The teacher's.
    Teacher,
    /// Both: K to 2K tokens.
    Union,
    /// The token that was sampled, whatever K: with [`Tail::Bucket`], how likely each finds it.
    Sampled,
}

/// What becomes of the tokens outside the support.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Tail {
    /// They are ignored, and both sides are renormalised on the support. With K = 1 nothing is left to learn.
    #[default]
    Renormalise,
    /// They count as one token with all their probability.
    Bucket,
    /// They are ignored, and nothing is renormalised: the sum can be negative.
    Drop,
}

/// Which tokens a divergence looks at.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Truncation {
    /// How many tokens; as many as the vocabulary has, or more, is the full divergence, bit for bit.
    pub k: usize,
    /// Whose.
    pub support: Support,
    /// And the others.
    pub tail: Tail,
}

/// A divergence on a part of the vocabulary.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Truncated<R> {
    /// The divergence.
    pub value: R,
    /// The student's probability of the support.
    pub student_mass: R,
    /// The teacher's probability of the support.
    pub teacher_mass: R,
}

impl Truncation {
    /// The divergence of `row` from `teacher` (logits or log-probabilities) on the support; `weight`
    /// times its gradient goes into the row. None if the row was recorded.
    ///
    /// ```
    /// use limbeck::stages::loss::divergence::Divergence::ReverseKl;
    /// use limbeck::stages::loss::{row::StudentRow, top_k::*};
    /// let student = [0.5f64, 0.3, 0.15, 0.05].map(f64::ln);
    /// let teacher = [0.2f64, 0.6, 0.1, 0.1].map(f64::ln);
    /// let top2 = Truncation { k: 2, support: Support::Student, tail: Tail::Renormalise };
    /// let got = top2.push(ReverseKl, &mut StudentRow::whole(&student, 0), &teacher, 1.0).unwrap();
    /// assert!((got.value - 0.312751515).abs() < 1e-9 && (got.student_mass - 0.8).abs() < 1e-12);
    /// ```
    pub fn push<R: Real>(
        self,
        divergence: Divergence,
        row: &mut StudentRow<R>,
        teacher: &[R],
        weight: R,
    ) -> Option<Truncated<R>> {
        let student = row.logits()?;
        let sampled = matches!(self.support, Support::Sampled);
        if self.k >= student.len() && !sampled {
            let value = divergence.push(row, teacher, weight)?;
            return Some(Truncated { value, student_mass: R::one(), teacher_mass: R::one() });
        }
        if sampled && row.sampled() >= student.len() {
            return None;
        }
        let ids = if sampled { vec![row.sampled()] } else { self.support.of(student, teacher, self.k) };
        self.tail.push(divergence, row, &ids, &Gathered::of(teacher, &ids), weight)
    }
}

impl Support {
    /// The ids of the support, ascending; none for [`Self::Sampled`], for two rows do not say what was sampled.
    pub fn of<R: Real>(self, student: &[R], teacher: &[R], k: usize) -> Vec<usize> {
        match self {
            Self::Student => top_k(student, k),
            Self::Teacher => top_k(teacher, k),
            Self::Union => {
                let mut ids = top_k(student, k);
                ids.extend(top_k(teacher, k));
                ids.sort_unstable();
                ids.dedup();
                ids
            }
            Self::Sampled => Vec::new(),
        }
    }
}

impl Tail {
    /// The divergence on `ids` (ascending, each once; constants for the gradient), for a teacher of
    /// whom only these tokens are at hand. None if the row was recorded.
    pub fn push<R: Real>(
        self,
        divergence: Divergence,
        row: &mut StudentRow<R>,
        ids: &[usize],
        teacher: &Gathered<R>,
        weight: R,
    ) -> Option<Truncated<R>> {
        let kept = gather(row.logits()?, ids);
        let student_mass = (log_sum_exp(&kept) - row.log_normaliser()).exp();
        let value = match self {
            Self::Renormalise => renormalised(divergence, row, ids, &kept, &teacher.logits, weight)?,
            Self::Bucket => bucketed(divergence, row, ids, kept, teacher, weight)?,
            Self::Drop => dropped(divergence, row, ids, &kept, teacher, weight)?,
        };
        Some(Truncated { value, student_mass, teacher_mass: teacher.mass() })
    }
}

/// A teacher on some tokens only.
#[derive(Clone, Debug, PartialEq)]
pub struct Gathered<R> {
    /// Its logits (or log-probabilities) there.
    pub logits: Vec<R>,
    /// `log Σ exp` of its logits everywhere else.
    pub rest: R,
}

impl<R: Real> Gathered<R> {
    /// Takes `ids` (ascending) out of a whole row.
    pub fn of(row: &[R], ids: &[usize]) -> Self {
        Self { logits: gather(row, ids), rest: log_sum_exp_over(outside(ids, row.len()).map(|i| row[i])) }
    }

    /// Log-probabilities as a server returns them; the rest is what they leave of 1.
    ///
    /// ```
    /// use limbeck::stages::loss::top_k::Gathered;
    /// let teacher = Gathered::from_log_probs(vec![0.5f64.ln(), 0.3f64.ln()]);
    /// assert!((teacher.rest - 0.2f64.ln()).abs() < 1e-12);
    /// ```
    pub fn from_log_probs(log_probs: Vec<R>) -> Self {
        let mass: f64 = log_probs.iter().map(|l| l.f64().exp()).sum();
        Self { logits: log_probs, rest: R::of((-mass.min(1.0)).ln_1p()) }
    }

    /// Fewer of the same tokens, by their places among them (ascending).
    pub fn narrowed(&self, places: &[usize]) -> Self {
        let others = outside(places, self.logits.len()).map(|at| self.logits[at]);
        Self { logits: gather(&self.logits, places), rest: log_sum_exp_over(others.chain([self.rest])) }
    }

    /// `log Σ exp` of all its logits.
    fn log_normaliser(&self) -> R {
        log_sum_exp_over(self.logits.iter().copied().chain([self.rest]))
    }

    /// Its probability of the tokens gathered.
    fn mass(&self) -> R {
        (log_sum_exp(&self.logits) - self.log_normaliser()).exp()
    }
}

/// `D(s̃, q̃)` with `s̃ = softmax(z_K)`, `q̃` likewise: the full divergence of two short rows.
fn renormalised<R: Real>(
    divergence: Divergence,
    row: &mut StudentRow<R>,
    ids: &[usize],
    student: &[R],
    teacher: &[R],
    weight: R,
) -> Option<R> {
    let mut grad = vec![R::zero(); student.len()];
    let value = divergence.push(&mut StudentRow::traced(student, 0, &mut grad), teacher, weight)?;
    for (&id, &g) in ids.iter().zip(&grad) {
        row.push_logit(id, g);
    }
    Some(value)
}

/// The rest as token K+1, whose logit is `r = log Σ_{i∉K} exp(z_i)`: `∂r/∂z_i = exp(z_i − r)`.
fn bucketed<R: Real>(
    divergence: Divergence,
    row: &mut StudentRow<R>,
    ids: &[usize],
    mut student: Vec<R>,
    teacher: &Gathered<R>,
    weight: R,
) -> Option<R> {
    let logits = row.logits()?;
    let tail = outside(ids, logits.len());
    let rest = log_sum_exp_over(tail.clone().map(|i| logits[i]));
    student.push(rest);
    let teacher: Vec<R> = teacher.logits.iter().copied().chain([teacher.rest]).collect();
    let mut grad = vec![R::zero(); student.len()];
    let value = divergence.push(&mut StudentRow::traced(&student, 0, &mut grad), &teacher, weight)?;
    for (id, &g) in ids.iter().copied().zip(&grad) {
        row.push_logit(id, g);
    }
    let of_rest = grad[ids.len()];
    if rest > R::neg_infinity() {
        tail.for_each(|i| row.push_logit(i, of_rest * (logits[i] - rest).exp()));
    }
    Some(value)
}

/// `Σ_{i∈K} f(log s_i, log q_i)` with `s`, `q` over the whole vocabulary:
/// `∂/∂z_j = 1[j∈K] f'_j − s_j Σ_{i∈K} f'_i`, constants of `f'` included.
fn dropped<R: Real>(
    divergence: Divergence,
    row: &mut StudentRow<R>,
    ids: &[usize],
    student: &[R],
    teacher: &Gathered<R>,
    weight: R,
) -> Option<R> {
    let (logits, log_s, log_q) = (row.logits()?, row.log_normaliser(), teacher.log_normaliser());
    let term = |(&s, &q): (&R, &R)| {
        let at = divergence.term(s - log_s, q - log_q);
        Term { slope: at.slope + divergence.constant::<R>() * at.s, ..at }
    };
    let terms: Vec<_> = student.iter().zip(&teacher.logits).map(term).collect();
    let (value, slope) = Term::sum(&terms);
    row.add_grad(|grad| R::add_exp(logits, log_s, -weight * slope, grad));
    for (&id, at) in ids.iter().zip(&terms) {
        row.push_logit(id, weight * at.slope);
    }
    Some(value)
}

/// The ids of the `k` largest numbers of `row`, ascending; of equals the lowest id comes first.
///
/// One pass with a pool of at most 2k candidates: O(V), however large the vocabulary.
///
/// ```
/// use limbeck::stages::loss::top_k::top_k;
/// assert_eq!(top_k(&[0.1, 0.4, 0.4, 0.4, 0.2], 2), [1, 2]);
/// assert_eq!(top_k(&[0.3, 0.7], 9), [0, 1]);
/// ```
pub fn top_k<R: Real>(row: &[R], k: usize) -> Vec<usize> {
    if k == 0 || k >= row.len() {
        return (0..row.len().min(k)).collect();
    }
    let mut pool: Vec<usize> = Vec::new();
    let mut floor = R::neg_infinity(); // the k-th largest of those seen at the last thinning
    for (id, &x) in row.iter().enumerate() {
        // ids come in ascending order, so an equal of the floor comes too late once k are in
        if pool.len() < k || x > floor {
            pool.push(id);
            if pool.len() > k.saturating_mul(2) {
                floor = thin(row, &mut pool, k);
            }
        }
    }
    thin(row, &mut pool, k);
    pool.sort_unstable();
    pool
}

/// Leaves the `k` best of `pool` (at least `k` long) and returns the worst of them.
fn thin<R: Real>(row: &[R], pool: &mut Vec<usize>, k: usize) -> R {
    let key = |id: usize| row[id].f64() + 0.0; // −0 equals 0
    pool.select_nth_unstable_by(k - 1, |&a, &b| key(b).total_cmp(&key(a)).then(a.cmp(&b)));
    pool.truncate(k);
    row[pool[k - 1]]
}

/// The entries of `row` at `ids`.
fn gather<R: Real>(row: &[R], ids: &[usize]) -> Vec<R> {
    ids.iter().map(|&id| row.get(id).copied().unwrap_or(R::neg_infinity())).collect()
}

/// The ids below `n` that are not in `ids` (ascending).
fn outside(ids: &[usize], n: usize) -> impl Iterator<Item = usize> + Clone + '_ {
    let ends = ids.iter().copied().chain([n]);
    let starts = [0].into_iter().chain(ids.iter().map(|id| id + 1));
    starts.zip(ends).flat_map(move |(start, end)| start..end.min(n))
}
