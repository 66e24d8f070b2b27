//! Floats rounded to halves (IEEE 754 binary16), which products of matrices read on a GPU where a run says
//! `precision: F16`.

pub(crate) mod gpu;
