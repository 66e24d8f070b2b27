//! DOPD (arXiv 2606.30626) written down a second time, from probabilities and as plainly as can be;
//! nothing here calls the library.

/// One position: what the three say of every token, and the token sampled.
pub struct Position {
    pub student: Vec<f64>,
    pub hinted: Vec<f64>,
    pub teacher: Vec<f64>,
    pub sampled: usize,
}

/// What becomes of one position.
pub struct Outcome {
    pub regime: &'static str,
    pub gap: f64,
    /// Weighted.
    pub loss: f64,
    /// With respect to the student's logits.
    pub grad: Vec<f64>,
}

pub fn softmax(logits: &[f64]) -> Vec<f64> {
    let sum: f64 = logits.iter().map(|z| z.exp()).sum();
    logits.iter().map(|z| z.exp() / sum).collect()
}

fn mean(numbers: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut n) = (0.0, 0.0);
    for x in numbers {
        sum += x;
        n += 1.0;
    }
    sum / n
}

/// The K largest, by sorting them all.
fn likeliest(p: &[f64], k: usize) -> Vec<usize> {
    let mut ids: Vec<usize> = (0..p.len()).collect();
    ids.sort_by(|&a, &b| p[b].partial_cmp(&p[a]).unwrap());
    ids.truncate(k);
    ids
}

/// `KL(s‖q)` on `ids` and its gradient `s (log s/q − KL)`, both renormalised, or with the rest of each
/// as one more outcome whose gradient its tokens share in proportion to `s`.
fn reverse(s: &[f64], q: &[f64], ids: &[usize], bucket: bool) -> (f64, Vec<f64>) {
    let cut = |p: &[f64]| {
        let mut kept: Vec<f64> = ids.iter().map(|&i| p[i]).collect();
        let mass: f64 = kept.iter().sum();
        if bucket {
            kept.push((0..p.len()).filter(|i| !ids.contains(i)).map(|i| p[i]).sum());
        } else {
            kept.iter_mut().for_each(|p| *p /= mass);
        }
        kept
    };
    let (a, b) = (cut(s), cut(q));
    let kl: f64 = a.iter().zip(&b).map(|(a, b)| a * (a / b).ln()).sum();
    let slope: Vec<f64> = a.iter().zip(&b).map(|(a, b)| a * ((a / b).ln() - kl)).collect();
    let mut grad = vec![0.0; s.len()];
    for i in 0..s.len() {
        grad[i] = match ids.iter().position(|&id| id == i) {
            Some(at) => slope[at],
            None if bucket => slope[ids.len()] * s[i] / a[ids.len()],
            None => 0.0,
        };
    }
    (kl, grad)
}

fn jensen_shannon(s: &[f64], q: &[f64]) -> (f64, Vec<f64>) {
    let m: Vec<f64> = s.iter().zip(q).map(|(s, q)| (s + q) / 2.0).collect();
    let kl = |p: &[f64]| p.iter().zip(&m).map(|(p, m)| p * (p / m).ln()).sum::<f64>();
    let (of_s, of_q) = (kl(s), kl(q));
    let grad = s.iter().zip(&m).map(|(s, m)| 0.5 * s * ((s / m).ln() - of_s)).collect();
    ((of_s + of_q) / 2.0, grad)
}

/// Every sequence of a batch; the averages are the batch's, without its 5 % largest gaps.
pub fn dopd(batch: &[Vec<Position>], k: usize, bucket: bool) -> Vec<Vec<Outcome>> {
    let q_s = |at: &Position| at.hinted[at.sampled];
    let q_t = |at: &Position| at.teacher[at.sampled];
    let gap = |at: &Position| (q_t(at).ln() - q_s(at).ln()).abs();
    let mut kept: Vec<&Position> = batch.iter().flatten().collect();
    let few = kept.len() / 20;
    for _ in 0..few {
        let mut largest = 0;
        for i in 0..kept.len() {
            if gap(kept[i]) >= gap(kept[largest]) {
                largest = i;
            }
        }
        kept.remove(largest);
    }
    let average = mean(kept.iter().map(|at| gap(at)));
    let likely = mean(kept.iter().map(|at| q_s(at))) + mean(kept.iter().map(|at| q_t(at)));
    let outcome = |at: &Position| {
        let (regime, beta) = match (gap(at) < average, q_s(at) + q_t(at) >= likely, q_t(at) >= q_s(at)) {
            (true, true, _) => ("LH", 0.6),
            (true, false, _) => ("LL", 0.3),
            (false, _, true) => ("HT", 1.0),
            (false, _, false) => ("HS", 0.6),
        };
        let source = if regime == "LH" || regime == "HT" { &at.teacher } else { &at.hinted };
        let (d, grad) = match regime {
            "HT" => jensen_shannon(&at.student, source),
            _ => reverse(&at.student, source, &likeliest(&at.student, k), bucket),
        };
        let grad = grad.iter().map(|g| beta * g).collect();
        Outcome { regime, gap: gap(at), loss: beta * d, grad }
    };
    batch.iter().map(|sequence| sequence.iter().map(outcome).collect()).collect()
}
