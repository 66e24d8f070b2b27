use super::{HeadGradients, VocabularyLossKernel};
use crate::kernels::matmul::{accumulate, overwrite, Left, Panels, Side};
use crate::kernels::token_loss::TokenLoss;
use crate::tensor::{shape, slice, Cpu, HasErr, Matrix};
use rayon::prelude::*;

/// Logits at once. Each lot of rows walks over all weights of the output layer, so fewer logits cost time.
const LOGITS: usize = 12 << 20;

/// Rows at once: more would not make the walk over the weights cheaper, and fewer would make it dear.
const ROWS: std::ops::RangeInclusive<usize> = 64..=384;

/// Logits of one task of the loss: few, because a loss may cost much more per logit than a sum.
const TASK: usize = 2048;

/// Rows whose logits are there at once, of a vocabulary so wide.
pub(crate) fn rows_at_once(width: usize) -> usize {
    (LOGITS / width.max(1)).clamp(*ROWS.start(), *ROWS.end())
}

impl VocabularyLossKernel for Cpu {
    fn vocabulary_loss(
        &self,
        hidden: &Matrix<Self>,
        head: &Matrix<Self>,
        weights: &[f32],
        loss: &dyn TokenLoss,
        mut into: Option<HeadGradients<'_, Self>>,
    ) -> Result<Vec<f64>, <Self as HasErr>::Err> {
        let (inner, width) = (shape(hidden).1, shape(head).0);
        let mut losses = vec![0.0; weights.len()];
        by_lots(hidden, head, |start, logits| {
            let rows = logits.len() / width;
            let weights = &weights[start..][..rows];
            let losses = losses[start..].par_iter_mut().zip(logits.par_chunks_exact_mut(width));
            let tasks = losses.zip(weights).enumerate().with_min_len((TASK / width).max(1));
            let Some(into) = &mut into else {
                return tasks
                    .for_each(|(row, ((out, logits), _))| *out = loss.row(start + row, logits, None));
            };
            tasks.for_each_init(Vec::new, |gradient, (row, ((out, logits), &weight))| {
                if weight == 0.0 {
                    *out = loss.row(start + row, logits, None);
                    return logits.fill(0.0);
                }
                gradient.clear();
                gradient.resize(width, 0.0);
                *out = loss.row(start + row, logits, Some(&mut gradient[..]));
                logits.iter_mut().zip(gradient).for_each(|(slot, g)| *slot = *g * weight);
            });
            if weights.iter().all(|&weight| weight == 0.0) {
                return;
            }
            let right = Side::Rows { values: slice(head), depth: width, columns: inner };
            let g_hidden = &mut into.hidden[start * inner..][..rows * inner];
            accumulate(Left::rows(logits, rows, width), right, g_hidden);
            if let Some(g_head) = &mut into.head {
                let x = Panels::of_rows(&slice(hidden)[start * inner..][..rows * inner], rows, inner);
                accumulate(Left::columns(logits, width, width), x.right(), g_head);
            }
        });
        Ok(losses)
    }

    fn each_row(
        &self,
        hidden: &Matrix<Self>,
        head: &Matrix<Self>,
        look: &(dyn Fn(usize, &[f32]) + Sync),
    ) -> Result<(), <Self as HasErr>::Err> {
        let width = shape(head).0;
        by_lots(hidden, head, |start, logits| {
            let rows = logits.par_chunks_exact(width).enumerate().with_min_len((TASK / width).max(1));
            rows.for_each(|(row, logits)| look(start + row, logits));
        });
        Ok(())
    }
}

/// Calls `work` with the logits of some rows, and the first of these rows, until all have been there.
fn by_lots(hidden: &Matrix<Cpu>, head: &Matrix<Cpu>, mut work: impl FnMut(usize, &mut [f32])) {
    let ((rows, inner), width) = (shape(hidden), shape(head).0);
    if width == 0 {
        return;
    }
    let right = Side::Columns { values: slice(head), depth: inner, columns: width };
    let lot = rows_at_once(width);
    let mut logits = Vec::new();
    for start in (0..rows).step_by(lot) {
        let count = lot.min(rows - start);
        let left = Left::rows(&slice(hidden)[start * inner..][..count * inner], count, inner);
        overwrite(left, right, &mut logits);
        work(start, &mut logits);
    }
}
