use super::*;

fn request(prompt: &[u32], copies: usize) -> Request {
    let streams = (0..copies).map(|i| Stream::new(9, Purpose::Rollout, prompt.len() as u64, i as u64));
    Request { prompt: prompt.to_vec(), copies, streams: streams.collect() }
}

fn sampling() -> Sampling {
    Sampling { max_tokens: 9, eos: vec![2], ..Sampling::default() }
}

#[test]
fn greedy_is_the_argmax_of_the_packed_forward_at_every_step() {
    for config in variants() {
        let decoder = lively(&config, 11);
        let prompts: [&[u32]; 4] = [&[1, 5, 6], &[4], &[1, 10, 0, 4, 4], &[3, 3]];
        let requests: Vec<Request> = prompts.iter().map(|prompt| request(prompt, 2)).collect();
        let greedy = Sampling { temperature: 0.0, ..sampling() };
        let answers = decoder.generate(&requests, &greedy, None).unwrap();
        for (prompt, answers) in prompts.iter().zip(answers.chunks(2)) {
            assert_eq!(answers[0], answers[1]);
            let mut said: Vec<u32> = Vec::new();
            while said.len() < 9 && said.last() != Some(&2) {
                said.push(0);
                let logits = tensor::to_host(&decoder.logits(&Packed::of([(*prompt, &said[..])])).unwrap());
                let last = &logits[logits.len() - 11..];
                *said.last_mut().unwrap() = sample(last, &greedy, 0.0);
            }
            assert_eq!(answers[0].tokens, said);
            assert_eq!(answers[0].finished, said.last() == Some(&2));
        }
    }
}

#[test]
fn log_probs_are_those_of_the_packed_forward_bit_for_bit() {
    // at temperature 1, whatever the temperature of the sampling
    for (config, temperature) in variants().into_iter().zip([1.0, 0.5, 0.0, 2.0].into_iter().cycle()) {
        let decoder = lively(&config, 12);
        let requests = [request(&[1, 5], 5), request(&[1, 10, 0, 4, 4], 3)];
        let sampling = Sampling { temperature, ..sampling() };
        let answers = decoder.generate(&requests, &sampling, None).unwrap();
        let prompts = requests.iter().flat_map(|request| vec![&request.prompt[..]; request.copies]);
        let batch = Packed::of(prompts.zip(&answers).map(|(prompt, answer)| (prompt, &answer.tokens[..])));
        let ids: Vec<u32> = answers.iter().flat_map(|answer| answer.tokens.clone()).collect();
        let packed: Vec<f32> =
            decoder.log_probs(&batch, &ids).unwrap().into_iter().map(|l| l as f32).collect();
        assert_eq!(answers.iter().flat_map(|answer| answer.log_probs.clone()).collect::<Vec<_>>(), packed);
    }
}

#[test]
fn a_row_says_the_same_alone_in_company_and_on_any_number_of_threads() {
    let decoder = lively(&tiny(), 13);
    let requests: Vec<Request> = (1..9).map(|len| request(&vec![3; len], 7)).collect();
    let sampling = Sampling { temperature: 1.5, eos: vec![2, 5], ..sampling() };
    let all = threads(1, || decoder.generate(&requests, &sampling, None).unwrap());
    assert_eq!(all, threads(3, || decoder.generate(&requests, &sampling, None).unwrap()));
    for (one, together) in requests.iter().zip(all.chunks(7)) {
        assert_eq!(decoder.generate(std::slice::from_ref(one), &sampling, None).unwrap(), together);
        let alone = Request { copies: 1, streams: vec![one.streams[4].clone()], ..one.clone() };
        assert_eq!(decoder.generate(&[alone], &sampling, None).unwrap(), together[4..5]);
    }
    assert!(all.iter().any(|answer| answer.finished) && all.iter().any(|answer| !answer.finished));
    for answer in &all {
        assert_eq!(answer.tokens.len(), answer.log_probs.len());
        assert_eq!(
            answer.tokens.iter().position(|t| sampling.eos.contains(t)),
            answer.finished.then(|| answer.tokens.len() - 1)
        );
    }
}

#[test]
fn responses_stop_at_the_last_position() {
    let decoder = lively(&tiny(), 14);
    let endless = Sampling { max_tokens: 100, ..Sampling::default() };
    let requests = [request(&[1; 16], 1), request(&[1; 15], 1), request(&[1; 3], 2), request(&[1], 0)];
    let steps = std::sync::Mutex::new(Vec::new());
    let progress = |said: usize| steps.lock().unwrap().push(said);
    let answers = decoder.generate(&requests, &endless, Some(&progress)).unwrap();
    assert_eq!(answers.iter().map(|a| a.tokens.len()).collect::<Vec<_>>(), [0, 1, 13, 13]);
    assert_eq!(steps.into_inner().unwrap().last(), Some(&27));
    let none = Sampling { max_tokens: 0, ..endless };
    assert!(decoder.generate(&requests, &none, None).unwrap().iter().all(|a| a.tokens.is_empty()));
    assert!(decoder.generate(&[], &none, None).unwrap().is_empty());
}

#[test]
fn what_cannot_be_answered_is_refused() {
    let decoder = lively(&tiny(), 15);
    let refused = |request: Request, sampling: &Sampling| {
        decoder.generate(&[request], sampling, None).unwrap_err().to_string()
    };
    let long = refused(request(&[1; 17], 1), &sampling());
    assert!(long.contains("17 tokens") && long.contains("16 positions"), "{long}");
    assert!(refused(request(&[], 1), &sampling()).contains("prompt 0 is empty"));
    assert!(refused(request(&[99], 1), &sampling()).contains("token id 99"));
    assert!(refused(Request { copies: 2, ..request(&[1], 1) }, &sampling()).contains("1 streams"));
    assert!(
        refused(request(&[1], 1), &Sampling { temperature: f64::NAN, ..sampling() }).contains("temperature")
    );
    assert!(refused(request(&[1], 1), &Sampling { top_p: 1.5, ..sampling() }).contains("top_p"));
    let mut broken = decoder.deep_copy().unwrap();
    let last = broken.parameters().len() - 1;
    let values = vec![f32::MAX; broken.parameters()[last].to_host().len()];
    broken.parameters_mut()[last].set(&values).unwrap();
    let error = broken.generate(&[request(&[1], 1)], &sampling(), None).unwrap_err();
    assert!(error.exit_code() == 1 && error.to_string().contains("not finite"), "{error}");
}
