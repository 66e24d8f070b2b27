use super::{gpu, CacheShape, DecodeKernel, Place};
use crate::kernels::attention::{Layout, Rotary};
use crate::kernels::gpu::cuda::{at, empty, engine, Block};
use crate::tensor::{shape, Cuda, HasErr, Matrix};
use std::sync::Arc;

/// Keys and values on the GPU.
pub struct OnDevice(gpu::Cache<Block>);

impl DecodeKernel for Cuda {
    type Cache = OnDevice;

    fn cache(&self, shape: CacheShape, rotary: Arc<Rotary>) -> Result<OnDevice, <Self as HasErr>::Err> {
        gpu::cache(engine()?, shape, &rotary).map(OnDevice)
    }

    fn remember(
        &self,
        cache: &mut OnDevice,
        layer: usize,
        first: usize,
        kv: [&Matrix<Self>; 2],
        layout: &Layout,
    ) -> Result<(), <Self as HasErr>::Err> {
        gpu::remember(engine()?, &cache.0, (layer, first), kv.map(at), layout)
    }

    fn decode_attention(
        &self,
        cache: &mut OnDevice,
        layer: usize,
        qkv: [&Matrix<Self>; 3],
        rows: &[Place],
    ) -> Result<Matrix<Self>, <Self as HasErr>::Err> {
        let out = empty(self, shape(qkv[0]))?;
        gpu::decode_attention(engine()?, &mut cache.0, layer, qkv.map(at), rows, at(&out))?;
        Ok(out)
    }
}
