//! Many requests over some servers: a bounded number under way at each, what fails made again, elsewhere
//! first, and a server that keeps failing set aside while others answer.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::http::{Endpoint, Trouble};
use super::settings::ServerFile;
use crate::rng::{Purpose, Stream};

/// The first wait before a request is made again; each next one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// And no longer than this.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// After so many failures in a row a server is set aside.
const SET_ASIDE: u32 = 3;
/// For how long at first, and at most.
const REST: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// The servers of one teacher.
pub(super) struct Pool {
    pub lanes: Vec<Lane>,
    in_flight: usize,
    retries: u32,
}

/// One server, and how it has been.
pub(super) struct Lane {
    pub endpoint: Endpoint,
    /// It failed: who answers now may be somebody else.
    doubted: AtomicBool,
    health: Mutex<Health>,
}

#[derive(Default)]
struct Health {
    failures: u32,
    rests: u32,
    until: Option<Instant>,
}

/// A request that waits.
struct Job {
    index: usize,
    tried: u32,
    not_before: Option<Instant>,
    /// Where it failed last.
    failed_at: Option<usize>,
}

struct Queue<T> {
    waiting: Vec<Job>,
    open: usize,
    done: Vec<Option<T>>,
    failed: Option<String>,
}

impl Pool {
    pub fn new(file: &ServerFile, key: Option<&str>) -> Self {
        let lane = |url: &String| Lane {
            endpoint: Endpoint::new(url, file.limit(), file.in_flight, key.map(str::to_string)),
            doubted: AtomicBool::new(false),
            health: Mutex::default(),
        };
        Self { lanes: file.urls.iter().map(lane).collect(), in_flight: file.in_flight, retries: file.retries }
    }

    /// The answers to the requests `0..count`, in order; `ask` makes one of them at a server that is trusted, and
    /// `again` looks once more at one that was not well.
    ///
    /// # Errors
    /// What could not be had after all retries, and from whom.
    pub fn each<T: Send>(
        &self,
        count: usize,
        again: impl Fn(&Endpoint) -> Result<(), Trouble> + Sync,
        ask: impl Fn(&Endpoint, usize) -> Result<T, Trouble> + Sync,
    ) -> Result<Vec<T>, String> {
        let job = |index| Job { index, tried: 0, not_before: None, failed_at: None };
        let queue = Mutex::new(Queue {
            waiting: (0..count).rev().map(job).collect(),
            open: count,
            done: (0..count).map(|_| None).collect(),
            failed: None,
        });
        let news = Condvar::new();
        let work = |at: usize| {
            let lane = &self.lanes[at];
            while let Some(job) = self.next(at, &queue, &news) {
                let trust = if lane.doubted.load(Ordering::SeqCst) { again(&lane.endpoint) } else { Ok(()) };
                let answer = trust.and_then(|()| {
                    lane.doubted.store(false, Ordering::SeqCst);
                    ask(&lane.endpoint, job.index)
                });
                self.settle(at, job, answer, &mut lock(&queue));
                news.notify_all();
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..self.in_flight.min(count) {
                for at in 0..self.lanes.len() {
                    scope.spawn(move || work(at));
                }
            }
        });
        let queue = queue.into_inner().unwrap_or_else(PoisonError::into_inner);
        match queue.failed {
            Some(what) => Err(what),
            None => queue.done.into_iter().collect::<Option<_>>().ok_or_else(|| "a request was lost".into()),
        }
    }

    /// The next request for a lane, waited for; none when all is done or lost.
    fn next<T>(&self, at: usize, queue: &Mutex<Queue<T>>, news: &Condvar) -> Option<Job> {
        let mut held = lock(queue);
        loop {
            if held.open == 0 || held.failed.is_some() {
                return None;
            }
            let now = Instant::now();
            let others =
                (0..self.lanes.len()).any(|other| other != at && self.lanes[other].rest(now).is_none());
            let mut wake = Vec::new();
            match self.lanes[at].rest(now).filter(|_| others) {
                Some(until) => wake.push(until),
                None => {
                    let due = |job: &Job| job.not_before.is_none_or(|when| when <= now);
                    let mine = |job: &Job| !others || job.failed_at != Some(at);
                    // the last is the first that came
                    if let Some(found) = held.waiting.iter().rposition(|job| due(job) && mine(job)) {
                        return Some(held.waiting.remove(found));
                    }
                    wake.extend(
                        held.waiting.iter().filter_map(|job| job.not_before).filter(|&when| when > now),
                    );
                }
            }
            let patience = wake.into_iter().min().map_or(LONGEST_WAIT, |when| when.duration_since(now));
            held = news.wait_timeout(held, patience).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn settle<T>(&self, at: usize, job: Job, answer: Result<T, Trouble>, queue: &mut Queue<T>) {
        let lane = &self.lanes[at];
        let lost = |what: &str, tried: u32| match tried {
            0 => format!("{}: {what}", lane.endpoint.url),
            _ => format!("{}: {what} (asked {} times)", lane.endpoint.url, tried + 1),
        };
        match answer {
            Ok(answer) => {
                *lock(&lane.health) = Health::default();
                queue.done[job.index] = Some(answer);
                queue.open -= 1;
            }
            Err(Trouble::Lasting(what)) => drop(queue.failed.get_or_insert(lost(&what, job.tried))),
            Err(Trouble::Passing(what, wait)) => {
                lane.doubted.store(true, Ordering::SeqCst);
                lane.failed();
                if job.tried >= self.retries {
                    queue.failed.get_or_insert(lost(&what, job.tried));
                    return;
                }
                let pause = backoff(job.index, job.tried).max(wait.unwrap_or_default());
                let not_before = Some(Instant::now() + pause);
                queue.waiting.push(Job { tried: job.tried + 1, not_before, failed_at: Some(at), ..job });
            }
        }
    }
}

impl Lane {
    /// Until when it is set aside.
    fn rest(&self, now: Instant) -> Option<Instant> {
        lock(&self.health).until.filter(|&until| until > now)
    }

    fn failed(&self) {
        let mut health = lock(&self.health);
        health.failures += 1;
        if health.failures >= SET_ASIDE {
            let rest = REST.0.saturating_mul(1 << health.rests.min(16)).min(REST.1);
            health.until = Some(Instant::now() + rest);
            health.rests += 1;
            // one more failure after the rest, and it rests again
            health.failures = SET_ASIDE - 1;
        }
    }
}

/// Twice as long each time, and between half and all of that: who failed together does not come back together.
pub(super) fn backoff(index: usize, tried: u32) -> Duration {
    let whole = FIRST_WAIT.saturating_mul(1 << tried.min(16)).min(LONGEST_WAIT);
    // no result depends on it: processes that failed together are to differ
    let mut stream =
        Stream::new(u64::from(std::process::id()), Purpose::Backoff, index as u64, u64::from(tried));
    whole.mul_f64(0.5 + 0.5 * stream.uniform())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::super::settings::Speaks;
    use super::*;

    fn pool(urls: &[&str], retries: u32, in_flight: usize) -> Pool {
        let file = ServerFile { retries, in_flight, ..ServerFile::at(urls.iter().copied(), Speaks::Vllm) };
        Pool::new(&file, None)
    }

    fn passing<T>() -> Result<T, Trouble> {
        Err(Trouble::bad_answer("not now".into()))
    }

    #[test]
    fn answers_come_in_order_and_no_more_are_under_way_than_may_be() {
        let (under_way, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let found = pool(&["http://a", "http://b"], 0, 2).each(
            40,
            |_| Ok(()),
            |_, index| {
                most.fetch_max(under_way.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                std::thread::yield_now();
                under_way.fetch_sub(1, Ordering::SeqCst);
                Ok(index)
            },
        );
        assert_eq!(found.unwrap(), (0..40).collect::<Vec<_>>());
        assert!((1..=4).contains(&most.into_inner()));
    }

    #[test]
    fn what_fails_is_asked_again_elsewhere_and_a_server_that_was_not_well_is_looked_at() {
        let looked = AtomicUsize::new(0);
        let again = |_: &Endpoint| {
            looked.fetch_add(1, Ordering::SeqCst);
            passing()
        };
        let dead =
            |endpoint: &Endpoint, index| if endpoint.url == "http://a" { passing() } else { Ok(index) };
        let two = pool(&["http://a", "http://b"], 1, 1);
        assert_eq!(two.each(30, again, dead).unwrap().len(), 30);
        // the first failure came of a request; after it every one is looked at first
        let asked_again = two.lanes[0].doubted.load(Ordering::SeqCst);
        assert!(asked_again || looked.load(Ordering::SeqCst) == 0);
        assert!(!two.lanes[1].doubted.load(Ordering::SeqCst));
    }

    #[test]
    fn a_lasting_failure_says_who_and_how_often() {
        let asked = AtomicUsize::new(0);
        let found: Result<Vec<()>, _> = pool(&["http://a"], 2, 1).each(
            1,
            |_| Ok(()),
            |_, _| {
                asked.fetch_add(1, Ordering::SeqCst);
                passing()
            },
        );
        assert_eq!(found.unwrap_err(), "http://a: not now (asked 3 times)");
        assert_eq!(asked.into_inner(), 3);
        let never = |_: &Endpoint, _| Err(Trouble::Lasting("no such model".into()));
        let found: Result<Vec<()>, _> = pool(&["http://a"], 9, 3).each(5, |_| Ok(()), never);
        assert_eq!(found.unwrap_err(), "http://a: no such model");
    }

    #[test]
    fn waits_grow_and_are_not_all_alike() {
        let waits: Vec<Duration> = (0..20).map(|index| backoff(index, 3)).collect();
        assert!(waits.iter().all(|wait| (1000..=2000).contains(&wait.as_millis())), "{waits:?}");
        assert!(waits.iter().any(|wait| *wait != waits[0]));
        assert!(backoff(0, 99) <= LONGEST_WAIT);
    }
}
