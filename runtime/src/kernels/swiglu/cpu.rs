use super::SwigluKernel;
use crate::kernels::exp::exp;
use crate::kernels::parallel::{self, Shared, PIECE};
use crate::kernels::simd::vectorised;
use crate::tensor::{cpu_buffer, cpu_matrix, shape, slice, Buffer, Cpu, HasErr, Matrix};
use std::mem::MaybeUninit;

impl SwigluKernel for Cpu {
    fn swiglu(&self, gate: &Matrix<Self>, up: &Matrix<Self>) -> Result<Matrix<Self>, <Self as HasErr>::Err> {
        let ((rows, columns), gate, up) = (shape(gate), slice(gate), slice(up));
        // SAFETY: `forward` writes as many values as it is given.
        let out = unsafe {
            parallel::build(gate.len(), PIECE, |start, out| {
                let end = start + out.len();
                forward(out, &gate[start..end], &up[start..end]);
            })
        };
        cpu_matrix(self, rows, columns, out)
    }

    fn swiglu_backward(
        &self,
        gate: &Matrix<Self>,
        up: &Matrix<Self>,
        g: &Buffer<Self>,
    ) -> Result<[Buffer<Self>; 2], <Self as HasErr>::Err> {
        let (gate, up, mut g_up) = (slice(gate), slice(up), Vec::with_capacity(g.len()));
        let of_up = Shared::new(&mut g_up.spare_capacity_mut()[..g.len()]);
        // SAFETY: `backward` writes as many values as it is given, a piece the same of both gradients.
        let g_gate = unsafe {
            parallel::build(g.len(), PIECE, |start, g_gate| {
                let (end, g_up) = (start + g_gate.len(), of_up.part(start, g_gate.len()));
                backward(&gate[start..end], &up[start..end], &g[start..end], g_gate, g_up);
            })
        };
        // SAFETY: just written.
        unsafe { g_up.set_len(g.len()) };
        Ok([cpu_buffer(self, g_gate)?, cpu_buffer(self, g_up)?])
    }
}

vectorised! {
    fn forward(out: &mut [MaybeUninit<f32>], gate: &[f32], up: &[f32]) {
        for ((out, &gate), &up) in out.iter_mut().zip(gate).zip(up) {
            out.write(gate / (1.0 + exp(-gate)) * up);
        }
    }

    fn backward(
        gate: &[f32],
        up: &[f32],
        g: &[f32],
        g_gate: &mut [MaybeUninit<f32>],
        g_up: &mut [MaybeUninit<f32>],
    ) {
        let inputs = gate.iter().zip(up).zip(g);
        for (((&gate, &up), &g), (g_gate, g_up)) in inputs.zip(g_gate.iter_mut().zip(g_up)) {
            let open = 1.0 / (1.0 + exp(-gate));
            g_gate.write(g * up * (open + gate * open * (1.0 - open)));
            g_up.write(g * gate * open);
        }
    }
}
