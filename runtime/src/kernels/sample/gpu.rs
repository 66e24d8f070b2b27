use super::Drawn;
use crate::kernels::gpu::{Address, Argument::*, Gpu, Grid, Held};
use crate::models::Sampling;

pub(crate) fn sample<G: Gpu>(
    gpu: &G,
    logits: Address,
    width: usize,
    sampling: &Sampling,
    uniforms: &[f64],
) -> Result<Vec<Option<Drawn>>, G::Err> {
    let rows = uniforms.len();
    if rows == 0 {
        return Ok(Vec::new());
    }
    let top_k = u32::try_from(sampling.top_k).unwrap_or(u32::MAX);
    let numbers = gpu.keep(uniforms)?;
    // token, log-probability and whether all logits are finite, of all rows
    let found = gpu.words(3 * rows)?;
    let [tokens, log_probs, finite] = [0, 1, 2].map(|i| crate::kernels::gpu::past(found.at(), i * rows));
    let arguments = [
        At(logits),
        U32(width as u32),
        At(numbers.at()),
        F64(sampling.temperature),
        U32(top_k),
        F64(sampling.top_p),
        At(tokens),
        At(log_probs),
        At(finite),
    ];
    gpu.launch("sample", Grid(rows, 1, width.next_multiple_of(32).min(256)), &arguments)?;
    let words = gpu.take::<u32>(found.at(), 3 * rows)?;
    let drawn = |row: usize| {
        let (token, log_prob) = (words[row], f32::from_bits(words[rows + row]));
        (words[2 * rows + row] != 0).then_some(Drawn { token, log_prob })
    };
    Ok((0..rows).map(drawn).collect())
}
