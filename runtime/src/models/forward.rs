//! The forward pass, once for training, scoring, reading prompts and decoding: they differ in the tape and in
//! how a layer attends.

use super::decoder::Decoder;
use super::packed::Packed;
use super::weights::EMBEDDING;
use crate::error::Result;
use crate::kernels::add::{add, add_scaled};
use crate::kernels::attention::{attention, Heads, Layout, Rotary};
use crate::kernels::embed::embed;
use crate::kernels::linear::{linear, Weight};
use crate::kernels::rms_norm::rms_norm;
use crate::kernels::select_rows::select_rows;
use crate::kernels::swiglu::swiglu;
use crate::tensor::{failed, Device, Matrix, NoneTape, Tape};
use std::sync::Arc;

/// How a layer attends: tape, layer, and its queries, keys and values before rotation.
pub(super) type Attend<'a, D, T> = dyn FnMut(&mut T, usize, [&Matrix<D>; 3]) -> Result<Matrix<D>> + 'a;

/// A forward pass through `decoder`, perhaps one of many with the same weights.
pub(super) struct Pass<'a, D: Device> {
    decoder: &'a Decoder<D>,
    prepared: Vec<Option<D::Prepared>>,
    factors: Vec<Option<D::Prepared>>,
}

impl<'a, D: Device> Pass<'a, D> {
    /// A single pass.
    pub fn new(decoder: &'a Decoder<D>) -> Self {
        Self { decoder, prepared: Vec::new(), factors: Vec::new() }
    }

    /// The first of many: weights are laid out once.
    pub fn prepared(decoder: &'a Decoder<D>) -> Result<Self> {
        // an embedding table that is no output layer is only looked up
        let looked_up = (decoder.places.head != EMBEDDING).then(|| decoder.parameters[EMBEDDING].name());
        let prepare = |p: &super::Parameter<D>| match p.shape().len() {
            2 if Some(p.name()) != looked_up => decoder.device.prepare(p.value()).map(Some),
            _ => Ok(None),
        };
        let all = |some: &[super::Parameter<D>]| some.iter().map(prepare).collect::<Result<_, _>>();
        let prepared = all(&decoder.parameters).map_err(failed)?;
        let factors = decoder.adapters.as_ref().map_or(Ok(Vec::new()), |own| all(&own.factors));
        Ok(Self { decoder, prepared, factors: factors.map_err(failed)? })
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
        Layout { heads, spans: batch.shared_spans(), rotary: Arc::new(rotary) }
    }

    /// The last hidden states at the rows of `batch`, before the last norm: `[R, hidden]`.
    pub fn rows<T: Tape<f32, D>>(&self, tape: &mut T, batch: &Packed) -> Result<Matrix<D>> {
        batch.check(self.decoder.config.max_position_embeddings)?;
        let layout = self.layout(batch);
        let hidden = self.hidden(tape, batch.tokens(), &mut |tape, _, qkv| attention(tape, qkv, &layout))?;
        select_rows(tape, &hidden, batch.rows().to_vec())
    }

    /// The last hidden states of all tokens, `[N, hidden]`, where layers attend by `attend`.
    pub fn hidden<T: Tape<f32, D>>(
        &self,
        tape: &mut T,
        tokens: &[u32],
        attend: &mut Attend<'_, D, T>,
    ) -> Result<Matrix<D>> {
        let x = self.embedded(tape, tokens)?;
        (0..self.layers()).try_fold(x, |x, layer| self.layer(tape, layer, x, attend))
    }

    /// What goes into the first layer: `[N, hidden]`.
    pub fn embedded<T: Tape<f32, D>>(&self, tape: &mut T, tokens: &[u32]) -> Result<Matrix<D>> {
        match self.learns() {
            true => embed(tape, self.value(EMBEDDING), tokens),
            false => embed(&mut NoneTape, self.value(EMBEDDING), tokens),
        }
    }

    /// How many layers there are.
    pub fn layers(&self) -> usize {
        self.decoder.places.layers.len()
    }

    /// Logits from hidden states: the last norm and the output layer.
    pub fn head<T: Tape<f32, D>>(&self, tape: &mut T, hidden: &Matrix<D>) -> Result<Matrix<D>> {
        let x = self.last_norm(tape, hidden)?;
        self.linear(tape, &x, self.decoder.places.head, None)
    }

    /// What the output layer reads: the last norm of hidden states.
    pub fn last_norm<T: Tape<f32, D>>(&self, tape: &mut T, hidden: &Matrix<D>) -> Result<Matrix<D>> {
        self.norm(tape, hidden, self.decoder.places.norm)
    }

    /// What comes out of layer `index` where `x` goes in.
    pub fn layer<T: Tape<f32, D>>(
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
        let y = self.linear(tape, &y, at.down, None)?;
        add(tape, &x, &y)
    }

    /// Whether the model's own weights learn.
    fn learns(&self) -> bool {
        self.decoder.adapters.is_none()
    }

    fn value(&self, index: usize) -> &Matrix<D> {
        self.decoder.parameters[index].value()
    }

    fn norm<T: Tape<f32, D>>(&self, tape: &mut T, x: &Matrix<D>, weight: usize) -> Result<Matrix<D>> {
        rms_norm(tape, x, self.value(weight), self.decoder.config.rms_norm_eps as f32)
    }

    fn linear<T: Tape<f32, D>>(
        &self,
        tape: &mut T,
        x: &Matrix<D>,
        weight: usize,
        bias: Option<usize>,
    ) -> Result<Matrix<D>> {
        let (value, bias) = (self.value(weight), bias.map(|bias| self.value(bias)));
        let own = Weight {
            value,
            prepared: self.prepared.get(weight).and_then(Option::as_ref),
            learns: self.learns(),
        };
        let y = linear(tape, x, own, bias)?;
        let Some(adapters) = &self.decoder.adapters else { return Ok(y) };
        let Some((a, b, scale)) = adapters.of(weight) else { return Ok(y) };
        let factor = |index: usize| Weight {
            value: adapters.factors[index].value(),
            prepared: self.factors.get(index).and_then(Option::as_ref),
            learns: true,
        };
        let low = linear(tape, x, factor(a), None)?;
        let learnt = linear(tape, &low, factor(b), None)?;
        add_scaled(tape, &y, &learnt, scale)
    }
}
