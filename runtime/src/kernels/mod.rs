//! The operations of a decoder, one folder each: a trait that a device implements (forward and backward,
//! on its own buffers) and one function over tensors that puts the backward step on a tape.
//!
//! The layout is packed: the sequences of a batch lie one after the other in `[N, …]` matrices, without
//! padding, and [`Spans`](attention::Spans) says where each begins. Nothing here knows a model or a method.

pub mod adamw;
pub mod add;
pub mod attention;
pub mod decode_attention;
pub mod embed;
pub mod exp;
pub mod gelu;
#[cfg(any(test, feature = "cuda"))]
pub(crate) mod gpu;
#[cfg(any(test, feature = "cuda"))]
pub(crate) mod half;
pub mod layer_norm;
pub mod linear;
pub(crate) mod matmul;
pub(crate) mod parallel;
pub mod rms_norm;
pub mod sample;
pub mod select_rows;
pub(crate) mod simd;
pub mod splice;
pub mod swiglu;
pub mod token_loss;
pub mod vocabulary_loss;

#[cfg(test)]
pub(crate) mod check;

use crate::error::Error;
use crate::tensor::{HasErr, Matrix};
use std::rc::Rc;

/// Computes a matrix once more, to the bit: what a trace keeps where that costs less than the memory would.
pub type Again<D> = Rc<dyn Fn() -> Result<Matrix<D>, <D as HasErr>::Err>>;

/// Everything a device must be able to do.
pub trait Kernels:
    adamw::AdamWKernel
    + add::AddKernel
    + attention::AttentionKernel
    + decode_attention::DecodeKernel
    + gelu::GeluKernel
    + layer_norm::LayerNormKernel
    + linear::LinearKernel
    + rms_norm::RmsNormKernel
    + sample::SampleKernel
    + select_rows::SelectKernel
    + splice::SpliceKernel
    + swiglu::SwigluKernel
    + token_loss::LossKernel
    + vocabulary_loss::VocabularyLossKernel
{
}

impl<D> Kernels for D where
    D: adamw::AdamWKernel
        + add::AddKernel
        + attention::AttentionKernel
        + decode_attention::DecodeKernel
        + gelu::GeluKernel
        + layer_norm::LayerNormKernel
        + linear::LinearKernel
        + rms_norm::RmsNormKernel
        + sample::SampleKernel
        + select_rows::SelectKernel
        + splice::SpliceKernel
        + swiglu::SwigluKernel
        + token_loss::LossKernel
        + vocabulary_loss::VocabularyLossKernel
{
}

/// `operation` was given things that do not go together.
pub(crate) fn misfit(operation: &str, what: impl std::fmt::Display) -> Error {
    Error::run(format!("{operation}: {what}"))
}
