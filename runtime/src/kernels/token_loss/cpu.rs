use super::{LossKernel, Rows, TokenLoss};
use crate::kernels::parallel::{self, PIECE};
use crate::tensor::{cpu_matrix, shape, slice, Buffer, Cpu, HasErr, Matrix};
use rayon::prelude::*;

/// Logits of one task: few, because a loss may cost much more per logit than a sum.
const LOGITS: usize = 2048;

impl LossKernel for Cpu {
    fn token_loss(
        &self,
        logits: &Matrix<Self>,
        weights: &[f32],
        loss: &dyn TokenLoss,
        traced: bool,
    ) -> Result<Rows<Self>, <Self as HasErr>::Err> {
        let ((rows, width), logits) = (shape(logits), slice(logits));
        let mut losses = vec![0.0; rows];
        if width == 0 {
            return Ok((losses, None));
        }
        let piece = (LOGITS / width).max(1);
        if !traced {
            parallel::each_piece(&mut losses, piece, |start, losses| {
                let values = logits[start * width..].chunks_exact(width);
                for ((row, out), logits) in (start..).zip(losses).zip(values) {
                    *out = loss.row(row, logits, None);
                }
            });
            return Ok((losses, None));
        }
        let mut gradient = vec![0.0; rows * width];
        let pieces = losses.par_chunks_mut(piece).zip(gradient.par_chunks_mut(piece * width));
        pieces.enumerate().for_each(|(i, (losses, gradient))| {
            let start = i * piece;
            let values = logits[start * width..].chunks_exact(width);
            for (((row, out), gradient), logits) in
                (start..).zip(losses).zip(gradient.chunks_exact_mut(width)).zip(values)
            {
                let weight = weights[row];
                if weight == 0.0 {
                    *out = loss.row(row, logits, None);
                } else {
                    *out = loss.row(row, logits, Some(gradient));
                    gradient.iter_mut().for_each(|g| *g *= weight);
                }
            }
        });
        Ok((losses, Some(cpu_matrix(self, rows, width, gradient)?)))
    }

    fn token_loss_backward(
        &self,
        upstream: &Buffer<Self>,
        gradient: &Matrix<Self>,
        g_logits: &mut Buffer<Self>,
    ) -> Result<(), <Self as HasErr>::Err> {
        let (scale, gradient) = (upstream[0], slice(gradient));
        parallel::each_piece(g_logits, PIECE, |start, into| {
            for (into, g) in into.iter_mut().zip(&gradient[start..]) {
                *into += scale * g;
            }
        });
        Ok(())
    }
}
