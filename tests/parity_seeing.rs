//! Parity with `transformers` for a model with eyes, Idefics3 (`tests/parity/make_seeing.py`): logits, gradients of every
//! part, greedy text, and the folder written again.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use limbeck::kernels::exp::log_sum_exp;
use limbeck::kernels::token_loss::TokenLoss;
use limbeck::models::{Before, Decoder, Packed, Picture, Request, Sampling, Sight, WeightType};
use limbeck::rng::{Purpose, Stream};
use limbeck::tensor::{to_host, Cpu};
use serde::Deserialize;

const SIDE: usize = 16;

#[derive(Deserialize)]
struct Known {
    sequences: Vec<Vec<u32>>,
    /// Where the predicted tokens of each sequence begin.
    first: Vec<usize>,
    /// The pictures of each sequence.
    pictures: Vec<Vec<usize>>,
    logits: Vec<Vec<f64>>,
    loss: f64,
    gradients: BTreeMap<String, Vec<f64>>,
    greedy: Vec<u32>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parity")
}

fn known() -> Known {
    serde_json::from_str(&fs::read_to_string(folder().join("idefics3.json")).unwrap()).unwrap()
}

fn load(folder: &Path) -> Decoder<Cpu> {
    Decoder::load(folder, &Cpu::default()).unwrap()
}

/// As in `make_seeing.py`.
fn picture(number: usize) -> Arc<Picture> {
    let byte = |y: usize, x: usize, c: usize| (37 * number + 61 * y + 83 * x + 101 * c + 7 * x * y) as u8;
    let places = (0..SIDE).flat_map(|y| (0..SIDE).map(move |x| (y, x)));
    let bytes = places.flat_map(|(y, x)| [0, 1, 2].map(|c| byte(y, x, c))).collect();
    Arc::new(Picture::new(SIDE as u32, SIDE as u32, bytes).unwrap())
}

/// The images of a sequence, where the first of each one's tokens stands.
fn sights(tokens: &[u32], pictures: &[usize], decoder: &Decoder<Cpu>) -> Vec<Sight> {
    let eyes = decoder.config().vision.as_ref().unwrap();
    let places: Vec<usize> = (0..tokens.len()).filter(|&i| tokens[i] == eyes.image_token_id).collect();
    assert_eq!(places.len(), pictures.len() * eyes.tokens());
    let first = places.chunks(eyes.tokens()).map(|places| places[0]);
    first.zip(pictures).map(|(at, &number)| Sight { picture: picture(number), at }).collect()
}

fn packed(decoder: &Decoder<Cpu>, known: &Known) -> Packed {
    let all: Vec<Vec<Sight>> =
        known.sequences.iter().zip(&known.pictures).map(|(s, p)| sights(s, p, decoder)).collect();
    Packed::seeing(known.sequences.iter().zip(&known.first).zip(&all).map(|((tokens, &first), sights)| {
        let (tokens, response) = tokens.split_at(first);
        (Before { tokens, sights }, response)
    }))
}

fn logits_off(decoder: &Decoder<Cpu>, known: &Known) -> f64 {
    let logits = to_host(&decoder.logits(&packed(decoder, known)).unwrap());
    let expected: Vec<f64> = known.logits.iter().flatten().copied().collect();
    assert_eq!(logits.len(), expected.len());
    logits.iter().zip(&expected).map(|(&x, y)| (f64::from(x) - y).abs()).fold(0.0, f64::max)
}

/// -ln p(target).
struct CrossEntropy(Vec<u32>);

impl TokenLoss for CrossEntropy {
    fn row(&self, row: usize, logits: &[f32], grad: Option<&mut [f32]>) -> f64 {
        let (target, whole) = (self.0[row] as usize, log_sum_exp(logits));
        if let Some(grad) = grad {
            for (g, &x) in grad.iter_mut().zip(logits) {
                *g = (f64::from(x) - whole).exp() as f32;
            }
            grad[target] -= 1.0;
        }
        whole - f64::from(logits[target])
    }
}

#[test]
fn logits_agree() {
    let off = logits_off(&load(&folder().join("idefics3")), &known());
    assert!(off < 1e-4, "logits off by {off}");
}

#[test]
fn gradients_of_every_part_agree() {
    let (decoder, known) = (load(&folder().join("idefics3")), known());
    let after = known.sequences.iter().zip(&known.first).flat_map(|(s, &first)| s[first..].to_vec());
    let targets: Vec<u32> = after.collect();
    let weights = vec![1.0 / targets.len() as f32; targets.len()];
    let loss: Arc<dyn TokenLoss> = Arc::new(CrossEntropy(targets));
    let mut grads = decoder.zero_grads().unwrap();
    let losses = decoder.backward(&packed(&decoder, &known), &weights, &loss, &mut grads).unwrap();
    let mean = losses.iter().sum::<f64>() / losses.len() as f64;
    assert!((mean - known.loss).abs() < 1e-5, "the loss is {mean}, and {} there", known.loss);
    assert_eq!(decoder.parameters().len(), known.gradients.len());
    for (index, parameter) in decoder.parameters().iter().enumerate() {
        let (ours, theirs) = (grads.to_host(index).unwrap(), &known.gradients[parameter.name()]);
        let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|x| x * x).sum::<f64>().sqrt();
        let off = norm(&mut ours.iter().zip(theirs).map(|(&x, y)| f64::from(x) - y));
        // a bias of keys moves all scores of a row alike: its gradient is rounding there and here
        let whole = norm(&mut theirs.iter().copied()).max(1e-4);
        assert!(off < 1e-3 * whole, "the gradient of {} is off by {off} of {whole}", parameter.name());
    }
}

#[test]
fn greedy_text_agrees() {
    let (decoder, known) = (load(&folder().join("idefics3")), known());
    let prompt = known.sequences[1].clone();
    let sights = sights(&prompt, &known.pictures[1], &decoder);
    let streams = vec![Stream::new(0, Purpose::Rollout, 0, 0)];
    let (request, max_tokens) = (Request { prompt, copies: 1, streams }, known.greedy.len());
    let sampling = Sampling { temperature: 0.0, top_p: 1.0, top_k: 0, max_tokens, eos: Vec::new() };
    let said = decoder.generate_seeing(&[request], &[&sights], &sampling, None).unwrap();
    assert_eq!(said[0].tokens, known.greedy);
}

/// With `LIMBECK_PARITY_OUT` the folder stays there, for `make_seeing.py --check` to read with transformers.
#[test]
fn written_again_it_is_the_same_model() {
    let (kept, fresh) = (std::env::var_os("LIMBECK_PARITY_OUT"), tempfile::tempdir().unwrap());
    let out = kept.map_or_else(|| fresh.path().to_owned(), PathBuf::from).join("idefics3");
    let decoder = load(&folder().join("idefics3"));
    decoder.save(&out, WeightType::F32).unwrap();
    let again = load(&out);
    assert_eq!(again.config().vision.as_ref().map(|v| v.tokens()), Some(4));
    assert!(logits_off(&again, &known()) < 1e-4);
}
