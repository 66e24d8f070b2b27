//! Floats as halves, and products of these.

use super::*;
use crate::kernels::half::gpu::halves;
use crate::kernels::linear;
use half::f16;

/// The halves of `values`, as bits.
fn cast(gpu: &Emulated, values: &[f32]) -> Vec<u16> {
    let memory = halves(gpu, on(gpu, values).at(), values.len()).unwrap();
    let mut bytes = vec![0u8; 2 * values.len()];
    gpu.read(memory.at(), &mut bytes).unwrap();
    bytes.chunks_exact(2).map(|pair| u16::from_ne_bytes([pair[0], pair[1]])).collect()
}

#[track_caller]
fn as_half_has_them(gpu: &Emulated, values: &[f32]) {
    for (value, found) in values.iter().zip(cast(gpu, values)) {
        let expected = f16::from_f32(*value);
        let same = found == expected.to_bits() || (value.is_nan() && f16::from_bits(found).is_nan());
        assert!(same, "{value:e} ({:08x}): {found:04x}, expected {expected}", value.to_bits());
    }
}

#[test]
fn every_half_comes_back_and_what_is_between_goes_to_the_nearest() {
    for gpu in Emulated::both() {
        let all: Vec<f32> = (0..=u16::MAX).map(|bits| f16::from_bits(bits).to_f32()).collect();
        for (bits, found) in (0..=u16::MAX).zip(cast(&gpu, &all)) {
            let half = f16::from_bits(bits);
            let same = found == bits || (half.is_nan() && f16::from_bits(found).is_nan());
            assert!(same, "{bits:04x} came back as {found:04x}");
        }
        as_half_has_them(&gpu, &all);
        // the middle of every two halves that follow one another, and the floats at its sides; 65536 would follow 65504
        let middle = |bits: u16| {
            let next = if bits == 0x7bff { 65536.0 } else { f16::from_bits(bits + 1).to_f32() };
            let middle = (f16::from_bits(bits).to_f32() + next) / 2.0;
            [middle.next_down(), middle, middle.next_up()]
        };
        let middles: Vec<f32> = (0..0x7c00).flat_map(middle).collect();
        as_half_has_them(&gpu, &middles);
        as_half_has_them(&gpu, &middles.iter().map(|x| -x).collect::<Vec<_>>());
        // even goes before odd: an even half and the odd one after it, and the other way round
        assert_eq!(cast(&gpu, &[middle(0x3c00)[1], middle(0x3c01)[1]]), [0x3c00, 0x3c02]);
        assert_eq!(
            cast(&gpu, &[65519.996, 65520.0, f32::MAX, f32::INFINITY]),
            [0x7bff, 0x7c00, 0x7c00, 0x7c00]
        );
        assert_eq!(cast(&gpu, &[2f32.powi(-25), 2f32.powi(-25).next_up(), -0.0]), [0, 1, 0x8000]);
    }
}

#[test]
fn floats_of_any_bits_are_cast_as_half_casts_them() {
    let Some(gpu) = Emulated::both().pop() else { return };
    // every exponent and both signs with many mantissas, by a step that is coprime to all of them
    let values: Vec<f32> = (0..1 << 20).map(|i: u32| f32::from_bits(i.wrapping_mul(4093))).collect();
    as_half_has_them(&gpu, &values);
    let mut state = 7u32;
    let random = (0..1 << 20).map(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        // where halves are: from 2^-27 to 2^17
        f32::from_bits(state >> 31 << 31 | (100 + (state >> 8) % 45) << 23 | state >> 4 & 0x7f_ffff)
    });
    as_half_has_them(&gpu, &random.collect::<Vec<_>>());
}

/// The linear layer of halves is the linear layer of matrices that were rounded before, but for the order of sums.
#[test]
fn products_read_halves_and_sum_floats() {
    let rounded =
        |values: &[f32]| -> Vec<f32> { values.iter().map(|&x| f16::from_f32(x).to_f32()).collect() };
    for [rows, inner, outer] in [[1, 3, 5], [9, 10, 7], [70, 33, 41]] {
        let sizes = [rows, inner, outer];
        let (x, w, g) = (random(rows * inner, 1), random(outer * inner, 2), random(rows * outer, 3));
        let before = [rows * inner, outer * inner].map(|count| random(count, 5));
        let layer = |gpu: &Emulated, values: [&[f32]; 3]| {
            let [x, w, g] = values.map(|values| on(gpu, values));
            let [once, twice] = [0; 2].map(|_| gpu.words(rows * outer).unwrap());
            let [g_x, g_w] = before.each_ref().map(|values| on(gpu, values));
            linear::gpu::linear(gpu, x.at(), w.at().into(), None, once.at(), sizes).unwrap();
            let kept = gpu.halved(w.at(), outer * inner).unwrap();
            let prepared = crate::kernels::gpu::Factor::with(w.at(), kept.as_ref());
            linear::gpu::linear(gpu, x.at(), prepared, None, twice.at(), sizes).unwrap();
            linear::gpu::linear_backward(gpu, [w.at(), g.at()], g_x.at(), sizes).unwrap();
            linear::gpu::linear_learn(gpu, [x.at(), g.at()], g_w.at(), None, sizes).unwrap();
            let counts = [rows * outer, rows * outer, rows * inner, outer * inner];
            [&once, &twice, &g_x, &g_w].iter().zip(counts).map(|(m, n)| floats(gpu, m, n)).collect()
        };
        let Some(found) = in_both_orders(|gpu| layer(&gpu.of_halves(), [&x, &w, &g])) else { return };
        let all = [&x, &w, &g].map(|values| rounded(values));
        let expected = in_both_orders(|gpu| layer(gpu, all.each_ref().map(|values| &values[..]))).unwrap();
        assert_eq!(found[0], found[1], "weights that were cast before");
        // sums of at most 70 products in f32 and not in f64: 70 roundings of 2^-24 each
        for (what, (found, expected)) in
            ["out", "prepared", "of x", "of the weight"].iter().zip(found.iter().zip(&expected))
        {
            agree(what, found, expected, 5e-6);
        }
        let floats = in_both_orders(|gpu| layer(gpu, [&x, &w, &g])).unwrap();
        assert_ne!(found[0], floats[0], "nothing was rounded");
        // each factor is off by 2^-11 of itself at most
        found.iter().zip(&floats).for_each(|(found, floats)| agree("rounded", found, floats, 2e-3));
    }
}
