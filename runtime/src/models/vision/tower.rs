//! The forward pass of a model's eyes.

use super::parts::{EyeLayer, EyePlaces, Part};
use super::picture::{patches_of, places, Picture};
use super::VisionConfig;
use crate::error::{Error, Result};
use crate::kernels::add::add;
use crate::kernels::attention::{attention, Heads, Layout, Rotary, Span};
use crate::kernels::gelu::gelu;
use crate::kernels::layer_norm::layer_norm;
use crate::kernels::linear::{linear, linear_of_data};
use crate::kernels::select_rows::select_rows;
use crate::kernels::splice::splice;
use crate::models::forward::Pass;
use crate::models::packed::Packed;
use crate::tensor::{self, Device, Matrix, NoneTape, Tape};
use std::sync::Arc;

impl<D: Device> Pass<'_, D> {
    /// What goes into the first layer of the decoder, `[N, hidden]`: tokens, and in the places of images what the eyes
    /// see of them. Images that are there several times are looked at once.
    ///
    /// # Errors
    /// When there are images and the model has no eyes, or the device fails.
    pub(in crate::models) fn embedded_all<T: Tape<D>>(
        &self,
        tape: &mut T,
        batch: &Packed,
    ) -> Result<Matrix<D>> {
        let tokens = self.embedded(tape, batch.tokens())?;
        if batch.sights().is_empty() {
            return Ok(tokens);
        }
        let Some((config, at)) = self.eyes() else {
            return Err(Error::call("the prompt shows an image, and this model has no eyes")
                .next("use a model with a `vision_config`, or prompts without images"));
        };
        let (pictures, which) = distinct(batch);
        let rows = self.seen(tape, config, at, &pictures)?;
        let wide = config.tokens();
        let order = which.iter().flat_map(|&picture| picture * wide..(picture + 1) * wide).collect();
        let rows = select_rows(tape, &rows, order)?;
        let places = batch.sights().iter().flat_map(|sight| sight.at..sight.at + wide).collect();
        splice(tape, &tokens, &rows, places)
    }

    /// What the decoder reads of `pictures`, all of one size and so one pass: `[pictures * tokens, hidden]`.
    fn seen<T: Tape<D>>(
        &self,
        tape: &mut T,
        config: &VisionConfig,
        at: &EyePlaces,
        pictures: &[&Arc<Picture>],
    ) -> Result<Matrix<D>> {
        let tower = self.part_learns(Part::Tower);
        let rows = match tower {
            true => self.tower(tape, config, at, pictures)?,
            false => self.tower(&mut NoneTape, config, at, pictures)?,
        };
        let fold = config.scale_factor * config.scale_factor;
        let rows = tensor::reshape(&rows, pictures.len() * config.tokens(), fold * config.hidden_size)?;
        let value = self.value(at.projector)?;
        let weight = self.weight(at.projector, &value, Part::Projector);
        match tower {
            true => linear(tape, &rows, weight, None),
            false => linear_of_data(tape, &rows, weight, None),
        }
    }

    /// The last hidden states of the tower: `[pictures * patches, width]`.
    fn tower<T: Tape<D>>(
        &self,
        tape: &mut T,
        config: &VisionConfig,
        at: &EyePlaces,
        pictures: &[&Arc<Picture>],
    ) -> Result<Matrix<D>> {
        let (count, patches) = (pictures.len(), config.patches());
        let values = patches_of(pictures, config);
        let pixels = tensor::matrix(self.device(), count * patches, config.patch_width(), values)?;
        let [weight, bias] = at.patch;
        let (value, bias) = (self.value(weight)?, self.value(bias)?);
        let x = linear_of_data(tape, &pixels, self.weight(weight, &value, Part::Tower), Some(&bias))?;
        let positions = (0..count).flat_map(|_| places(config)).collect();
        let positions = select_rows(tape, &self.value(at.position)?, positions)?;
        let x = add(tape, &x, &positions)?;
        let heads = config.num_attention_heads;
        let heads = Heads { query: heads, shared: heads, width: config.hidden_size / heads };
        let spans = (0..count).map(|i| Span::alone(i * patches..(i + 1) * patches)).collect();
        // positions are learnt and added: nothing is turned
        let rotary = Arc::new(Rotary::none(patches, heads.width));
        let layout = Layout { heads, spans, rotary, causal: false };
        let x = at.layers.iter().try_fold(x, |x, layer| self.eye_layer(tape, config, layer, &layout, x))?;
        self.eye_norm(tape, config, &x, at.last_norm)
    }

    fn eye_layer<T: Tape<D>>(
        &self,
        tape: &mut T,
        config: &VisionConfig,
        at: &EyeLayer,
        layout: &Layout,
        x: Matrix<D>,
    ) -> Result<Matrix<D>> {
        let linear = |tape: &mut T, x: &Matrix<D>, [weight, bias]: [usize; 2]| {
            let (value, bias) = (self.value(weight)?, self.value(bias)?);
            linear(tape, x, self.weight(weight, &value, Part::Tower), Some(&bias))
        };
        let y = self.eye_norm(tape, config, &x, at.norms[0])?;
        let [q, k, v, out] = at.attention;
        let (q, k, v) = (linear(tape, &y, q)?, linear(tape, &y, k)?, linear(tape, &y, v)?);
        let y = attention(tape, [&q, &k, &v], layout)?;
        let y = linear(tape, &y, out)?;
        let x = add(tape, &x, &y)?;
        let y = self.eye_norm(tape, config, &x, at.norms[1])?;
        let [first, second] = at.feed_forward;
        let y = linear(tape, &y, first)?;
        let y = gelu(tape, &y)?;
        let y = linear(tape, &y, second)?;
        add(tape, &x, &y)
    }

    fn eye_norm<T: Tape<D>>(
        &self,
        tape: &mut T,
        config: &VisionConfig,
        x: &Matrix<D>,
        [weight, bias]: [usize; 2],
    ) -> Result<Matrix<D>> {
        layer_norm(tape, x, [&self.value(weight)?, &self.value(bias)?], config.layer_norm_eps as f32)
    }
}

/// The images of a batch, each once, and which of them each sight is.
fn distinct(batch: &Packed) -> (Vec<&Arc<Picture>>, Vec<usize>) {
    let mut pictures: Vec<&Arc<Picture>> = Vec::new();
    let which = batch.sights().iter().map(|sight| {
        let known = pictures.iter().position(|known| Arc::ptr_eq(known, &sight.picture));
        known.unwrap_or_else(|| {
            pictures.push(&sight.picture);
            pictures.len() - 1
        })
    });
    let which = which.collect();
    (pictures, which)
}
