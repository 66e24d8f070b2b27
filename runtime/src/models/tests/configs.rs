use super::*;
use serde_json::{json, Value};
use std::fs;

fn parse(config: &Value) -> ModelConfig {
    ModelConfig::parse(&config.to_string(), "config.json").unwrap()
}

/// As Meta published Llama-3.2-1B-Instruct.
fn llama_3_2() -> Value {
    json!({
        "architectures": ["LlamaForCausalLM"], "attention_bias": false, "attention_dropout": 0.0,
        "bos_token_id": 128000, "eos_token_id": [128001, 128008, 128009], "head_dim": 64, "hidden_act": "silu",
        "hidden_size": 2048, "initializer_range": 0.02, "intermediate_size": 8192,
        "max_position_embeddings": 131072, "mlp_bias": false, "model_type": "llama", "num_attention_heads": 32,
        "num_hidden_layers": 16, "num_key_value_heads": 8, "pretraining_tp": 1, "rms_norm_eps": 1e-05,
        "rope_scaling": {"factor": 32.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0,
                         "original_max_position_embeddings": 8192, "rope_type": "llama3"},
        "rope_theta": 500000.0, "tie_word_embeddings": true, "torch_dtype": "bfloat16",
        "transformers_version": "4.45.0.dev0", "use_cache": true, "vocab_size": 128256
    })
}

/// As Qwen published Qwen2.5-0.5B-Instruct, with the scaling its authors recommend for long texts.
fn qwen_2_5() -> Value {
    json!({
        "architectures": ["Qwen2ForCausalLM"], "attention_dropout": 0.0, "bos_token_id": 151643,
        "eos_token_id": 151645, "hidden_act": "silu", "hidden_size": 896, "initializer_range": 0.02,
        "intermediate_size": 4864, "max_position_embeddings": 32768, "max_window_layers": 21,
        "model_type": "qwen2", "num_attention_heads": 14, "num_hidden_layers": 24, "num_key_value_heads": 2,
        "rms_norm_eps": 1e-06, "rope_theta": 1000000.0, "sliding_window": 32768, "tie_word_embeddings": true,
        "rope_scaling": {"factor": 4.0, "original_max_position_embeddings": 32768, "type": "yarn"},
        "torch_dtype": "bfloat16", "transformers_version": "4.43.1", "use_cache": false,
        "use_sliding_window": false, "vocab_size": 151936
    })
}

#[test]
fn every_field_of_published_configs_is_written_back() {
    for published in [llama_3_2(), qwen_2_5()] {
        let config = parse(&published);
        let written: Value = serde_json::from_str(&config.to_json("bfloat16")).unwrap();
        assert_eq!(parse(&written), config);
        for (field, value) in published.as_object().unwrap() {
            if field != "rope_scaling" {
                assert_eq!(&written[field], value, "{field}");
            }
        }
        for field in ["factor", "original_max_position_embeddings"] {
            assert_eq!(written["rope_scaling"][field], published["rope_scaling"][field]);
        }
    }
    let (llama, qwen) = (parse(&llama_3_2()), parse(&qwen_2_5()));
    let scaling =
        RopeScaling::Llama3 { factor: 32.0, low_freq_factor: 1.0, high_freq_factor: 4.0, original: 8192.0 };
    assert_eq!((&llama.rope_scaling, llama.ends()), (&scaling, &[128001, 128008, 128009][..]));
    assert_eq!((qwen.head_dim, qwen.qkv_bias(), qwen.output_bias()), (64, true, false));
}

#[test]
fn both_spellings_say_the_same() {
    let (older, mut newer) = (llama_3_2(), llama_3_2());
    let mut nested = older["rope_scaling"].clone();
    nested["rope_theta"] = older["rope_theta"].clone();
    newer["rope_parameters"] = nested;
    newer["dtype"] = json!("bfloat16");
    for gone in ["rope_scaling", "rope_theta", "torch_dtype"] {
        newer.as_object_mut().unwrap().remove(gone);
    }
    assert_eq!(parse(&newer), parse(&older));
    // where both stand, the newer is meant
    newer["rope_theta"] = json!(10_000.0);
    newer["rope_scaling"] = json!({"type": "dynamic", "factor": 2.0});
    assert_eq!(parse(&newer), parse(&older));
}

#[test]
fn what_belongs_to_another_folder_is_not_written() {
    let mut config = llama_3_2();
    config["_name_or_path"] = json!("/somebody/models");
    config["auto_map"] = json!({"AutoConfig": "configuration_own.OwnConfig"});
    let written = parse(&config).to_json("float32");
    assert!(!written.contains("somebody") && !written.contains("auto_map"), "{written}");
}

#[test]
fn the_ends_of_generation_config_count_and_are_kept() {
    let (decoder, dir) = (lively(&tiny(), 31), tempfile::tempdir().unwrap());
    decoder.save(dir.path(), WeightType::F32).unwrap();
    let file = dir.path().join("generation_config.json");
    let text = r#"{"do_sample": true, "eos_token_id": [5, 2], "temperature": 0.7}"#;
    fs::write(&file, text).unwrap();
    let load = || Decoder::<Cpu>::load(dir.path(), &Cpu::default());
    let read = load().unwrap();
    assert_eq!((read.config().ends(), &read.config().eos_token_id[..]), (&[5, 2][..], &[2][..]));

    let again = dir.path().join("again");
    read.save(&again, WeightType::F32).unwrap();
    let kept: Value =
        serde_json::from_str(&fs::read_to_string(again.join("generation_config.json")).unwrap()).unwrap();
    assert_eq!(kept, serde_json::from_str::<Value>(text).unwrap());
    assert_eq!(Decoder::<Cpu>::load(&again, &Cpu::default()).unwrap().config(), read.config());

    fs::write(&file, r#"{"temperature": 0.7}"#).unwrap();
    assert_eq!(load().unwrap().config().ends(), [2]);
    for (wrong, words) in [
        (r#"{"eos_token_id": [2, 11]}"#, "11 is outside the vocabulary of 11"),
        (r#"{"eos_token_id": "</s>"}"#, "is not a token id"),
        ("[1]", "not a JSON object"),
        ("{", "not valid JSON"),
    ] {
        fs::write(&file, wrong).unwrap();
        let error = load().unwrap_err().to_string();
        assert!(error.contains("generation_config.json") && error.contains(words), "{error}");
    }
}

#[test]
fn stretched_rates_lie_between_the_old_and_the_divided() {
    let plain = RopeScaling::None.rates(64, 500_000.0);
    let scaling =
        RopeScaling::Llama3 { factor: 32.0, low_freq_factor: 1.0, high_freq_factor: 4.0, original: 8192.0 };
    let stretched = scaling.rates(64, 500_000.0);
    let divided = |i: usize| plain.radians[i] / 32.0;
    assert_eq!(stretched.radians[0], plain.radians[0]);
    assert!((stretched.radians[31] / divided(31) - 1.0).abs() < 1e-6);
    let between = (0..32).filter(|&i| {
        let rate = stretched.radians[i];
        rate < 0.999 * plain.radians[i] && rate > 1.001 * divided(i)
    });
    assert!(between.count() > 0);
    assert_eq!(stretched.length, 1.0);
}
