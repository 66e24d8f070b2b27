//! What a run file says of a teacher behind a server.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::Error;

/// What a server speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Speaks {
    /// vLLM's OpenAI-compatible server: `/v1/completions` with token ids and `prompt_logprobs`.
    Vllm,
    /// SGLang's own `/generate` with `return_logprob`.
    Sglang,
    /// `llama-cpp-python`'s server: `/v1/completions` with `echo` and `logprobs`, on text.
    LlamaCpp,
}

impl Speaks {
    /// What messages call it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Vllm => "vLLM",
            Self::Sglang => "SGLang",
            Self::LlamaCpp => "llama-cpp-python",
        }
    }
}

/// One teacher's servers, as `servers` of a run file has them.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename = "Server", deny_unknown_fields)]
pub struct ServerFile {
    /// Where the servers are; all of them serve the same model, and share the work.
    pub urls: Vec<String>,
    /// What they speak.
    pub speaks: Speaks,
    /// The model as the server calls it; absent, it must serve exactly one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// How long to wait at the start until they answer, in seconds: large models load for minutes.
    #[serde(default = "ready_within")]
    pub ready_within: f64,
    /// How long one answer may take, in seconds.
    #[serde(default = "timeout")]
    pub timeout: f64,
    /// Requests under way at each of the servers; what is beyond waits here.
    #[serde(default = "in_flight")]
    pub in_flight: usize,
    /// How often a request that failed is made again before the run stops.
    #[serde(default = "retries")]
    pub retries: u32,
    /// Puts the beginning-of-text token before what the teacher reads, where it does not begin with it.
    #[serde(default)]
    pub prepend_bos: bool,
    /// The environment variable that holds the key; the key itself is written nowhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_from: Option<String>,
}

fn ready_within() -> f64 {
    300.0
}

fn timeout() -> f64 {
    60.0
}

fn in_flight() -> usize {
    8
}

fn retries() -> u32 {
    5
}

/// A day in seconds: nobody waits longer.
const DAY: f64 = 86_400.0;

impl ServerFile {
    /// Servers at `urls`, with everything else at its default.
    pub fn at(urls: impl IntoIterator<Item = impl Into<String>>, speaks: Speaks) -> Self {
        Self {
            urls: urls.into_iter().map(Into::into).collect(),
            speaks,
            model: None,
            ready_within: ready_within(),
            timeout: timeout(),
            in_flight: in_flight(),
            retries: retries(),
            prepend_bos: false,
            key_from: None,
        }
    }

    /// Everything that is wrong with what was written; `place` is what messages call it.
    pub(crate) fn faults(&self, place: &str) -> Vec<Error> {
        let mut wrong = Vec::new();
        let mut must = |holds: bool, field: &str, what: &str| {
            if !holds {
                wrong.push(Error::call(what).at(format!("{place}.{field}")));
            }
        };
        let seconds = |x: f64| x.is_finite() && x > 0.0 && x <= DAY;
        must(seconds(self.ready_within), "ready_within", "a wait is above 0 and at most 86400 seconds");
        must(seconds(self.timeout), "timeout", "a time limit is above 0 and at most 86400 seconds");
        must(
            (1..=256).contains(&self.in_flight),
            "in_flight",
            "from 1 to 256 requests are under way at once",
        );
        must(self.retries <= 100, "retries", "a request is made again at most 100 times");
        must(
            self.key_from.as_ref().is_none_or(|name| is_variable(name)),
            "key_from",
            "this is the *name* of an environment variable (letters, digits and `_`), never the key itself",
        );
        must(
            !self.urls.is_empty(),
            "urls",
            "a server is somewhere: name at least one, as in `urls: [\"http://127.0.0.1:8000\"]`",
        );
        for (at, url) in self.urls.iter().enumerate() {
            let what = fault_of(url).map(str::to_string).or_else(|| {
                let twice = self.urls[..at].iter().any(|other| plain(other) == plain(url));
                twice.then(|| "this server is listed twice".to_string())
            });
            wrong.extend(what.map(|what| Error::call(what).at(format!("{place}.urls[{at}] ({url:?})"))));
        }
        wrong
    }

    pub(super) fn patience(&self) -> Duration {
        Duration::from_secs_f64(self.ready_within)
    }

    pub(super) fn limit(&self) -> Duration {
        Duration::from_secs_f64(self.timeout)
    }
}

fn is_variable(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// A URL without what makes no difference.
pub(super) fn plain(url: &str) -> &str {
    url.trim_end_matches('/')
}

/// What is wrong with a URL, if anything.
fn fault_of(url: &str) -> Option<&'static str> {
    let (scheme, rest) = match url.split_once("://") {
        Some((scheme @ ("http" | "https"), rest)) => (scheme, rest),
        _ => {
            return Some("a server's URL begins with `http://` or `https://`, as in `http://127.0.0.1:8000`")
        }
    };
    if scheme == "https" && cfg!(not(feature = "https")) {
        return Some("this build speaks no `https://`: build it with `--features https`, or reach the server by `http://`");
    }
    let authority = rest.split('/').next().unwrap_or_default();
    if authority.contains('@') {
        return Some("a URL in a run file holds no password: put a key into an environment variable and name that as `key_from`");
    }
    if rest.contains(['?', '#']) || rest.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Some("a server's URL is scheme, host, port and perhaps a path, and nothing else");
    }
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    if host.is_empty() || port.is_some_and(|port| !port.parse::<u16>().is_ok_and(|port| port > 0)) {
        return Some(
            "a server's URL has a host and perhaps a port from 1 to 65535, as in `http://127.0.0.1:8000`",
        );
    }
    if plain(rest).ends_with("/v1") {
        return Some("name the server without `/v1`: the paths are added to it");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_looked_at() {
        for good in ["http://127.0.0.1:8000", "http://[::1]:80/", "http://teacher", "http://a.b:1/proxy/one"]
        {
            assert_eq!(fault_of(good), None, "{good}");
        }
        for (bad, word) in [
            ("127.0.0.1:8000", "begins with"),
            ("ftp://a", "begins with"),
            ("http://", "has a host"),
            ("http://a:0", "port"),
            ("http://a:x", "port"),
            ("http://me:secret@a", "no password"),
            ("http://a?b", "nothing else"),
            ("http://a b", "nothing else"),
            ("http://a/v1/", "without `/v1`"),
        ] {
            assert!(fault_of(bad).is_some_and(|what| what.contains(word)), "{bad}");
        }
        assert_eq!(fault_of("https://a").is_some(), cfg!(not(feature = "https")));
    }

    #[test]
    fn numbers_and_names_are_looked_at() {
        let good = ServerFile::at(["http://a"], Speaks::Vllm);
        assert!(good.faults("servers.t").is_empty());
        let bad = ServerFile {
            urls: vec!["http://a".into(), "http://a/".into()],
            ready_within: 0.0,
            timeout: f64::NAN,
            in_flight: 0,
            retries: 101,
            key_from: Some("sk-123".into()),
            ..good
        };
        let said: Vec<String> = bad.faults("servers.t").iter().map(ToString::to_string).collect();
        for field in ["ready_within", "timeout", "in_flight", "retries", "key_from", "urls[1]"] {
            assert!(
                said.iter().any(|one| one.starts_with(&format!("servers.t.{field}"))),
                "{field}: {said:?}"
            );
        }
        assert_eq!(said.len(), 6, "{said:?}");
    }
}
