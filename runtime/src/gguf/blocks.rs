//! The block types of GGUF, dequantised: each under its layout, as `gguf.quants.dequantize` of llama.cpp's
//! Python package does it, to the bit.

use gguf_rs_lib::format::GGUFTensorType as Type;
use half::{bf16, f16};

/// The tensor types that can be read.
pub(super) const READABLE: &str = "F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q8_0, Q4_K and Q6_K";

/// The values of `bytes`, stored as `kind`; none when that cannot be read.
pub(super) fn dequantise(kind: Type, bytes: &[u8]) -> Option<Vec<f32>> {
    Some(match kind {
        Type::F32 => each(bytes, 4, 1, |b, to| to[0] = f32::from_le_bytes([b[0], b[1], b[2], b[3]])),
        Type::F16 => each(bytes, 2, 1, |b, to| to[0] = half(b, 0)),
        Type::BF16 => each(bytes, 2, 1, |b, to| to[0] = bf16::from_le_bytes([b[0], b[1]]).to_f32()),
        Type::Q4_0 => each(bytes, 18, 32, q4_0),
        Type::Q4_1 => each(bytes, 20, 32, q4_1),
        Type::Q5_0 => each(bytes, 22, 32, q5_0),
        Type::Q8_0 => each(bytes, 34, 32, q8_0),
        Type::Q4_K => each(bytes, 144, 256, q4_k),
        Type::Q6_K => each(bytes, 210, 256, q6_k),
        _ => return None,
    })
}

/// Every block of `width` bytes as `len` values.
fn each(bytes: &[u8], width: usize, len: usize, block: impl Fn(&[u8], &mut [f32])) -> Vec<f32> {
    let mut values = vec![0.0; bytes.len() / width * len];
    for (bytes, values) in bytes.chunks_exact(width).zip(values.chunks_exact_mut(len)) {
        block(bytes, values);
    }
    values
}

/// The f16 at byte `at`.
fn half(bytes: &[u8], at: usize) -> f32 {
    f16::from_le_bytes([bytes[at], bytes[at + 1]]).to_f32()
}

/// `d: f16, 16 bytes`: the low halves are the first 16 values, the high ones the others; `d (q - 8)`.
fn q4_0(block: &[u8], to: &mut [f32]) {
    let d = half(block, 0);
    for (i, byte) in block[2..18].iter().enumerate() {
        to[i] = d * (f32::from(byte & 15) - 8.0);
        to[i + 16] = d * (f32::from(byte >> 4) - 8.0);
    }
}

/// `d: f16, m: f16, 16 bytes` as in Q4_0; `d q + m`.
fn q4_1(block: &[u8], to: &mut [f32]) {
    let (d, m) = (half(block, 0), half(block, 2));
    for (i, byte) in block[4..20].iter().enumerate() {
        to[i] = d * f32::from(byte & 15) + m;
        to[i + 16] = d * f32::from(byte >> 4) + m;
    }
}

/// `d: f16, fifth bits: u32, 16 bytes` as in Q4_0; value i's fifth bit is bit i; `d (q - 16)`.
fn q5_0(block: &[u8], to: &mut [f32]) {
    let d = half(block, 0);
    let fifth = u32::from_le_bytes([block[2], block[3], block[4], block[5]]);
    let bit = |i: usize| ((fifth >> i & 1) as u8) << 4;
    for (i, byte) in block[6..22].iter().enumerate() {
        to[i] = d * (f32::from(byte & 15 | bit(i)) - 16.0);
        to[i + 16] = d * (f32::from(byte >> 4 | bit(i + 16)) - 16.0);
    }
}

/// `d: f16, 32 signed bytes`; `d q`.
fn q8_0(block: &[u8], to: &mut [f32]) {
    let d = half(block, 0);
    for (to, &byte) in to.iter_mut().zip(&block[2..34]) {
        *to = d * f32::from(byte as i8);
    }
}

/// `d: f16, m: f16, 12 bytes of eight 6-bit scales and eight 6-bit offsets, 128 bytes`: 32 bytes at a time,
/// the low halves are 32 values and the high ones the next 32; `d scale q - m offset`.
fn q4_k(block: &[u8], to: &mut [f32]) {
    let (d, m, packed) = (half(block, 0), half(block, 2), &block[4..16]);
    // the first four of each stand in six bits; of the others the upper two are where those have room
    let scale = |i: usize| match i < 4 {
        true => packed[i] & 63,
        false => packed[i + 4] & 15 | packed[i - 4] >> 6 << 4,
    };
    let offset = |i: usize| match i < 4 {
        true => packed[i + 4] & 63,
        false => packed[i + 4] >> 4 | packed[i] >> 6 << 4,
    };
    for (pair, bytes) in block[16..144].chunks_exact(32).enumerate() {
        for (side, shift) in [0, 4].into_iter().enumerate() {
            let i = 2 * pair + side;
            let (d, m) = (d * f32::from(scale(i)), m * f32::from(offset(i)));
            for (to, byte) in to[32 * i..].iter_mut().zip(bytes) {
                *to = d * f32::from(byte >> shift & 15) - m;
            }
        }
    }
}

/// `128 bytes of low halves, 64 bytes of upper pairs of bits, 16 signed scales, d: f16`, in two parts of 128
/// values: 32 values for each place of a byte; `d scale (q - 32)`.
fn q6_k(block: &[u8], to: &mut [f32]) {
    let (low, upper, scales, d) = (&block[..128], &block[128..192], &block[192..208], half(block, 208));
    for (i, to) in to.iter_mut().enumerate() {
        let (part, within) = (i / 128, i % 128);
        let (place, l) = (within / 32, within % 32);
        let four = low[64 * part + 32 * (place % 2) + l] >> (4 * (place / 2)) & 15;
        let two = upper[32 * part + l] >> (2 * place) & 3;
        let scale = d * f32::from(scales[i / 16] as i8);
        *to = scale * (f32::from(four | two << 4) - 32.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Blocks and their values, recorded by `tests/gguf/make.py`.
    #[test]
    fn every_type_has_the_values_of_the_python_package() {
        let recorded: Vec<(u32, String, String, Vec<f32>)> =
            serde_json::from_str(include_str!("../../../tests/gguf/blocks.json")).unwrap();
        assert_eq!(recorded.len(), 9);
        for (kind, name, bytes, expected) in recorded {
            let bytes: Vec<u8> = (0..bytes.len() / 2)
                .map(|i| u8::from_str_radix(&bytes[2 * i..2 * i + 2], 16).unwrap())
                .collect();
            let kind = Type::from_u32(kind).unwrap();
            assert_eq!(kind.name(), name);
            let values = dequantise(kind, &bytes).unwrap();
            assert_eq!(values, expected, "{name}");
            assert!(values.iter().any(|&v| v < 0.0) && values.iter().any(|&v| v > 0.0), "{name}");
        }
        assert_eq!(dequantise(Type::Q2_K, &[0; 84]), None);
    }
}
