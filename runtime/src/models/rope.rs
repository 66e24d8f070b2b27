//! Rotary scaling: how models that were trained on short texts are stretched to long ones.

use std::f64::consts::TAU;

use super::fields::Fields;
use crate::error::{Error, Result};
use crate::kernels::attention::Rates;
use serde_json::{json, Value};

/// `rope_scaling` of `config.json` (`rope_parameters` in newer versions of `transformers`).
#[derive(Clone, Debug, Default, PartialEq)]
pub enum RopeScaling {
    /// None.
    #[default]
    None,
    /// `linear` (position interpolation, arXiv 2306.15595): every rate divided by `factor`.
    Linear {
        /// How many times longer texts become.
        factor: f64,
    },
    /// `llama3`: slow pairs are divided by `factor`, fast ones kept, and between the two they are blended.
    Llama3 {
        /// How many times longer texts become.
        factor: f64,
        /// Pairs that turn fewer times than this over `original` positions are slow.
        low_freq_factor: f64,
        /// Pairs that turn more times than this are fast.
        high_freq_factor: f64,
        /// `original_max_position_embeddings`: positions before the stretch.
        original: f64,
    },
    /// `yarn` (arXiv 2309.00071): as `llama3`, blended over the pairs' indices, and with sharper attention.
    Yarn {
        /// How many times longer texts become.
        factor: f64,
        /// `original_max_position_embeddings`: positions before the stretch.
        original: f64,
        /// Pairs that turn more times than this over `original` positions are kept; 32.
        beta_fast: f64,
        /// Pairs that turn fewer times than this are divided by `factor`; 1.
        beta_slow: f64,
        /// What rotated values are multiplied by; `0.1 ln(factor) + 1` when the file does not say.
        attention_factor: Option<f64>,
        /// Whether the ends of the blend are rounded to whole pairs.
        truncate: bool,
    },
}

impl RopeScaling {
    /// The rates at which the pairs of a head of `width` values turn.
    ///
    /// ```
    /// use limbeck::models::RopeScaling;
    ///
    /// let stretched = RopeScaling::Linear { factor: 4.0 }.rates(4, 100.0);
    /// assert_eq!(stretched.radians, [0.25, 0.025]);
    /// ```
    pub fn rates(&self, width: usize, theta: f64) -> Rates {
        let mut rates = Rates::of(width, theta);
        match *self {
            Self::None => {}
            Self::Linear { factor } => {
                rates.radians.iter_mut().for_each(|rate| *rate = (f64::from(*rate) / factor) as f32);
            }
            Self::Llama3 { factor, low_freq_factor, high_freq_factor, original } => {
                for rate in &mut rates.radians {
                    let turns = original * f64::from(*rate) / TAU;
                    let kept = (turns - low_freq_factor) / (high_freq_factor - low_freq_factor);
                    *rate = blend(*rate, factor, kept);
                }
            }
            Self::Yarn { factor, original, beta_fast, beta_slow, attention_factor, truncate } => {
                // the pair that turns so many times over the original positions
                let pair = |turns: f64| width as f64 * (original / (turns * TAU)).ln() / (2.0 * theta.ln());
                let (low, high) = match truncate {
                    true => (pair(beta_fast).floor(), pair(beta_slow).ceil()),
                    false => (pair(beta_fast), pair(beta_slow)),
                };
                let (low, mut high) = (low.max(0.0), high.min(width as f64 - 1.0));
                if low == high {
                    high += 0.001;
                }
                for (i, rate) in rates.radians.iter_mut().enumerate() {
                    *rate = blend(*rate, factor, 1.0 - (i as f64 - low) / (high - low));
                }
                rates.length = attention_factor.unwrap_or_else(|| sharper(factor, 1.0));
            }
        }
        rates
    }

    /// What `config.json` says, or that it is not supported.
    pub(super) fn read(fields: &Fields, positions: usize) -> Result<Self> {
        let Some(field) = ["rope_parameters", "rope_scaling"].into_iter().find(|f| fields.get(f).is_some())
        else {
            return Ok(Self::None);
        };
        let nested = fields.nested(field)?;
        let kind = nested.get("rope_type").or_else(|| nested.get("type"));
        let name = kind.map_or(Some("default"), Value::as_str).unwrap_or_default();
        if nested.values.values().any(Value::is_object) {
            return fields.wrong(field, "rotary settings for each kind of layer are not supported");
        }
        if nested.number("partial_rotary_factor", 1.0)? != 1.0 {
            return nested.wrong("partial_rotary_factor", "rotating a part of each head is not supported");
        }
        // a scaling is of no use without its numbers
        let needed = |name: &str| match nested.get(name) {
            Some(_) => nested.number(name, 0.0),
            None => nested.wrong(name, "is missing"),
        };
        let scaling = match name {
            "default" => return Ok(Self::None),
            "linear" => Self::Linear { factor: needed("factor")? },
            "llama3" => Self::Llama3 {
                factor: needed("factor")?,
                low_freq_factor: needed("low_freq_factor")?,
                high_freq_factor: needed("high_freq_factor")?,
                original: needed("original_max_position_embeddings")?,
            },
            "yarn" => {
                let factor = needed("factor")?;
                let [mscale, all] = [nested.number("mscale", 0.0)?, nested.number("mscale_all_dim", 0.0)?];
                let weighed =
                    (mscale != 0.0 && all != 0.0).then(|| sharper(factor, mscale) / sharper(factor, all));
                let said = nested.get("attention_factor").map(|_| nested.number("attention_factor", 1.0));
                Self::Yarn {
                    factor,
                    original: nested.number("original_max_position_embeddings", positions as f64)?,
                    beta_fast: nested.number("beta_fast", 32.0)?,
                    beta_slow: nested.number("beta_slow", 1.0)?,
                    attention_factor: said.transpose()?.or(weighed),
                    truncate: nested.get("truncate") != Some(&Value::Bool(false)),
                }
            }
            other => {
                let what = format!("rotary scaling of type `{other}` is not supported");
                return Err(Error::call(what)
                    .at(format!("{}field `{field}`", fields.file))
                    .next("supported are default, linear, llama3 and yarn"));
            }
        };
        match scaling.fault() {
            Some((name, what)) => nested.wrong(name, what),
            None => Ok(scaling),
        }
    }

    /// The number that cannot be right, and why.
    pub(super) fn fault(&self) -> Option<(&'static str, &'static str)> {
        let not = |name, sound: bool, what| (!sound).then_some((name, what));
        let positive = |x: f64| x.is_finite() && x > 0.0;
        let factor_of = |factor: f64| {
            not("factor", factor.is_finite() && factor >= 1.0, "is not a finite number of 1 or more")
        };
        let original_of = |original: f64| {
            not("original_max_position_embeddings", positive(original), "is not a positive number")
        };
        match *self {
            Self::None => None,
            Self::Linear { factor } => factor_of(factor),
            Self::Llama3 { factor, low_freq_factor: low, high_freq_factor: high, original } => {
                factor_of(factor).or_else(|| original_of(original)).or_else(|| {
                    let sound = positive(low) && high.is_finite() && high > low;
                    not("high_freq_factor", sound, "is not above `low_freq_factor`, which must be positive")
                })
            }
            Self::Yarn { factor, original, beta_fast, beta_slow, attention_factor, .. } => factor_of(factor)
                .or_else(|| original_of(original))
                .or_else(|| {
                    let sound = positive(beta_slow) && beta_fast.is_finite() && beta_fast > beta_slow;
                    not("beta_fast", sound, "is not above `beta_slow`, which must be positive")
                })
                .or_else(|| {
                    let sound = attention_factor.is_none_or(positive);
                    not("attention_factor", sound, "is not a positive number")
                }),
        }
    }

    /// The value of `rope_scaling`.
    pub(super) fn to_json(&self) -> Value {
        match *self {
            Self::None => Value::Null,
            Self::Linear { factor } => json!({"rope_type": "linear", "factor": factor}),
            Self::Llama3 { factor, low_freq_factor, high_freq_factor, original } => json!({
                "rope_type": "llama3",
                "factor": factor,
                "low_freq_factor": low_freq_factor,
                "high_freq_factor": high_freq_factor,
                "original_max_position_embeddings": original as u64,
            }),
            Self::Yarn { factor, original, beta_fast, beta_slow, attention_factor, truncate } => {
                let mut fields = json!({
                    "rope_type": "yarn",
                    "factor": factor,
                    "original_max_position_embeddings": original as u64,
                    "beta_fast": beta_fast,
                    "beta_slow": beta_slow,
                    "truncate": truncate,
                });
                if let Some(factor) = attention_factor {
                    fields["attention_factor"] = json!(factor);
                }
                fields
            }
        }
    }
}

/// A rate of which the share `kept`, from 0 to 1, is as it was, and the rest divided by `factor`.
fn blend(rate: f32, factor: f64, kept: f64) -> f32 {
    let (rate, kept) = (f64::from(rate), kept.clamp(0.0, 1.0));
    (rate / factor * (1.0 - kept) + rate * kept) as f32
}

/// `0.1 weight ln(factor) + 1`: by how much YaRN lengthens queries and keys.
fn sharper(factor: f64, weight: f64) -> f64 {
    match factor <= 1.0 {
        true => 1.0,
        false => 0.1 * weight * factor.ln() + 1.0,
    }
}
