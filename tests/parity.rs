//! Parity with `transformers`: logits, gradients and greedy text of tiny models that it made and wrote
//! (`tests/parity/make.py`), of every family we know.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use limbeck::kernels::exp::log_sum_exp;
use limbeck::kernels::token_loss::TokenLoss;
use limbeck::models::{Decoder, Packed, Request, Sampling, WeightType};
use limbeck::rng::{Purpose, Stream};
use limbeck::tensor::{to_host, Cpu};
use serde::Deserialize;
use serde_json::{json, Value};

const MODELS: [&str; 6] = ["llama", "llama3", "linear", "qwen2", "yarn", "qwen3"];

/// The farthest that logits may be off.
const LOGITS: f64 = 1e-4;

/// The farthest that a parameter's gradient may be off: the norm of the difference over the norm of the
/// gradient.
const GRADIENTS: f64 = 1e-3;

/// What transformers computed.
#[derive(Deserialize)]
struct Known {
    sequences: Vec<Vec<u32>>,
    /// A row for each token but the last of every sequence.
    logits: Vec<Vec<f64>>,
    /// The mean cross entropy of the tokens after each sequence's first.
    loss: f64,
    gradients: BTreeMap<String, Vec<f64>>,
    prompt: Vec<u32>,
    greedy: Vec<u32>,
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parity").join(name)
}

fn known(name: &str) -> Known {
    serde_json::from_str(&fs::read_to_string(folder(&format!("{name}.json"))).unwrap()).unwrap()
}

fn load(folder: &Path) -> Decoder<Cpu> {
    Decoder::load(folder, &Cpu::default()).unwrap()
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

fn packed(known: &Known) -> Packed {
    Packed::of(known.sequences.iter().map(|tokens| tokens.split_at(1)))
}

/// How far the logits are off.
fn logits_off(decoder: &Decoder<Cpu>, known: &Known) -> f64 {
    let logits = to_host(&decoder.logits(&packed(known)).unwrap());
    let expected: Vec<f64> = known.logits.iter().flatten().copied().collect();
    assert_eq!(logits.len(), expected.len());
    logits.iter().zip(&expected).map(|(&x, y)| (f64::from(x) - y).abs()).fold(0.0, f64::max)
}

/// The parameter whose gradient is farthest off, how far, and the mean loss.
fn gradients_off(decoder: &Decoder<Cpu>, known: &Known) -> (String, f64, f64) {
    let targets: Vec<u32> = known.sequences.iter().flat_map(|tokens| tokens[1..].to_vec()).collect();
    let weights = vec![1.0 / targets.len() as f32; targets.len()];
    let loss: Arc<dyn TokenLoss> = Arc::new(CrossEntropy(targets));
    let mut grads = decoder.zero_grads().unwrap();
    let losses = decoder.backward(&packed(known), &weights, &loss, &mut grads).unwrap();
    let mean = losses.iter().sum::<f64>() / losses.len() as f64;

    let names: Vec<&str> = decoder.parameters().iter().map(|parameter| parameter.name()).collect();
    let mut expected: Vec<&str> = known.gradients.keys().map(String::as_str).collect();
    expected.sort_by_key(|name| names.iter().position(|known| known == name));
    assert_eq!(names, expected);
    let off = names.iter().enumerate().map(|(index, name)| {
        let (ours, theirs) = (grads.to_host(index).unwrap(), &known.gradients[*name]);
        assert_eq!(ours.len(), theirs.len(), "{name}");
        let norm = |values: &mut dyn Iterator<Item = f64>| values.map(|x| x * x).sum::<f64>().sqrt();
        let difference = norm(&mut ours.iter().zip(theirs).map(|(&x, y)| f64::from(x) - y));
        (name.to_string(), difference / norm(&mut theirs.iter().copied()))
    });
    let (name, off) = off.max_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
    (name, off, mean)
}

#[test]
fn logits_agree() {
    for name in MODELS {
        let off = logits_off(&load(&folder(name)), &known(name));
        assert!(off < LOGITS, "{name}: logits off by {off}");
    }
}

#[test]
fn gradients_agree() {
    for name in MODELS {
        let known = known(name);
        let (parameter, off, loss) = gradients_off(&load(&folder(name)), &known);
        assert!((loss - known.loss).abs() < 1e-5, "{name}: the loss is {loss}, and {} there", known.loss);
        assert!(off < GRADIENTS, "{name}: the gradient of {parameter} is off by {off} of itself");
    }
}

#[test]
fn greedy_text_agrees() {
    for name in MODELS {
        let (decoder, known) = (load(&folder(name)), known(name));
        let sampling = Sampling {
            temperature: 0.0,
            top_p: 1.0,
            top_k: 0,
            max_tokens: known.greedy.len(),
            eos: Vec::new(),
        };
        let streams = vec![Stream::new(0, Purpose::Rollout, 0, 0)];
        let request = Request { prompt: known.prompt.clone(), copies: 1, streams };
        let said = decoder.generate(&[request], &sampling, None).unwrap();
        assert_eq!(said[0].tokens, known.greedy, "{name}");
    }
}

/// A copy of a model's folder, with its `config.json` changed.
fn changed(name: &str, change: impl Fn(&mut Value)) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for file in fs::read_dir(folder(name)).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
    }
    let path = copy.path().join("config.json");
    let mut config: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    change(&mut config);
    fs::write(&path, config.to_string()).unwrap();
    copy
}

#[test]
fn a_config_read_wrongly_would_not_agree() {
    let off = |name: &str, what: &str, change: &dyn Fn(&mut Value)| {
        let copy = changed(name, change);
        let (decoder, known) = (load(copy.path()), known(name));
        let logits = logits_off(&decoder, &known);
        let (_, gradients, _) = gradients_off(&decoder, &known);
        assert!(logits > 10.0 * LOGITS, "{name}, {what}: logits off by {logits} only");
        assert!(gradients > 10.0 * GRADIENTS, "{name}, {what}: gradients off by {gradients} only");
    };
    for name in MODELS {
        off(name, "another theta", &|config| config["rope_parameters"]["rope_theta"] = json!(10_000.0));
        off(name, "another eps", &|config| config["rms_norm_eps"] = json!(1e-5));
    }
    for name in ["llama3", "linear", "yarn"] {
        off(name, "no scaling", &|config| {
            config["rope_parameters"] = json!({"rope_type": "default", "rope_theta": 500.0});
        });
    }
    off("llama3", "linear instead", &|config| config["rope_parameters"]["rope_type"] = json!("linear"));
    off("yarn", "attention not sharpened", &|config| {
        config["rope_parameters"]["attention_factor"] = json!(1.0);
    });
}

/// With `LIMBECK_PARITY_OUT` the folders stay there, for `make.py --check` to read with transformers.
#[test]
fn written_again_they_are_the_same_models() {
    let (kept, fresh) = (std::env::var_os("LIMBECK_PARITY_OUT"), tempfile::tempdir().unwrap());
    let out = kept.map_or_else(|| fresh.path().to_owned(), PathBuf::from);
    for name in MODELS {
        let decoder = load(&folder(name));
        decoder.save(&out.join(name), WeightType::F32).unwrap();
        let again = load(&out.join(name));
        assert_eq!(again.config(), decoder.config(), "{name}");
        assert!(logits_off(&again, &known(name)) < LOGITS, "{name}");
    }
}
