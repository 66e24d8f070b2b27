use super::SpliceKernel;
use crate::kernels::add::increase;
use crate::tensor::{cpu_matrix, shape, slice, Buffer, Cpu, HasErr, Matrix};

impl SpliceKernel for Cpu {
    fn splice(
        &self,
        into: &Matrix<Self>,
        rows: &Matrix<Self>,
        places: &[usize],
    ) -> Result<Matrix<Self>, <Self as HasErr>::Err> {
        let (count, width) = shape(into);
        let (mut out, mut next) = (Vec::with_capacity(count * width), 0);
        for (i, &place) in places.iter().enumerate() {
            out.extend_from_slice(&slice(into)[next * width..place * width]);
            out.extend_from_slice(&slice(rows)[i * width..][..width]);
            next = place + 1;
        }
        out.extend_from_slice(&slice(into)[next * width..]);
        cpu_matrix(self, count, width, out)
    }

    fn splice_backward(
        &self,
        places: &[usize],
        width: usize,
        g: &Buffer<Self>,
        g_into: &mut Buffer<Self>,
        g_rows: &mut Buffer<Self>,
    ) -> Result<(), <Self as HasErr>::Err> {
        let mut next = 0;
        for (i, &place) in places.iter().enumerate() {
            increase(&mut g_into[next * width..place * width], &g[next * width..place * width]);
            increase(&mut g_rows[i * width..][..width], &g[place * width..][..width]);
            next = place + 1;
        }
        increase(&mut g_into[next * width..], &g[next * width..]);
        Ok(())
    }
}
