//! Some rollouts, token by token, coloured by what the student was told about each token.

use super::html::{clip, escape};
use super::{Sample, ShownImage};

/// More samples than this are thinned out, evenly over the run.
const MOST_SAMPLES: usize = 24;
const MOST_TOKENS: usize = 2_000;
const MOST_CHARACTERS: usize = 4_000;
/// Steps of the colour scale to either side.
const LEVELS: f64 = 4.0;

/// The regimes of routed recipes and what they mean.
const REGIMES: [(&str, &str); 4] = [
    ("LH", "small gap, both sure: teacher, lightly"),
    ("LL", "small gap, both unsure: anchor"),
    ("HT", "teacher ahead: teacher, in full"),
    ("HS", "student ahead: keeps its own"),
];

pub(super) fn render(samples: &[Sample]) -> String {
    let shown = pick(samples);
    if shown.is_empty() {
        return String::new();
    }
    let scale = scale(&shown);
    let cards: String = shown.iter().map(|sample| card(sample, scale)).collect();
    format!(
        "{}{}<div class=\"samples\">\n{cards}</div>\n",
        filters(shown.len(), samples.len()),
        legend(&shown, scale)
    )
}

/// Evenly over the run, the first and the last among them.
fn pick(samples: &[Sample]) -> Vec<&Sample> {
    let mut sorted: Vec<&Sample> = samples.iter().collect();
    sorted.sort_by_key(|sample| sample.step);
    let n = sorted.len();
    if n <= MOST_SAMPLES {
        return sorted;
    }
    (0..MOST_SAMPLES).map(|i| sorted[i * (n - 1) / (MOST_SAMPLES - 1)]).collect()
}

/// The reward that gets the full colour: one in twenty is larger.
fn scale(samples: &[&Sample]) -> f64 {
    let rewards = samples.iter().filter_map(|sample| sample.advantage.as_ref()).flatten();
    let mut sizes: Vec<f64> = rewards.map(|reward| reward.abs()).filter(|size| size.is_finite()).collect();
    sizes.sort_by(f64::total_cmp);
    let place = sizes.len() * 19 / 20;
    sizes.get(place).or(sizes.last()).copied().filter(|size| *size > 0.0).unwrap_or(1.0)
}

/// Choosing by outcome works in the style sheet alone.
fn filters(shown: usize, all: usize) -> String {
    let choices = [("all", "all"), ("right", "right"), ("wrong", "wrong"), ("unjudged", "not judged")];
    let choice = |(id, text): (&str, &str)| {
        let checked = if id == "all" { " checked" } else { "" };
        format!("<label><input type=\"radio\" name=\"show\" id=\"show-{id}\"{checked}> {text}</label>")
    };
    let choices: String = choices.into_iter().map(choice).collect();
    let of = if shown < all { format!("{shown} of {all}, evenly over the run") } else { String::new() };
    format!("<p class=\"filters\">{choices}<span>{of}</span></p>\n")
}

fn legend(samples: &[&Sample], scale: f64) -> String {
    let mut out = String::new();
    if samples.iter().any(|sample| sample.regime.is_some()) {
        let entries = REGIMES
            .map(|(name, meaning)| format!("<span><i class=\"token r-{name}\">{name}</i> {meaning}</span>"));
        out += &format!("<p class=\"legend\">{}</p>\n", entries.concat());
    }
    if samples.iter().any(|sample| sample.regime.is_none() && sample.advantage.is_some()) {
        let levels = LEVELS as i32;
        let steps: String =
            (-levels..=levels).map(|level| format!("<i class=\"token {}\"></i>", class(level))).collect();
        out += &format!(
            "<p class=\"legend\"><span>reward of a token, calibrated:</span>\
             <span>≤ −{scale:.2} <span class=\"ramp\">{steps}</span> ≥ +{scale:.2}</span></p>\n"
        );
    }
    out
}

fn card(sample: &Sample, scale: f64) -> String {
    let (outcome, says) = match sample.correct {
        Some(true) => ("right", "✓ right"),
        Some(false) => ("wrong", "✗ wrong"),
        None => ("unjudged", "? not judged"),
    };
    let (kept, note) =
        if sample.kept { ("", "") } else { (" unkept", "<span class=\"badge\">not learned from</span>") };
    let domain = if sample.domain.is_empty() {
        String::new()
    } else {
        format!("<span class=\"badge\">{}</span>", escape(&sample.domain))
    };
    let tokens: String =
        (0..sample.response.len().min(MOST_TOKENS)).map(|t| token(sample, t, scale)).collect();
    let more = if sample.response.len() > MOST_TOKENS { " …" } else { "" };
    format!(
        "<article class=\"{outcome}{kept}\"><header><span>step {step}</span>{domain}\
         <span class=\"badge {outcome}\">{says}</span>{note}</header>\n\
         {images}<pre class=\"prompt\">{prompt}</pre>\n<pre class=\"response\">{tokens}{more}</pre></article>\n",
        images = images(&sample.images),
        step = sample.step,
        prompt = escape(&clip(sample.prompt.trim_end(), MOST_CHARACTERS)),
    )
}

/// The images of a prompt, their boxes over them.
pub(super) fn images(all: &[ShownImage]) -> String {
    if all.is_empty() {
        return String::new();
    }
    let edge = |(label, [left, top, right, bottom]): &(String, [f64; 4])| {
        let (width, height) = ((right - left).max(0.0), (bottom - top).max(0.0));
        let name = if label.is_empty() { "evidence" } else { label };
        let class = if label.is_empty() { "evidence" } else { "box" };
        let place = format!("x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\"");
        match width.is_finite() && height.is_finite() {
            true => format!("<rect class=\"{class}\" {place}><title>{}</title></rect>", escape(name)),
            false => String::new(),
        }
    };
    let one = |image: &ShownImage| {
        let (width, height) = (image.width, image.height);
        let size = format!("width=\"{width}\" height=\"{height}\"");
        let boxes: String = image.boxes.iter().map(edge).collect();
        format!(
            "<svg viewBox=\"0 0 {width} {height}\" role=\"img\"><image {size} href=\"{}\"/>{boxes}</svg>",
            escape(&image.src)
        )
    };
    format!("<div class=\"images\">{}</div>\n", all.iter().map(one).collect::<String>())
}

fn token(sample: &Sample, t: usize, scale: f64) -> String {
    let reward = sample.advantage.as_ref().and_then(|rewards| rewards.get(t));
    let regime = sample.regime.as_ref().and_then(|regimes| regimes.get(t));
    let known = regime.and_then(|name| REGIMES.iter().find(|(known, _)| known == name));
    let class = match (&sample.regime, reward) {
        (Some(_), _) => known.map_or(String::new(), |(name, _)| format!("r-{name}")),
        (None, Some(reward)) => class(level(*reward, scale)),
        (None, None) => String::new(),
    };
    let mut title = format!("token {t}");
    if let Some(reward) = reward {
        title += &format!(" · reward {reward:+.4}");
    }
    if let Some(regime) = regime {
        title += &format!(" · {regime}");
    }
    let text = sample.response[t].replace('\n', "⏎\n");
    format!("<i class=\"token {class}\" title=\"{}\">{}</i>", escape(&title), escape(&text))
}

/// Rewards from −scale to scale on −LEVELS to LEVELS; what is no number has no colour.
fn level(reward: f64, scale: f64) -> i32 {
    (reward / scale * LEVELS).clamp(-LEVELS, LEVELS).round() as i32
}

fn class(level: i32) -> String {
    match level {
        0 => String::new(),
        1.. => format!("p{level}"),
        _ => format!("n{}", -level),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_picked_evenly_with_first_and_last() {
        let samples: Vec<Sample> = (0..1000).rev().map(|step| Sample { step, ..Sample::default() }).collect();
        let shown = pick(&samples);
        assert_eq!((shown.len(), shown[0].step, shown[MOST_SAMPLES - 1].step), (MOST_SAMPLES, 0, 999));
    }

    #[test]
    fn colours_follow_the_reward() {
        assert_eq!([-9.0, -0.5, 0.1, 0.5, 9.0, f64::NAN].map(|r| level(r, 1.0)), [-4, -2, 0, 2, 4, 0]);
        assert_eq!([-4, 0, 2].map(class), ["n4", "", "p2"]);
        let rewarded = |advantage| Sample { advantage: Some(advantage), ..Sample::default() };
        assert_eq!(scale(&[&rewarded(vec![f64::NAN, 0.0])]), 1.0);
        assert_eq!(scale(&[&rewarded((0..=100).map(f64::from).collect())]), 95.0);
    }
}
