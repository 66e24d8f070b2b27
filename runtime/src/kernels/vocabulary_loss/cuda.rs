use super::{gpu, HeadGradients, VocabularyLossKernel};
use crate::kernels::gpu::cuda::{at, buffer_at, engine};
use crate::kernels::token_loss::TokenLoss;
use crate::tensor::{shape, Cuda, HasErr, Matrix};

/// Rows, numbers of a hidden state, and tokens.
fn sizes(hidden: &Matrix<Cuda>, head: &Matrix<Cuda>) -> [usize; 3] {
    let (rows, inner) = shape(hidden);
    [rows, inner, shape(head).0]
}

impl VocabularyLossKernel for Cuda {
    fn vocabulary_loss(
        &self,
        hidden: &Matrix<Self>,
        head: &Matrix<Self>,
        weights: &[f32],
        loss: &dyn TokenLoss,
        into: Option<HeadGradients<'_, Self>>,
    ) -> Result<Vec<f64>, <Self as HasErr>::Err> {
        let into = into.map(|into| (buffer_at(into.hidden), into.head.map(|head| buffer_at(head))));
        let (matrices, sizes) = ([at(hidden), at(head)], sizes(hidden, head));
        gpu::vocabulary_loss(engine()?, matrices, sizes, weights, loss, into)
    }

    fn each_row(
        &self,
        hidden: &Matrix<Self>,
        head: &Matrix<Self>,
        look: &(dyn Fn(usize, &[f32]) + Sync),
    ) -> Result<(), <Self as HasErr>::Err> {
        gpu::each_row(engine()?, [at(hidden), at(head)], sizes(hidden, head), look)
    }

    fn said(
        &self,
        hidden: &Matrix<Self>,
        head: &Matrix<Self>,
        ids: &[u32],
    ) -> Result<Option<Vec<(f64, f64)>>, <Self as HasErr>::Err> {
        gpu::said(engine()?, [at(hidden), at(head)], sizes(hidden, head), ids).map(Some)
    }
}
