//! The forward pass, once for training, scoring, reading prompts and decoding: they differ in the tape and in
//! how a layer attends.

use super::decoder::Decoder;
use super::packed::Packed;
use super::vision::{EyePlaces, Part, VisionConfig};
use super::weights::EMBEDDING;
use crate::error::Result;
use crate::kernels::add::{add, add_scaled};
use crate::kernels::attention::{attention, Heads, Layout, Rotary};
use crate::kernels::embed::embed;
use crate::kernels::linear::{again, linear, linear_of, Weight};
use crate::kernels::rms_norm::rms_norm;
use crate::kernels::select_rows::select_rows;
use crate::kernels::swiglu::{swiglu, swiglu_again};
use crate::kernels::Again;
use crate::tensor::{failed, Device, Matrix, NoneTape, Tape};
use std::sync::Arc;

/// How a layer attends: tape, layer, and its queries, keys and values before rotation.
pub(super) type Attend<'a, D, T> = dyn FnMut(&mut T, usize, [&Matrix<D>; 3]) -> Result<Matrix<D>> + 'a;

/// A forward pass through `decoder`, perhaps one of many with the same weights.
pub(super) struct Pass<'a, D: Device> {
    decoder: &'a Decoder<D>,
    /// All values, where they are used again and again.
    values: Vec<Matrix<D>>,
    prepared: Vec<Option<D::Prepared>>,
    factors: Vec<Option<D::Prepared>>,
}

impl<'a, D: Device> Pass<'a, D> {
    /// A single pass.
    pub fn new(decoder: &'a Decoder<D>) -> Self {
        Self { decoder, values: Vec::new(), prepared: Vec::new(), factors: Vec::new() }
    }

    /// The first of many: weights are laid out once.
    pub fn prepared(decoder: &'a Decoder<D>) -> Result<Self> {
        let values: Vec<_> = decoder.parameters.iter().map(super::Parameter::value).collect::<Result<_>>()?;
        let prepare = |value: &Matrix<D>| decoder.device.prepare(value).map(Some).map_err(failed);
        // an embedding table that is no output layer is only looked up, and a vector is never on a product's right side
        let looked_up = |index| index == EMBEDDING && decoder.places.head != EMBEDDING;
        let prepared = values.iter().zip(&decoder.parameters).enumerate().map(|(index, (value, own))| {
            if own.shape().len() > 1 && !looked_up(index) {
                prepare(value)
            } else {
                Ok(None)
            }
        });
        let prepared = prepared.collect::<Result<_>>()?;
        let factors = decoder.adapters.iter().flat_map(|own| &own.factors);
        let factors = factors.map(|factor| prepare(factor.held()?)).collect::<Result<_>>()?;
        Ok(Self { decoder, values, prepared, factors })
    }

    /// Where the weights are.
    pub fn device(&self) -> &D {
        &self.decoder.device
    }

    /// The heads of every layer.
    pub fn heads(&self) -> Heads {
        let config = &self.decoder.config;
        Heads {
            query: config.num_attention_heads,
            shared: config.num_key_value_heads,
            width: config.head_dim,
        }
    }

    /// What attention over `batch` needs to know.
    pub fn layout(&self, batch: &Packed) -> Layout {
        let heads = self.heads();
        let rotary = Rotary::new(batch.longest(), &self.decoder.config.rates());
        Layout { heads, spans: batch.shared_spans(), rotary: Arc::new(rotary), causal: true }
    }

    /// The last hidden states at the rows of `batch`, before the last norm: `[R, hidden]`.
    pub fn rows<T: Tape<D>>(&self, tape: &mut T, batch: &Packed) -> Result<Matrix<D>> {
        batch.check(self.decoder.config.max_position_embeddings)?;
        let layout = self.layout(batch);
        let hidden = self.hidden_of(tape, batch, &mut |tape, _, qkv| attention(tape, qkv, &layout))?;
        select_rows(tape, &hidden, batch.rows().to_vec())
    }

    /// The last hidden states of all tokens, `[N, hidden]`, where layers attend by `attend`.
    pub fn hidden<T: Tape<D>>(
        &self,
        tape: &mut T,
        tokens: &[u32],
        attend: &mut Attend<'_, D, T>,
    ) -> Result<Matrix<D>> {
        let x = self.embedded(tape, tokens)?;
        self.through(tape, x, attend)
    }

    /// [`Pass::hidden`] of all that a batch shows, its images too.
    pub fn hidden_of<T: Tape<D>>(
        &self,
        tape: &mut T,
        batch: &Packed,
        attend: &mut Attend<'_, D, T>,
    ) -> Result<Matrix<D>> {
        let x = self.embedded_all(tape, batch)?;
        self.through(tape, x, attend)
    }

    /// What comes out of the last layer where `x` goes into the first.
    fn through<T: Tape<D>>(
        &self,
        tape: &mut T,
        x: Matrix<D>,
        attend: &mut Attend<'_, D, T>,
    ) -> Result<Matrix<D>> {
        (0..self.layers()).try_fold(x, |x, layer| self.layer(tape, layer, x, attend))
    }

    /// The eyes, where the model has some.
    pub(super) fn eyes(&self) -> Option<(&VisionConfig, &EyePlaces)> {
        self.decoder.config.vision.as_ref().zip(self.decoder.places.eyes.as_ref())
    }

    /// Whether the weights of this part learn, and not factors beside them.
    pub(super) fn part_learns(&self, part: Part) -> bool {
        self.decoder.adapters.is_none() && !self.decoder.still.contains(&part)
    }

    /// A weight that is part of `part`, the layer's value at `index`.
    pub(super) fn weight<'v>(&'v self, index: usize, value: &'v Matrix<D>, part: Part) -> Weight<'v, D> {
        let prepared = self.prepared.get(index).and_then(Option::as_ref);
        Weight { value, prepared, learns: self.part_learns(part) }
    }

    /// What goes into the first layer: `[N, hidden]`.
    pub fn embedded<T: Tape<D>>(&self, tape: &mut T, tokens: &[u32]) -> Result<Matrix<D>> {
        let stored = || self.decoder.parameters[EMBEDDING].stored_rows(tokens);
        if let Some(rows) = self.values.is_empty().then(stored).flatten() {
            return rows;
        }
        match self.learns() {
            true => embed(tape, &self.value(EMBEDDING)?, tokens),
            false => embed(&mut NoneTape, &self.value(EMBEDDING)?, tokens),
        }
    }

    /// How many layers there are.
    pub fn layers(&self) -> usize {
        self.decoder.places.layers.len()
    }

    /// Logits from hidden states: the last norm and the output layer.
    pub fn head<T: Tape<D>>(&self, tape: &mut T, hidden: &Matrix<D>) -> Result<Matrix<D>> {
        let x = self.last_norm(tape, hidden)?;
        self.linear(tape, &x, self.decoder.places.head, None)
    }

    /// What the output layer reads: the last norm of hidden states.
    pub fn last_norm<T: Tape<D>>(&self, tape: &mut T, hidden: &Matrix<D>) -> Result<Matrix<D>> {
        self.norm(tape, hidden, self.decoder.places.norm)
    }

    /// What comes out of layer `index` where `x` goes in.
    pub fn layer<T: Tape<D>>(
        &self,
        tape: &mut T,
        index: usize,
        x: Matrix<D>,
        attend: &mut Attend<'_, D, T>,
    ) -> Result<Matrix<D>> {
        let at = &self.decoder.places.layers[index];
        let y = self.norm(tape, &x, at.input_norm)?;
        let bias = |side: usize| at.qkv_bias.map(|bias| bias[side]);
        let mut q = self.linear(tape, &y, at.qkv[0], bias(0))?;
        let mut k = self.linear(tape, &y, at.qkv[1], bias(1))?;
        let v = self.linear(tape, &y, at.qkv[2], bias(2))?;
        if let Some([q_norm, k_norm]) = at.head_norms {
            q = self.norm(tape, &q, q_norm)?;
            k = self.norm(tape, &k, k_norm)?;
        }
        let y = attend(tape, index, [&q, &k, &v])?;
        let y = self.linear(tape, &y, at.output, at.output_bias)?;
        let x = add(tape, &x, &y)?;
        let y = self.norm(tape, &x, at.post_norm)?;
        let gate = self.linear(tape, &y, at.gate, None)?;
        let up = self.linear(tape, &y, at.up, None)?;
        let y = swiglu(tape, &gate, &up)?;
        // the widest of all that a trace would keep, and the cheapest to compute again
        let y = self.linear_of(tape, &y, &swiglu_again(&gate, &up), at.down, None)?;
        add(tape, &x, &y)
    }

    /// Whether the decoder's own weights learn.
    fn learns(&self) -> bool {
        self.part_learns(Part::Decoder)
    }

    pub(super) fn value(&self, index: usize) -> Result<Matrix<D>> {
        match self.values.get(index) {
            Some(value) => Ok(value.clone()),
            None => self.decoder.parameters[index].value(),
        }
    }

    fn norm<T: Tape<D>>(&self, tape: &mut T, x: &Matrix<D>, weight: usize) -> Result<Matrix<D>> {
        rms_norm(tape, x, &self.value(weight)?, self.decoder.config.rms_norm_eps as f32)
    }

    fn linear<T: Tape<D>>(
        &self,
        tape: &mut T,
        x: &Matrix<D>,
        weight: usize,
        bias: Option<usize>,
    ) -> Result<Matrix<D>> {
        self.linear_of(tape, x, &again(x), weight, bias)
    }

    fn linear_of<T: Tape<D>>(
        &self,
        tape: &mut T,
        x: &Matrix<D>,
        again: &Again<D>,
        weight: usize,
        bias: Option<usize>,
    ) -> Result<Matrix<D>> {
        let bias = bias.map(|bias| self.value(bias)).transpose()?;
        let value = self.value(weight)?;
        let own = self.weight(weight, &value, Part::Decoder);
        let y = linear_of(tape, x, again, own, bias.as_ref())?;
        let Some(adapters) = &self.decoder.adapters else { return Ok(y) };
        let Some((a, b, scale)) = adapters.of(weight) else { return Ok(y) };
        let factor = |index: usize| -> Result<_> {
            let prepared = self.factors.get(index).and_then(Option::as_ref);
            Ok(Weight { value: adapters.factors[index].held()?, prepared, learns: true })
        };
        let low = linear_of(tape, x, again, factor(a)?, None)?;
        let learnt = linear(tape, &low, factor(b)?, None)?;
        add_scaled(tape, &y, &learnt, scale)
    }
}
