//! What AdamW remembers of each parameter, and the update of a whole model.

use super::{Hyper, Rates};
use crate::error::{Error, Result};
use crate::models::{Decoder, Parameter};
use crate::tensor::{self, failed, Device, Grads, Matrix};

/// The moments of one parameter on the host, for a checkpoint. Values are row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Moment {
    /// The parameter's name, as in a Hugging Face checkpoint.
    pub name: String,
    /// The running mean of its gradient.
    pub first: Vec<f32>,
    /// The running mean of its squared gradient.
    pub second: Vec<f32>,
}

/// The two moments of every parameter of a model, and how many updates made them.
#[derive(Clone, Debug)]
pub struct Moments<D: Device> {
    steps: u64,
    first: Vec<Matrix<D>>,
    second: Vec<Matrix<D>>,
}

impl<D: Device> Moments<D> {
    /// Zeros for every parameter of `decoder` that learns; no update yet.
    ///
    /// # Errors
    /// When the device is out of memory.
    pub fn new(decoder: &Decoder<D>) -> Result<Self> {
        let zeros = || {
            let zero = |p: &Parameter<D>| {
                let (rows, columns) = tensor::shape(p.held()?);
                tensor::matrix(decoder.device(), rows, columns, vec![0.0; rows * columns])
            };
            decoder.learning().iter().map(zero).collect::<Result<Vec<_>>>()
        };
        Ok(Self { steps: 0, first: zeros()?, second: zeros()? })
    }

    /// The moments themselves; none stay behind.
    pub(crate) fn take(&mut self) -> Self {
        let (first, second) = (std::mem::take(&mut self.first), std::mem::take(&mut self.second));
        Self { steps: self.steps, first, second }
    }

    /// How many updates have been made.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Moves `decoder` one step along `grads`, their loss scale divided out and scaled by `hyper.grad_scale`, with decoupled decay of the
    /// parameters whose names `decay` accepts.
    ///
    /// # Errors
    /// When `grads` or these moments are not of this model, or the device fails.
    pub fn update(
        &mut self,
        decoder: &mut Decoder<D>,
        grads: &Grads<D>,
        hyper: &Hyper,
        decay: impl Fn(&str) -> bool,
    ) -> Result<()> {
        let (count, device) = (decoder.learning().len(), decoder.device().clone());
        if self.first.len() != count || grads.buffers().len() != count {
            return Err(Error::run(format!(
                "{count} parameters, {} moments and {} gradients are not of one model",
                self.first.len(),
                grads.buffers().len()
            )));
        }
        self.steps += 1;
        let hyper = Hyper { grad_scale: hyper.grad_scale / f64::from(grads.scale()), ..*hyper };
        let moments = self.first.iter_mut().zip(&mut self.second).zip(grads.buffers());
        let stays: Vec<bool> = (0..count).map(|index| decoder.stays(index)).collect();
        for ((parameter, ((first, second), g)), stays) in
            decoder.learning_mut().iter_mut().zip(moments).zip(stays)
        {
            if stays {
                continue;
            }
            let rates = Rates::new(&hyper, self.steps, decay(parameter.name()));
            device.adamw(parameter.held_mut()?, g, first, second, &rates).map_err(failed)?;
        }
        Ok(())
    }

    /// The name of each parameter that learns, with its first and second moment, in the model's order.
    pub fn of_each<'a>(
        &'a self,
        decoder: &'a Decoder<D>,
    ) -> impl Iterator<Item = (&'a str, [&'a Matrix<D>; 2])> {
        let moments = self.first.iter().zip(&self.second).zip(decoder.learning());
        moments.map(|((first, second), parameter)| (parameter.name(), [first, second]))
    }

    /// All moments on the host, in the model's order.
    pub fn export(&self, decoder: &Decoder<D>) -> Vec<Moment> {
        let export = |(name, moments): (&str, [&Matrix<D>; 2])| {
            let [first, second] = moments.map(tensor::to_host);
            Moment { name: name.to_owned(), first, second }
        };
        self.of_each(decoder).map(export).collect()
    }

    /// The moments that were exported after `steps` updates of `decoder`, in any order.
    ///
    /// # Errors
    /// When a parameter has none, one belongs to no parameter, or a length differs: named, with both numbers.
    pub fn import(decoder: &Decoder<D>, steps: u64, moments: Vec<Moment>) -> Result<Self> {
        let mut by_name = std::collections::BTreeMap::new();
        for moment in moments {
            if let Some(twice) = by_name.insert(moment.name.clone(), moment) {
                return Err(Error::call(format!("the optimiser state has `{}` twice", twice.name)));
            }
        }
        let mut all = Self { steps, first: Vec::new(), second: Vec::new() };
        for parameter in decoder.learning() {
            let name = parameter.name();
            let Some(moment) = by_name.remove(name) else {
                return Err(Error::call(format!("the optimiser state has no moments for `{name}`")));
            };
            let (rows, columns) = tensor::shape(parameter.held()?);
            for (values, into) in [(moment.first, &mut all.first), (moment.second, &mut all.second)] {
                if values.len() != rows * columns {
                    return Err(Error::call(format!(
                        "the optimiser state has {} values for `{name}`, which has {}",
                        values.len(),
                        rows * columns
                    )));
                }
                into.push(tensor::matrix(decoder.device(), rows, columns, values)?);
            }
        }
        match by_name.into_keys().next() {
            Some(name) => Err(Error::call(format!(
                "the optimiser state has moments for `{name}`, which the model lacks"
            ))),
            None => Ok(all),
        }
    }
}

/// The length of the whole gradient, its loss scale divided out: the root of the sum of squares over all that learns,
/// in `f64`.
///
/// # Errors
/// When the device fails.
pub fn grad_norm<D: Device>(decoder: &Decoder<D>, grads: &Grads<D>) -> Result<f64> {
    let squares = grads.buffers().iter().map(|g| decoder.device().sum_squares(g).map_err(failed));
    Ok(squares.sum::<Result<f64>>()?.sqrt() / f64::from(grads.scale()))
}
