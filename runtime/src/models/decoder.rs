//! A decoder: its configuration, its parameters, and what can be asked of it.

use super::config::ModelConfig;
use super::forward::Pass;
use super::lora::Adapters;
use super::loss_scale::LossScale;
use super::packed::Packed;
use super::vision::Part;
use super::weights::{plan, Parameter, Places};
use crate::error::{Error, Result};
use crate::kernels::exp::{entropy, log_sum_exp};
use crate::kernels::linear::linear;
use crate::kernels::select_rows::select_rows;
use crate::kernels::vocabulary_loss::{self, each_row, rows_at_once};
use crate::tensor::{self, failed, Device, Grads, Matrix, NoneTape};
use std::sync::OnceLock;

/// A decoder-only language model of the Llama or Qwen family, in `f32` on device `D`.
#[derive(Debug)]
pub struct Decoder<D: Device> {
    pub(super) config: ModelConfig,
    pub(super) device: D,
    pub(super) parameters: Vec<Parameter<D>>,
    pub(super) places: Places,
    pub(super) adapters: Option<Adapters<D>>,
    pub(super) checkpointing: bool,
    pub(super) loss_scale: Option<LossScale>,
    /// The parts that do not learn.
    pub(super) still: Vec<Part>,
}

impl<D: Device> Decoder<D> {
    /// A model with random weights: N(0, 0.02), smaller where the residual stream is added to; norms 1,
    /// biases 0. The same seed gives the same weights.
    ///
    /// # Errors
    /// When the sizes do not go together or the device is out of memory.
    pub fn random(config: &ModelConfig, seed: u64, device: &D) -> Result<Self> {
        config.check()?;
        let (specs, places) = plan(config);
        let parameter = |(index, spec): (usize, super::weights::Spec)| {
            let values = spec.random(seed, index);
            Parameter::new(device, spec, values)
        };
        let parameters = specs.into_iter().enumerate().map(parameter).collect::<Result<_>>()?;
        Ok(Self {
            config: config.clone(),
            device: device.clone(),
            parameters,
            places,
            adapters: None,
            checkpointing: false,
            loss_scale: None,
            still: Vec::new(),
        })
    }

    /// The configuration.
    pub fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// The device the weights are on.
    pub fn device(&self) -> &D {
        &self.device
    }

    /// All parameters of the model itself, in a fixed order: embedding, layers, last norm, output layer unless
    /// tied. Of a model with adapters they stay as they are; see [`learning`](Self::learning).
    pub fn parameters(&self) -> &[Parameter<D>] {
        &self.parameters
    }

    /// All parameters, for changing their values in place.
    pub fn parameters_mut(&mut self) -> &mut [Parameter<D>] {
        &mut self.parameters
    }

    /// Whether every number that learns is finite.
    ///
    /// # Errors
    /// When the device fails, or the model's weights stay in their files.
    pub fn is_finite(&self) -> Result<bool> {
        for value in self.learners()? {
            if !self.device.is_finite(value).map_err(failed)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// How many numbers the model has.
    pub fn size(&self) -> usize {
        self.parameters.iter().map(|p| p.shape().iter().product::<usize>()).sum()
    }

    /// How many numbers of the model are held on its device, and how many the largest of those has that stay in their
    /// files until they are used.
    pub fn held_and_largest_stored(&self) -> (usize, usize) {
        let size = |p: &Parameter<D>| p.shape().iter().product::<usize>();
        let (held, stored): (Vec<_>, Vec<_>) = self.parameters.iter().partition(|p| p.is_held());
        (held.into_iter().map(size).sum(), stored.into_iter().map(size).max().unwrap_or(0))
    }

    /// A copy with its own weights; those that never change are shared.
    ///
    /// # Errors
    /// When the device is out of memory.
    pub fn deep_copy(&self) -> Result<Self> {
        let own = |all: &[Parameter<D>]| all.iter().map(Parameter::deep_copy).collect::<Result<Vec<_>>>();
        let (parameters, adapters) = match &self.adapters {
            None => (own(&self.parameters)?, None),
            Some(adapters) => {
                let mut copy = adapters.clone();
                copy.factors = own(&adapters.factors)?;
                (self.parameters.clone(), Some(copy))
            }
        };
        Ok(Self {
            config: self.config.clone(),
            device: self.device.clone(),
            parameters,
            places: self.places.clone(),
            adapters,
            checkpointing: self.checkpointing,
            loss_scale: self.loss_scale,
            still: self.still.clone(),
        })
    }

    /// The logits of the rows of `batch`, `[R, V]`, without a tape.
    ///
    /// # Errors
    /// When a prompt is empty, a sequence is too long, a token id is outside the vocabulary, or the device
    /// fails.
    pub fn logits(&self, batch: &Packed) -> Result<Matrix<D>> {
        if batch.rows().is_empty() {
            batch.check(self.config.max_position_embeddings)?;
            return tensor::matrix(&self.device, 0, self.config.vocab_size, Vec::new());
        }
        tensor::within(&self.device, || {
            let tape = &mut NoneTape;
            let pass = Pass::new(self);
            let hidden = pass.rows(tape, batch)?;
            pass.head(tape, &hidden)
        })
    }

    /// What `keep` makes of the logits of one response after the other, `[lengths[i], V]`, which it may overwrite; the
    /// rows of `batch` are theirs in order. Never are all logits there at once.
    ///
    /// # Errors
    /// As [`Decoder::logits`], or when the lengths are not those of the rows.
    pub fn logits_of_each<T>(
        &self,
        batch: &Packed,
        lengths: &[usize],
        mut keep: impl FnMut(usize, &mut [f32]) -> T,
    ) -> Result<Vec<T>> {
        let (rows, width) = (batch.rows().len(), self.config.vocab_size);
        if lengths.iter().sum::<usize>() != rows {
            return Err(Error::call(format!("{} lengths do not make {rows} rows", lengths.len())));
        }
        if rows == 0 {
            return Ok((0..lengths.len()).map(|i| keep(i, &mut [])).collect());
        }
        let (tape, head) = (&mut NoneTape, self.head()?);
        let hidden = tensor::within(&self.device, || {
            let pass = Pass::new(self);
            let hidden = pass.rows(&mut NoneTape, batch)?;
            pass.last_norm(&mut NoneTape, &hidden)
        })?;
        let (mut kept, mut first) = (Vec::with_capacity(lengths.len()), 0);
        while kept.len() < lengths.len() {
            let (from, mut count) = (kept.len(), 0);
            let fits = |&&length: &&usize| {
                count += length;
                count == length || count <= rows_at_once(width)
            };
            let some = lengths[from..].iter().take_while(fits).count();
            let count: usize = lengths[from..from + some].iter().sum();
            let part = select_rows(tape, &hidden, (first..first + count).collect())?;
            let logits = tensor::within(&self.device, || linear(&mut NoneTape, &part, &head, None))?;
            let (mut logits, mut start) = (tensor::to_host(&logits), 0);
            for (i, length) in (from..).zip(&lengths[from..from + some]) {
                kept.push(keep(i, &mut logits[start * width..(start + length) * width]));
                start += length;
            }
            first += count;
        }
        Ok(kept)
    }

    /// The natural-log probability of `ids[r]` at row r of `batch`; summed in `f64` from `f32` logits.
    ///
    /// # Errors
    /// As [`Decoder::logits`], or when there is not one id for each row or one is outside the vocabulary.
    pub fn log_probs(&self, batch: &Packed, ids: &[u32]) -> Result<Vec<f64>> {
        self.of_rows(
            batch,
            ids,
            |(log_prob, _)| log_prob,
            |row, id| f64::from(row[id as usize]) - log_sum_exp(row),
        )
    }

    /// [`Decoder::log_probs`], each with the entropy of its row in nats.
    ///
    /// # Errors
    /// As [`Decoder::log_probs`].
    pub fn log_probs_and_entropies(&self, batch: &Packed, ids: &[u32]) -> Result<Vec<(f64, f64)>> {
        self.of_rows(
            batch,
            ids,
            |said| said,
            |row, id| {
                let whole = log_sum_exp(row);
                (f64::from(row[id as usize]) - whole, entropy(row, whole))
            },
        )
    }

    /// What `of` makes of the logits of row r of `batch` and of `ids[r]`, or `said` of what the device finds by itself.
    fn of_rows<T: Send + Sync>(
        &self,
        batch: &Packed,
        ids: &[u32],
        said: impl Fn((f64, f64)) -> T + Sync,
        of: impl Fn(&[f32], u32) -> T + Sync,
    ) -> Result<Vec<T>> {
        let (count, vocabulary) = (batch.rows().len(), self.config.vocab_size);
        if ids.len() != count {
            return Err(Error::call(format!("{} token ids for {count} rows", ids.len())));
        }
        if let Some(id) = ids.iter().find(|&&id| id as usize >= vocabulary) {
            return Err(Error::call(format!(
                "token id {id} is outside the model's vocabulary of {vocabulary}"
            ))
            .next("check that both models read the same tokenizer"));
        }
        if count == 0 {
            return self.logits(batch).map(|_| Vec::new());
        }
        tensor::within(&self.device, || {
            let tape = &mut NoneTape;
            let pass = Pass::new(self);
            let hidden = pass.rows(tape, batch)?;
            let hidden = pass.last_norm(tape, &hidden)?;
            if let Some(all) = vocabulary_loss::said(&hidden, &self.head()?, ids)? {
                return Ok(all.into_iter().map(&said).collect());
            }
            let found: Vec<OnceLock<T>> = (0..count).map(|_| OnceLock::new()).collect();
            each_row(&hidden, &self.head()?, &|row, logits| {
                found[row].get_or_init(|| of(logits, ids[row]));
            })?;
            let unseen = || Error::run("a row of logits was not shown");
            found.into_iter().map(|found| found.into_inner().ok_or_else(unseen)).collect()
        })
    }

    /// The output layer, `[V, hidden]`.
    pub(super) fn head(&self) -> Result<Matrix<D>> {
        self.parameters[self.places.head].value()
    }

    /// Zero gradients for all that learns, at the present loss scale.
    ///
    /// # Errors
    /// When the device is out of memory, or the model's weights stay in their files.
    pub fn zero_grads(&self) -> Result<Grads<D>> {
        let scale = self.loss_scale.map_or(1.0, |scale| scale.scale());
        Ok(Grads::zeros(&self.device, self.learners()?)?.scaled_by(scale))
    }

    /// The values of what learns.
    pub(super) fn learners(&self) -> Result<Vec<&Matrix<D>>> {
        self.learning().iter().map(Parameter::held).collect()
    }
}
