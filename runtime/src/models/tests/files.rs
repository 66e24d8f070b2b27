use super::*;
use std::fs;

fn parse(text: &str) -> crate::error::Result<ModelConfig> {
    ModelConfig::parse(text, "config.json")
}

#[test]
fn f32_comes_back_bit_for_bit_and_bf16_rounded() {
    for config in variants() {
        let (decoder, dir) = (lively(&config, 21), tempfile::tempdir().unwrap());
        let folder = dir.path().join("a/model");
        decoder.save(&folder, WeightType::F32).unwrap();
        let again = Decoder::load(&folder, &Cpu::default()).unwrap();
        assert_eq!(again.config(), &config);
        for (a, b) in decoder.parameters().iter().zip(again.parameters()) {
            assert_eq!((a.name(), a.shape(), a.to_host()), (b.name(), b.shape(), b.to_host()));
        }
        decoder.save(&folder, WeightType::Bf16).unwrap();
        let rounded = Decoder::load(&folder, &Cpu::default()).unwrap();
        for (a, b) in decoder.parameters().iter().zip(rounded.parameters()) {
            let expected: Vec<f32> = a.to_host().iter().map(|&v| half::bf16::from_f32(v).to_f32()).collect();
            assert_eq!(b.to_host(), expected);
        }
        let names: Vec<_> = fs::read_dir(&folder).unwrap().map(|f| f.unwrap().file_name()).collect();
        assert_eq!(names.len(), 2, "{names:?}");
    }
}

#[test]
fn weights_in_their_file_give_the_bits_of_weights_in_memory_and_never_learn() {
    let ids: Vec<u32> = (0..11).collect();
    for (config, as_) in variants().into_iter().zip([WeightType::F32, WeightType::Bf16].into_iter().cycle()) {
        let dir = tempfile::tempdir().unwrap();
        lively(&config, 23).save(dir.path(), as_).unwrap();
        let held = Decoder::load(dir.path(), &Cpu::default()).unwrap();
        let mapped = Decoder::map(dir.path(), &Cpu::default()).unwrap();
        for mapped in [&mapped, &mapped.deep_copy().unwrap()] {
            assert_eq!(held.log_probs(&ragged(), &ids).unwrap(), mapped.log_probs(&ragged(), &ids).unwrap());
            let says = |decoder: &Decoder<Cpu>| {
                let streams = vec![crate::rng::Stream::new(1, Purpose::Rollout, 0, 0)];
                let request = Request { prompt: vec![1, 5], copies: 1, streams };
                let sampling = Sampling { max_tokens: 9, ..Sampling::default() };
                decoder.generate(&[request], &sampling, None).unwrap()[0].tokens.clone()
            };
            assert_eq!(says(&held), says(mapped));
            let error = mapped.zero_grads().unwrap_err().to_string();
            assert!(error.contains("stays in its file"), "{error}");
        }
        let outside = mapped.log_probs(&Packed::of([(&[1u32, 900][..], &[2u32][..])]), &[2]);
        assert!(outside.unwrap_err().to_string().contains("token id 900"));
    }
}

#[test]
fn weights_that_change_while_they_are_in_use_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    lively(&tiny(), 24).save(dir.path(), WeightType::F32).unwrap();
    let mapped = Decoder::map(dir.path(), &Cpu::default()).unwrap();
    let path = dir.path().join("model.safetensors");
    // a new file in the place of the old changes nothing for who has opened the old
    let bytes = fs::read(&path).unwrap();
    let beside = dir.path().join("beside");
    fs::write(&beside, &bytes).unwrap();
    fs::rename(&beside, &path).unwrap();
    assert!(mapped.logits(&ragged()).is_ok());
    let mapped = Decoder::map(dir.path(), &Cpu::default()).unwrap();
    let later = std::time::SystemTime::now() + std::time::Duration::from_secs(60);
    fs::File::options().write(true).open(&path).unwrap().set_modified(later).unwrap();
    let error = mapped.logits(&ragged()).unwrap_err().to_string();
    assert!(error.contains("have changed while") && error.contains("model.safetensors"), "{error}");
}

#[test]
fn shards_are_read_by_their_index() {
    let (decoder, dir) = (lively(&tiny(), 22), tempfile::tempdir().unwrap());
    decoder.save(dir.path(), WeightType::F32).unwrap();
    let bytes = fs::read(dir.path().join("model.safetensors")).unwrap();
    let whole = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let mut map = std::collections::BTreeMap::new();
    for shard in 0..2 {
        let name = format!("model-{shard}.safetensors");
        let part =
            whole.tensors().into_iter().enumerate().filter(|(i, _)| i % 2 == shard).map(|(_, tensor)| tensor);
        let part: Vec<_> = part.collect();
        part.iter().for_each(|(tensor, _)| drop(map.insert(tensor.clone(), name.clone())));
        safetensors::tensor::serialize_to_file(part, None, &dir.path().join(name)).unwrap();
    }
    fs::remove_file(dir.path().join("model.safetensors")).unwrap();
    let index = dir.path().join("model.safetensors.index.json");
    fs::write(&index, serde_json::json!({ "weight_map": map }).to_string()).unwrap();
    let again = Decoder::load(dir.path(), &Cpu::default()).unwrap();
    assert_eq!(again.parameters()[3].to_host(), decoder.parameters()[3].to_host());
    fs::write(&index, r#"{"weight_map": {"a": "../elsewhere"}}"#).unwrap();
    assert!(Decoder::<Cpu>::load(dir.path(), &Cpu::default())
        .unwrap_err()
        .to_string()
        .contains("../elsewhere"));
    fs::write(&index, "{}").unwrap();
    assert!(Decoder::<Cpu>::load(dir.path(), &Cpu::default())
        .unwrap_err()
        .to_string()
        .contains("index of shards"));
}

#[test]
fn wrong_files_are_refused_by_tensor_file_and_shapes() {
    let (decoder, dir) = (lively(&tiny(), 23), tempfile::tempdir().unwrap());
    let load = || Decoder::<Cpu>::load(dir.path(), &Cpu::default()).map(drop).unwrap_err().to_string();
    assert!(load().contains("config.json"));
    decoder.save(dir.path(), WeightType::F32).unwrap();
    let weights = dir.path().join("model.safetensors");
    let bytes = fs::read(&weights).unwrap();
    for cut in [0, 5, 100, bytes.len() - 1] {
        fs::write(&weights, &bytes[..cut]).unwrap();
        let error = load();
        assert!(error.contains("model.safetensors") && !error.contains("panick"), "{error}");
    }
    fs::remove_file(&weights).unwrap();
    assert!(load().contains("cannot be read"));
    fs::write(&weights, &bytes).unwrap();
    let config =
        |change: ModelConfig| fs::write(dir.path().join("config.json"), change.to_json("float32")).unwrap();
    config(ModelConfig { intermediate_size: 9, ..tiny() });
    let error = load();
    assert!(
        error.contains("[10, 12]") && error.contains("[9, 12]") && error.contains("gate_proj"),
        "{error}"
    );
    config(ModelConfig { num_hidden_layers: 3, ..tiny() });
    let error = load();
    assert!(error.contains("model.layers.2.input_layernorm.weight") && error.contains("missing"), "{error}");
    config(ModelConfig { num_hidden_layers: 1, ..tiny() });
    let error = load();
    assert!(error.contains("model.layers.1.") && error.contains("not part of the model"), "{error}");
    config(ModelConfig { tie_word_embeddings: true, ..tiny() });
    assert!(load().contains("lm_head.weight"));
    let mut nan = lively(&tiny(), 23);
    let values = vec![f32::NAN; nan.parameters()[2].to_host().len()];
    nan.parameters_mut()[2].set(&values).unwrap();
    nan.save(dir.path(), WeightType::F32).unwrap();
    assert!(load().contains("not finite"));
    let blocked = dir.path().join("config.json/below");
    assert_eq!(decoder.save(&blocked, WeightType::F32).unwrap_err().exit_code(), 1);
}

#[test]
fn a_config_comes_back_as_it_was() {
    for config in variants() {
        assert_eq!(parse(&config.to_json("float32")).unwrap(), config);
    }
}

#[test]
fn configs_of_real_models_are_read() {
    let qwen = r#"{"model_type": "qwen2", "hidden_size": 896, "intermediate_size": 4864, "num_hidden_layers": 24,
        "num_attention_heads": 14, "num_key_value_heads": 2, "vocab_size": 151936, "max_position_embeddings": 32768,
        "rope_theta": 1000000.0, "rms_norm_eps": 1e-06, "tie_word_embeddings": true, "hidden_act": "silu",
        "bos_token_id": 151643, "eos_token_id": [151645, 151643], "sliding_window": 32768, "use_sliding_window": false,
        "rope_scaling": null, "max_window_layers": 21, "torch_dtype": "bfloat16", "use_mrope": false}"#;
    let config = parse(qwen).unwrap();
    assert!(
        (config.head_dim, config.qkv_bias(), config.output_bias(), config.head_norms())
            == (64, true, false, false)
    );
    assert_eq!(config.eos_token_id, [151645, 151643]);
    let newer = qwen.replace(
        "\"rope_theta\": 1000000.0",
        "\"rope_parameters\": {\"rope_type\": \"default\", \"rope_theta\": 5e5}",
    );
    assert_eq!(parse(&newer).unwrap().rope_theta, 5e5);
}

#[test]
fn what_we_cannot_run_is_refused_by_name() {
    let base: serde_json::Value = serde_json::from_str(&tiny().to_json("float32")).unwrap();
    let with = |field: &str, value: serde_json::Value| {
        let mut changed = base.clone();
        changed[field] = value;
        parse(&changed.to_string()).unwrap_err().to_string()
    };
    let cases = [
        ("model_type", serde_json::json!("mamba"), "`mamba` models are not supported"),
        ("rope_scaling", serde_json::json!({"rope_type": "dynamic", "factor": 8.0}), "`dynamic`"),
        ("rope_scaling", serde_json::json!({"type": "mrope", "mrope_section": [1, 1]}), "`mrope`"),
        ("rope_scaling", serde_json::json!({"type": "linear"}), "field `rope_scaling.factor`: is missing"),
        ("rope_scaling", serde_json::json!({"type": "linear", "factor": 0.5}), "1 or more"),
        ("rope_scaling", serde_json::json!("yarn"), "not a JSON object"),
        ("rope_parameters", serde_json::json!({"full_attention": {}}), "each kind of layer"),
        ("rope_parameters", serde_json::json!({"partial_rotary_factor": 0.5}), "a part of each head"),
        ("rope_parameters", serde_json::json!({"rope_theta": -1.0}), "-1 is not a positive number"),
        ("use_sliding_window", serde_json::json!(true), "sliding window"),
        ("layer_types", serde_json::json!(["full_attention", "sliding_attention"]), "full_attention"),
        ("mlp_bias", serde_json::json!(true), "bias"),
        ("hidden_act", serde_json::json!("gelu"), "\"gelu\""),
        ("hidden_size", serde_json::json!(-3), "-3"),
        ("hidden_size", serde_json::json!(null), "missing"),
        ("num_attention_heads", serde_json::json!(0), "0"),
        ("num_key_value_heads", serde_json::json!(3), "4 heads cannot share 3"),
        ("head_dim", serde_json::json!(5), "5"),
        ("rms_norm_eps", serde_json::json!("small"), "small"),
        ("tie_word_embeddings", serde_json::json!(1), "neither true nor false"),
        ("eos_token_id", serde_json::json!([2, 99]), "99 is outside the vocabulary of 11"),
        ("eos_token_id", serde_json::json!(-1), "-1"),
        ("quantization_config", serde_json::json!({}), "quantised"),
    ];
    for (field, value, words) in cases {
        let error = with(field, value);
        assert!(error.starts_with("config.json: field `") && error.contains(words), "{field}: {error}");
    }
    assert!(parse("{").unwrap_err().to_string().contains("not valid JSON"));
    assert!(parse("[]").unwrap_err().to_string().contains("not a JSON object"));
}
