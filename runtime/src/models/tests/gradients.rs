use super::*;

#[test]
fn every_parameter_of_every_variant_agrees_with_differences() {
    for config in variants() {
        agrees_with_differences(lively(&config, 3));
    }
}

/// Compares the gradient of all that learns with finite differences.
pub(super) fn agrees_with_differences(mut decoder: Decoder<Cpu>) {
    let batch = ragged();
    let weights: Vec<f32> = (0..11).map(|r| 0.5 + 0.1 * r as f32).collect();
    let loss: Arc<dyn TokenLoss> = Arc::new(CrossEntropy(TARGETS.to_vec()));
    let mut grads = decoder.zero_grads().unwrap();
    let losses = decoder.backward(&batch, &weights, &loss, &mut grads).unwrap();
    let expected = decoder.log_probs(&batch, &TARGETS).unwrap();
    assert!(losses.iter().zip(&expected).all(|(loss, log_prob)| (loss + log_prob).abs() < 1e-12));
    let value = |decoder: &Decoder<Cpu>| -> f64 {
        let log_probs = decoder.log_probs(&batch, &TARGETS).unwrap();
        log_probs.iter().zip(&weights).map(|(l, &w)| -l * f64::from(w)).sum()
    };
    for index in 0..decoder.learning().len() {
        let name = decoder.learning()[index].name().to_owned();
        let (values, gradient) = (decoder.learning()[index].to_host(), grads.to_host(index).unwrap());
        let largest = gradient.iter().fold(0.0f32, |a, g| a.max(g.abs()));
        assert!(largest > 1e-4, "{name} has no gradient");
        // some elements of each are enough: an error in an op shows in all of them
        for i in (0..values.len()).step_by(values.len().div_ceil(12)) {
            // five points: the error is of the fourth order in the step
            let (step, mut slope) = (1.0 / 512.0, 0.0);
            for (side, share) in [(1.0, 8.0), (-1.0, -8.0), (2.0, -1.0), (-2.0, 1.0)] {
                let mut moved = values.clone();
                moved[i] += side * step;
                decoder.learning_mut()[index].set(&moved).unwrap();
                slope += share * value(&decoder) / f64::from(12.0 * step);
            }
            decoder.learning_mut()[index].set(&values).unwrap();
            let off = (slope - f64::from(gradient[i])).abs() / f64::from(largest);
            let family = decoder.config().family;
            assert!(off < 5e-3, "{family:?} {name} {i}: gradient {}, slope {slope}", gradient[i]);
        }
    }
}

#[test]
fn gradients_add_up_and_zero_clears_them() {
    let (decoder, batch) = (lively(&tiny(), 4), ragged());
    let loss: Arc<dyn TokenLoss> = Arc::new(CrossEntropy(TARGETS.to_vec()));
    let mut grads = decoder.zero_grads().unwrap();
    decoder.backward(&batch, &[1.0; 11], &loss, &mut grads).unwrap();
    let once: Vec<Vec<f32>> = (0..decoder.parameters().len()).map(|i| grads.to_host(i).unwrap()).collect();
    let mut sum = grads.clone();
    sum.add(&grads).unwrap();
    decoder.backward(&batch, &[1.0; 11], &loss, &mut grads).unwrap();
    for (i, once) in once.iter().enumerate() {
        for ((twice, sum), once) in grads.to_host(i).unwrap().iter().zip(sum.to_host(i).unwrap()).zip(once) {
            assert!((twice - 2.0 * once).abs() <= 1e-5 * (1.0 + once.abs()) && sum == 2.0 * once);
        }
    }
    grads.zero().unwrap();
    assert!(grads.to_host(0).unwrap().iter().all(|&g| g == 0.0));
    assert!(decoder.backward(&batch, &[1.0; 10], &loss, &mut grads).is_err());
    let nothing = Packed::of([(&[1u32][..], &[][..])]);
    assert_eq!(decoder.backward(&nothing, &[], &loss, &mut grads).unwrap(), Vec::<f64>::new());
}

#[test]
fn a_packed_batch_gives_the_bits_of_its_sequences_alone() {
    for config in variants() {
        let decoder = lively(&config, 5);
        let pairs: [(&[u32], &[u32]); 3] =
            [(&[1, 5, 6], &[7, 8, 9, 2]), (&[1], &[3, 4, 5, 6, 7, 2]), (&[9, 9], &[2])];
        let packed = tensor::to_host(&decoder.logits(&Packed::of(pairs)).unwrap());
        let alone =
            pairs.iter().flat_map(|&pair| tensor::to_host(&decoder.logits(&Packed::of([pair])).unwrap()));
        assert_eq!(packed, alone.collect::<Vec<_>>());
    }
}

#[test]
fn training_gives_the_same_bits_on_any_number_of_threads() {
    let config = ModelConfig { hidden_size: 64, intermediate_size: 200, head_dim: 16, ..tiny() };
    let pairs: Vec<(Vec<u32>, Vec<u32>)> = (0..200u32)
        // some prompts are answered several times in a row
        .map(|i| (vec![1 + i / 5 % 3; 1 + (i / 5 % 4) as usize], vec![i % 11; 1 + (i % 9) as usize]))
        .collect();
    let batch = Packed::of(pairs.iter().map(|(p, r)| (&p[..], &r[..])));
    let targets: Vec<u32> = pairs.iter().flat_map(|(_, r)| r.clone()).collect();
    let train = || {
        let mut decoder = lively(&config, 6);
        let mut moments = Moments::new(&decoder).unwrap();
        let loss: Arc<dyn TokenLoss> = Arc::new(CrossEntropy(targets.clone()));
        for _ in 0..3 {
            let mut grads = decoder.zero_grads().unwrap();
            decoder.backward(&batch, &vec![1e-3; targets.len()], &loss, &mut grads).unwrap();
            moments.update(&mut decoder, &grads, &Hyper::default(), |_| true).unwrap();
        }
        decoder.parameters().iter().flat_map(Parameter::to_host).map(f32::to_bits).collect::<Vec<_>>()
    };
    let alone = threads(1, train);
    for count in 2..=4 {
        assert_eq!(alone, threads(count, train), "{count} threads");
    }
}

#[test]
fn a_prompt_read_once_is_a_prompt_read_for_each_response() {
    let pairs: [(&[u32], &[u32]); 5] = [
        (&[1, 5, 6], &[7, 8, 9, 2]),
        (&[1, 5, 6], &[3]),
        (&[1, 5, 6], &[4, 4, 2]),
        (&[9, 9], &[2, 3]),
        (&[9, 9], &[5]),
    ];
    let targets: Vec<u32> = pairs.iter().flat_map(|(_, response)| response.to_vec()).collect();
    for config in variants() {
        let decoder = lively(&config, 8);
        let of = |pairs: &[(&[u32], &[u32])], targets: &[u32], grads: &mut tensor::Grads<Cpu>| {
            let loss: Arc<dyn TokenLoss> = Arc::new(CrossEntropy(targets.to_vec()));
            let batch = Packed::of(pairs.iter().copied());
            decoder.backward(&batch, &vec![0.3; targets.len()], &loss, grads).unwrap()
        };
        let (mut together, mut apart) = (decoder.zero_grads().unwrap(), decoder.zero_grads().unwrap());
        let losses = of(&pairs, &targets, &mut together);
        let mut rest = &targets[..];
        let alone = pairs.iter().flat_map(|pair| {
            let (own, others) = rest.split_at(pair.1.len());
            rest = others;
            of(&[*pair], own, &mut apart)
        });
        assert_eq!(losses, alone.collect::<Vec<_>>());
        for index in 0..decoder.learning().len() {
            let (together, apart) = (together.to_host(index).unwrap(), apart.to_host(index).unwrap());
            let largest = apart.iter().fold(1e-3f32, |a, g| a.max(g.abs()));
            let off = together.iter().zip(&apart).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(off < 1e-5 * largest, "{}: {off} of {largest}", decoder.learning()[index].name());
        }
    }
}

#[test]
fn bad_batches_are_refused() {
    let decoder = lively(&tiny(), 7);
    let refused = |prompt: &[u32], response: &[u32]| {
        decoder.logits(&Packed::of([(prompt, response)])).unwrap_err().to_string()
    };
    assert!(refused(&[], &[2]).contains("empty prompt"));
    assert!(refused(&[1; 15], &[2; 3]).contains("only 16 positions"));
    assert!(refused(&[1, 11], &[2]).contains("token id 11"));
    assert!(decoder.log_probs(&ragged(), &[11; 11]).unwrap_err().to_string().contains("vocabulary of 11"));
    assert!(decoder.log_probs(&ragged(), &[1; 3]).is_err());
    assert_eq!(tensor::shape(&decoder.logits(&Packed::of([])).unwrap()), (0, 11));
}

#[test]
fn a_clone_is_a_model_of_its_own() {
    let mut decoder = lively(&tiny(), 8);
    let copy = decoder.deep_copy().unwrap();
    let before = copy.parameters()[0].to_host();
    let zeros = vec![0.0; before.len()];
    decoder.parameters_mut()[0].set(&zeros).unwrap();
    assert_eq!(copy.parameters()[0].to_host(), before);
    assert_eq!(decoder.parameters()[0].to_host(), zeros);
    assert!(decoder.parameters_mut()[0].set(&zeros[1..]).is_err());
}

#[test]
fn activations_computed_again_give_the_same_bits() {
    let loss: Arc<dyn TokenLoss> = Arc::new(CrossEntropy(TARGETS.to_vec()));
    let weights: Vec<f32> = (0..11).map(|r| 0.5 + 0.1 * r as f32).collect();
    let of = |decoder: &Decoder<Cpu>| {
        let mut grads = decoder.zero_grads().unwrap();
        let losses = decoder.backward(&ragged(), &weights, &loss, &mut grads).unwrap();
        (losses, (0..decoder.learning().len()).map(|i| grads.to_host(i).unwrap()).collect::<Vec<_>>())
    };
    let mut decoders: Vec<_> = variants().iter().map(|config| lively(config, 6)).collect();
    let mut adapted = lively(&tiny(), 6);
    adapted.adapt(&Lora { rank: 2, ..Lora::default() }, 1).unwrap();
    decoders.push(adapted);
    for mut decoder in decoders {
        let kept = of(&decoder);
        decoder.checkpoint_activations(true);
        assert!(decoder.deep_copy().unwrap().checkpoints_activations());
        assert_eq!(kept, of(&decoder), "{:?}", decoder.config().family);
    }
}
