//! One server, and what an answer of it means: good, to be asked again, or never.

use std::time::Duration;

use serde_json::Value;
use ureq::http::Response;
use ureq::{Agent, Body};

use super::settings::plain;

/// Answers up to this size are read: top-K rows of a long context take many bytes.
const LARGEST: u64 = 1 << 29;
/// So much of a server's own complaint is shown.
const SHOWN: usize = 200;
/// A server that asks for patience gets this much at most.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Why there is no good answer.
#[derive(Debug)]
pub(super) enum Trouble {
    /// Asking again is no use.
    Lasting(String),
    /// It may be better later; the server may have said when.
    Passing(String, Option<Duration>),
}

impl Trouble {
    /// An answer that cannot be used, but the next one may.
    pub fn bad_answer(what: String) -> Self {
        Self::Passing(what, None)
    }

    pub fn what(&self) -> &str {
        match self {
            Self::Lasting(what) | Self::Passing(what, _) => what,
        }
    }
}

/// One server.
pub(super) struct Endpoint {
    pub url: String,
    agent: Agent,
    limit: Duration,
    key: Option<String>,
}

impl Endpoint {
    pub fn new(url: &str, limit: Duration, connections: usize, key: Option<String>) -> Self {
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(limit))
            .max_idle_connections(connections)
            .max_idle_connections_per_host(connections)
            .user_agent(concat!("limbeck/", env!("CARGO_PKG_VERSION")));
        if is_here(url) {
            // a proxy of the environment is for what is elsewhere
            config = config.proxy(None);
        }
        Self { url: plain(url).to_string(), agent: config.build().into(), limit, key }
    }

    /// The body of the answer to GET.
    pub fn get(&self, path: &str) -> Result<String, Trouble> {
        let mut request = self.agent.get(format!("{}{path}", self.url));
        if let Some(key) = &self.key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        self.read(request.call())
    }

    /// The body of the answer to POST.
    pub fn post(&self, path: &str, body: &Value) -> Result<String, Trouble> {
        let mut request = self.agent.post(format!("{}{path}", self.url)).content_type("application/json");
        if let Some(key) = &self.key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        self.read(request.send(body.to_string()))
    }

    fn read(&self, answer: Result<Response<Body>, ureq::Error>) -> Result<String, Trouble> {
        let mut answer = answer.map_err(|why| self.explain(&why))?;
        let status = answer.status().as_u16();
        let wait =
            answer.headers().get("retry-after").and_then(|wait| wait.to_str().ok()?.trim().parse().ok());
        let wait = wait.map(|seconds| Duration::from_secs(seconds).min(LONGEST_WAIT));
        let body = answer.body_mut().with_config().limit(LARGEST).lossy_utf8(true).read_to_string();
        if (200..300).contains(&status) {
            return body.map_err(|why| self.explain(&why));
        }
        let what = format!("it answered {status}{}", complaint(&body.unwrap_or_default()));
        match status {
            408 | 425 | 429 | 500.. => Err(Trouble::Passing(what, wait)),
            _ => Err(Trouble::Lasting(what)),
        }
    }

    fn explain(&self, why: &ureq::Error) -> Trouble {
        use std::io::ErrorKind as Io;
        let what = match why {
            ureq::Error::Timeout(_) => format!("no answer within {} s", self.limit.as_secs_f64()),
            ureq::Error::HostNotFound => "there is no such host".to_string(),
            ureq::Error::BadUri(_) | ureq::Error::RequireHttpsOnly(_) | ureq::Error::Http(_) => {
                return Trouble::Lasting(why.to_string());
            }
            ureq::Error::BodyExceedsLimit(most) => {
                return Trouble::Lasting(format!("its answer has more than {most} bytes"));
            }
            ureq::Error::Io(io) => match io.kind() {
                Io::ConnectionRefused => "nobody listens there".to_string(),
                Io::TimedOut | Io::WouldBlock => format!("no answer within {} s", self.limit.as_secs_f64()),
                Io::ConnectionReset | Io::ConnectionAborted | Io::BrokenPipe | Io::UnexpectedEof => {
                    "the connection was dropped".to_string()
                }
                _ => io.to_string(),
            },
            ureq::Error::Protocol(_) => format!("the connection was dropped, or this is no HTTP: {why}"),
            other => other.to_string(),
        };
        Trouble::Passing(what, None)
    }
}

/// Whether a URL leads to this machine.
fn is_here(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    ["127.", "localhost", "[::1]"].iter().any(|here| rest.starts_with(here))
}

/// What the server itself says of it, on one line.
fn complaint(body: &str) -> String {
    let json: Value = serde_json::from_str(body).unwrap_or_default();
    let said = ["/message", "/error/message", "/detail", "/error"]
        .iter()
        .find_map(|at| json.pointer(at)?.as_str().map(str::to_string))
        .unwrap_or_else(|| body.to_string());
    let line: String = said.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(SHOWN).collect();
    if line.is_empty() {
        line
    } else {
        format!(": {line}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_servers_own_words_are_told_on_one_line() {
        assert_eq!(complaint(r#"{"error": {"message": "no such\n model"}}"#), ": no such model");
        assert_eq!(complaint(r#"{"detail": "Not Found"}"#), ": Not Found");
        assert_eq!(complaint(""), "");
        assert_eq!(complaint(&"x".repeat(999)).len(), SHOWN + 2);
    }

    #[test]
    fn a_proxy_is_for_what_is_elsewhere() {
        assert!(is_here("http://127.0.0.1:80") && is_here("http://localhost/a") && is_here("http://[::1]:1"));
        assert!(!is_here("http://teacher.example:80"));
    }
}
