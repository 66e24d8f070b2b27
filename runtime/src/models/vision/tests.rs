//! Tests of whole models with eyes.

use super::*;
use crate::kernels::token_loss::TokenLoss;
use crate::models::tests::{lively, tiny, CrossEntropy};
use crate::models::{Before, Decoder, Lora, ModelConfig, Packed, Request, Sampling, WeightType};
use crate::rng::{Purpose, Stream};
use crate::tensor::{self, Cpu};
use std::sync::Arc;

/// The token that stands for an image.
const IMAGE: u32 = 10;

/// Eyes small enough for finite differences: 4 tokens an image of 8 x 8.
fn seeing() -> ModelConfig {
    let eyes = VisionConfig {
        hidden_size: 8,
        intermediate_size: 6,
        num_hidden_layers: 1,
        num_attention_heads: 2,
        layer_norm_eps: 1e-3,
        ..VisionConfig::new(8, 2, 2, IMAGE)
    };
    ModelConfig { vision: Some(eyes), max_position_embeddings: 32, ..tiny() }
}

fn picture(number: u64, side: u32) -> Arc<Picture> {
    let mut stream = Stream::new(3, Purpose::Task, 7, number);
    let bytes = (0..side * side * 3).map(|_| (256.0 * stream.uniform()) as u8).collect();
    Arc::new(Picture::new(side, side, bytes).unwrap())
}

/// Two prompts, the first answered twice and with two images, the second with none.
struct Batch {
    prompts: [Vec<u32>; 2],
    sights: Vec<Sight>,
}

const RESPONSES: [&[u32]; 3] = [&[7, 8, 2], &[3], &[4, 2]];

impl Batch {
    fn new() -> Self {
        let image = [IMAGE; 4];
        let first = [&[1, 5][..], &image, &[6], &image, &[9]].concat();
        let sights = vec![Sight { picture: picture(0, 8), at: 2 }, Sight { picture: picture(1, 8), at: 7 }];
        Self { prompts: [first, vec![1, 4, 4]], sights }
    }

    fn packed(&self) -> Packed {
        let first = Before { tokens: &self.prompts[0], sights: &self.sights };
        let second = Before { tokens: &self.prompts[1], sights: &[] };
        Packed::seeing([(first, RESPONSES[0]), (first, RESPONSES[1]), (second, RESPONSES[2])])
    }
}

fn targets() -> Vec<u32> {
    RESPONSES.concat()
}

fn gradients(decoder: &Decoder<Cpu>, batch: &Packed) -> Vec<Vec<f32>> {
    let loss: Arc<dyn TokenLoss> = Arc::new(CrossEntropy(targets()));
    let mut grads = decoder.zero_grads().unwrap();
    decoder.backward(batch, &[0.4; 6], &loss, &mut grads).unwrap();
    (0..decoder.learning().len()).map(|index| grads.to_host(index).unwrap()).collect()
}

#[test]
fn the_gradients_of_tower_and_projector_agree_with_differences() {
    let (mut decoder, batch) = (lively(&seeing(), 3), Batch::new().packed());
    let found = gradients(&decoder, &batch);
    let value = |decoder: &Decoder<Cpu>| -> f64 {
        decoder.log_probs(&batch, &targets()).unwrap().iter().map(|l| -0.4f32 as f64 * l).sum()
    };
    for (index, found) in found.iter().enumerate() {
        let name = decoder.learning()[index].name().to_owned();
        let values = decoder.learning()[index].to_host();
        let largest = found.iter().fold(0.0f32, |a, g| a.max(g.abs()));
        // a bias of keys moves all scores of a row alike
        if name.ends_with("k_proj.bias") {
            assert!(largest < 1e-5, "{name}: {largest}");
            continue;
        }
        assert!(largest > 1e-4, "{name} has no gradient");
        for i in (0..values.len()).step_by(values.len().div_ceil(12)) {
            let (step, mut slope) = (1.0 / 512.0, 0.0);
            for (side, share) in [(1.0, 8.0), (-1.0, -8.0), (2.0, -1.0), (-2.0, 1.0)] {
                let mut moved = values.clone();
                moved[i] += side * step;
                decoder.learning_mut()[index].set(&moved).unwrap();
                slope += share * value(&decoder) / f64::from(12.0 * step);
            }
            decoder.learning_mut()[index].set(&values).unwrap();
            let off = (slope - f64::from(found[i])).abs() / f64::from(largest);
            assert!(off < 5e-3, "{name} {i}: gradient {}, slope {slope}", found[i]);
        }
    }
}

#[test]
fn computed_again_layer_by_layer_gradients_have_the_same_bits() {
    let (mut decoder, batch) = (lively(&seeing(), 4), Batch::new().packed());
    let kept = gradients(&decoder, &batch);
    decoder.checkpoint_activations(true);
    assert_eq!(kept, gradients(&decoder, &batch));
}

#[test]
fn the_place_of_an_image_learns_nothing_and_what_stands_there_is_not_read() {
    let (mut decoder, batch) = (lively(&seeing(), 5), Batch::new().packed());
    let logits = tensor::to_host(&decoder.logits(&batch).unwrap());
    let table = gradients(&decoder, &batch).swap_remove(0);
    let row = |values: &[f32], id: u32| values[id as usize * 12..][..12].to_vec();
    assert!(row(&table, IMAGE).iter().all(|&g| g == 0.0));
    let mut values = decoder.parameters()[0].to_host();
    values[IMAGE as usize * 12..][..12].fill(3.0);
    decoder.parameters_mut()[0].set(&values).unwrap();
    assert_eq!(logits, tensor::to_host(&decoder.logits(&batch).unwrap()));
}

#[test]
fn frozen_parts_stay_and_the_others_get_the_same_gradients() {
    let batch = Batch::new().packed();
    let all = gradients(&lively(&seeing(), 6), &batch);
    let eyes = lively(&seeing(), 6).places.eyes.unwrap();
    for parts in [&[Part::Tower][..], &[Part::Projector], &[Part::Decoder], &[Part::Tower, Part::Decoder]] {
        let mut decoder = lively(&seeing(), 6);
        decoder.freeze(parts).unwrap();
        for (index, (found, all)) in gradients(&decoder, &batch).iter().zip(&all).enumerate() {
            match parts.contains(&eyes.part(index)) {
                true => assert!(found.iter().all(|&g| g == 0.0) && decoder.stays(index)),
                false => assert_eq!(found, all, "{parts:?} {}", decoder.parameters()[index].name()),
            }
        }
    }
    let mut decoder = lively(&seeing(), 6);
    let mut refused = |parts: &[Part]| decoder.freeze(parts).unwrap_err().to_string();
    assert!(refused(&[Part::Tower, Part::Tower]).contains("named twice"));
    assert!(refused(&[Part::Tower, Part::Projector, Part::Decoder]).contains("nothing of the student"));
    assert!(lively(&tiny(), 6).freeze(&[Part::Tower]).unwrap_err().to_string().contains("no eyes"));
    decoder.adapt(&Lora { rank: 2, ..Lora::default() }, 1).unwrap();
    assert!(decoder.freeze(&[Part::Tower]).unwrap_err().to_string().contains("`lora`"));
}

#[test]
fn a_response_is_sampled_from_what_the_eyes_saw() {
    let (decoder, batch) = (lively(&seeing(), 7), Batch::new());
    let streams = |row: u64| (0..2).map(|i| Stream::new(1, Purpose::Rollout, row, i)).collect();
    let requests: Vec<Request> = batch
        .prompts
        .iter()
        .zip(0..)
        .map(|(p, i)| Request { prompt: p.clone(), copies: 2, streams: streams(i) })
        .collect();
    let sampling = Sampling { temperature: 1.0, top_p: 1.0, top_k: 0, max_tokens: 5, eos: vec![2] };
    let answers = decoder.generate_seeing(&requests, &[&batch.sights], &sampling, None).unwrap();
    let first = Before { tokens: &batch.prompts[0], sights: &batch.sights };
    for answer in &answers[..2] {
        let again =
            decoder.log_probs(&Packed::seeing([(first, &answer.tokens[..])]), &answer.tokens).unwrap();
        let close = |(&a, b): (&f32, f64)| (f64::from(a) - b).abs() < 1e-4;
        assert!(answer.log_probs.iter().zip(again).all(close));
    }
    let blind = lively(&tiny(), 7);
    let why = blind.generate_seeing(&requests, &[&batch.sights], &sampling, None).unwrap_err().to_string();
    assert!(why.contains("has no eyes"), "{why}");
}

#[test]
fn a_model_with_eyes_is_saved_and_loaded() {
    let (dir, decoder) = (tempfile::tempdir().unwrap(), lively(&seeing(), 8));
    decoder.save(dir.path(), WeightType::F32).unwrap();
    for again in [Decoder::load(dir.path(), &Cpu::default()), Decoder::map(dir.path(), &Cpu::default())] {
        let again = again.unwrap();
        assert_eq!(again.config().vision, decoder.config().vision);
        let batch = Batch::new().packed();
        let logits = |decoder: &Decoder<Cpu>| tensor::to_host(&decoder.logits(&batch).unwrap());
        assert_eq!(logits(&again), logits(&decoder));
    }
}

#[test]
fn sizes_that_do_not_go_together_are_refused() {
    let refused = |change: fn(&mut VisionConfig)| {
        let mut config = seeing();
        change(config.vision.as_mut().unwrap());
        config.check().unwrap_err().to_string()
    };
    assert!(refused(|eyes| eyes.patch_size = 3).contains("do not divide an image of 8"));
    assert!(refused(|eyes| eyes.scale_factor = 3).contains("4 patches to a side"));
    assert!(refused(|eyes| eyes.num_attention_heads = 8).contains("heads of an even width"));
    assert!(refused(|eyes| eyes.layer_norm_eps = 0.0).contains("layer_norm_eps"));
    assert!(refused(|eyes| eyes.image_token_id = 11).contains("outside the vocabulary"));
}

#[test]
fn a_picture_is_cut_and_coarsened() {
    let bytes = (0..4 * 2 * 3).map(|i| i as u8 * 10).collect();
    let picture = Picture::new(4, 2, bytes).unwrap();
    let cut = picture.crop([1, 1, 9, 9]).unwrap();
    assert_eq!((cut.width(), cut.height()), (3, 1));
    assert_eq!(cut.bytes(), &picture.bytes()[15..]);
    assert!(picture.crop([2, 0, 2, 2]).is_none() && picture.crop([7, 0, 9, 2]).is_none());
    // red of the left square: 0, 30, 120, 150
    assert_eq!(picture.pixelated(2).bytes()[..6], [75, 85, 95, 75, 85, 95]);
    assert_eq!(picture.pixelated(1), picture);
    assert!(Picture::new(2, 2, vec![0; 11]).is_none() && Picture::new(0, 2, vec![]).is_none());
}
