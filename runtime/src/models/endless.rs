//! A model that is timed says as many tokens as it may.

use super::decoder::Decoder;
use crate::tensor::Device;

impl<D: Device> Decoder<D> {
    /// From here on no token of the vocabulary ends what the model says.
    pub(crate) fn speak_on(&mut self) {
        self.config.generation = None;
        self.config.eos_token_id = vec![u32::MAX];
    }
}
