use super::gradients::agrees_with_differences;
use super::*;

fn settings() -> Lora {
    Lora { rank: 3, alpha: 6.0, targets: Projection::ALL.to_vec() }
}

/// A model whose factors are both far from zero.
fn adapted(config: &ModelConfig) -> Decoder<Cpu> {
    let mut decoder = lively(config, 3);
    decoder.adapt(&settings(), 5).unwrap();
    for (i, factor) in decoder.learning_mut().iter_mut().enumerate() {
        let mut stream = Stream::new(9, Purpose::Task, 2, i as u64);
        let values: Vec<f32> = factor.to_host().iter().map(|v| v + 0.25 * stream.normal() as f32).collect();
        factor.set(&values).unwrap();
    }
    decoder
}

fn bits(parameters: &[Parameter<Cpu>]) -> Vec<u32> {
    parameters.iter().flat_map(Parameter::to_host).map(f32::to_bits).collect()
}

#[test]
fn the_factors_of_every_variant_agree_with_differences() {
    for config in variants() {
        agrees_with_differences(adapted(&config));
    }
}

#[test]
fn a_fresh_adapter_changes_nothing_and_is_the_same_for_one_seed() {
    let plain = lively(&tiny(), 3);
    let adapt = |seed: u64| {
        let mut decoder = lively(&tiny(), 3);
        decoder.adapt(&settings(), seed).unwrap();
        decoder
    };
    let before = tensor::to_host(&plain.logits(&ragged()).unwrap());
    assert_eq!(before, tensor::to_host(&adapt(5).logits(&ragged()).unwrap()));
    assert_eq!(bits(adapt(5).learning()), bits(adapt(5).learning()));
    assert_ne!(bits(adapt(5).learning()), bits(adapt(6).learning()));
    assert_eq!(plain.learning().len(), plain.parameters().len());
    assert_eq!(adapt(5).learning().len(), 2 * 7 * 2, "two factors of seven projections in two layers");
}

#[test]
fn a_step_moves_the_factors_and_leaves_the_weights() {
    let mut decoder = adapted(&tiny());
    let (weights, factors) = (bits(decoder.parameters()), bits(decoder.learning()));
    let loss: Arc<dyn TokenLoss> = Arc::new(CrossEntropy(TARGETS.to_vec()));
    let mut grads = decoder.zero_grads().unwrap();
    decoder.backward(&ragged(), &[1.0; 11], &loss, &mut grads).unwrap();
    let mut moments = Moments::new(&decoder).unwrap();
    let hyper = Hyper { lr: 0.01, ..Hyper::default() };
    let copy = decoder.deep_copy().unwrap();
    moments.update(&mut decoder, &grads, &hyper, |_| true).unwrap();
    assert_eq!(bits(decoder.parameters()), weights);
    assert_ne!(bits(decoder.learning()), factors);
    assert_eq!(bits(copy.learning()), factors, "a copy has factors of its own");
}

#[test]
fn merged_weights_say_what_weights_and_factors_say() {
    for config in variants() {
        let (decoder, folder) = (adapted(&config), tempfile::tempdir().unwrap());
        decoder.save(folder.path(), WeightType::F32).unwrap();
        let merged = Decoder::load(folder.path(), &Cpu::default()).unwrap();
        assert!(merged.lora().is_none());
        assert_ne!(bits(merged.parameters()), bits(decoder.parameters()));
        let [one, other] = [&decoder, &merged].map(|d| d.log_probs(&ragged(), &TARGETS).unwrap());
        assert!(one.iter().zip(&other).all(|(a, b)| (a - b).abs() < 1e-5), "{one:?} {other:?}");
    }
}

#[test]
fn what_is_said_was_said_with_the_factors() {
    let decoder = adapted(&tiny());
    let request = Request { prompt: vec![1, 5, 6], copies: 2, streams: vec![] };
    let streams = (0..2).map(|row| Stream::new(1, Purpose::Rollout, 0, row)).collect();
    let sampling = Sampling { max_tokens: 6, ..Sampling::default() };
    for answer in decoder.generate(&[Request { streams, ..request }], &sampling, None).unwrap() {
        let packed = Packed::of([(&[1, 5, 6][..], &answer.tokens[..])]);
        let again = decoder.log_probs(&packed, &answer.tokens).unwrap();
        let near = answer.log_probs.iter().zip(&again).all(|(&a, b)| (f64::from(a) - b).abs() < 1e-5);
        assert!(near, "{:?} {again:?}", answer.log_probs);
    }
}

#[test]
fn saved_factors_come_back_bit_for_bit_and_damaged_ones_are_refused() {
    let (decoder, folder) = (adapted(&tiny()), tempfile::tempdir().unwrap());
    decoder.save_adapters(folder.path(), "base").unwrap();
    let mut again = lively(&tiny(), 3);
    again.adapt(&settings(), 6).unwrap();
    again.load_adapters(folder.path()).unwrap();
    assert_eq!(bits(again.learning()), bits(decoder.learning()));
    let mut other = lively(&tiny(), 3);
    other.adapt(&Lora { rank: 2, ..settings() }, 6).unwrap();
    let refused = other.load_adapters(folder.path()).unwrap_err().to_string();
    assert!(refused.contains("lora_A") && refused.contains("[3, 12]"), "{refused}");
    let file = folder.path().join("adapter_model.safetensors");
    let bytes = std::fs::read(&file).unwrap();
    std::fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
    assert!(again.load_adapters(folder.path()).unwrap_err().to_string().contains("is damaged"));
}

#[test]
fn what_makes_no_sense_is_refused_with_its_field() {
    let mut decoder = lively(&tiny(), 3);
    let mut refused = |lora: Lora| decoder.adapt(&lora, 0).unwrap_err().to_string();
    assert!(refused(Lora { rank: 0, ..settings() }).contains("`lora.rank`"));
    assert!(refused(Lora { alpha: f64::NAN, ..settings() }).contains("`lora.alpha`"));
    assert!(refused(Lora { targets: vec![], ..settings() }).contains("`lora.targets`"));
    assert!(refused(Lora { targets: vec![Projection::Q; 2], ..settings() }).contains("twice"));
    let wide = refused(Lora { rank: 11, ..settings() });
    assert!(wide.contains("`lora.rank`") && wide.contains("k_proj"), "{wide}");
    decoder.adapt(&settings(), 0).unwrap();
    assert!(decoder.adapt(&settings(), 0).unwrap_err().to_string().contains("already"));
}
