//! Tokens that failed, by the address they came from: who has guessed too often waits before any token of theirs is
//! looked at again. Whoever had asked from the same address with a token that was good goes on, so that one client behind
//! a proxy does not lock out the others.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::Extensions;
use tokio::time::Instant;

/// So many tokens may fail within [`WINDOW`].
pub const FAILURES_MAX: u32 = 30;
/// In which time they are counted, and how long whoever had too many waits at most.
pub const WINDOW: Duration = Duration::from_secs(60);
/// So many addresses are remembered: of more, the one that failed first is forgotten.
const PEERS_MAX: usize = 4_096;
/// So many good tokens of each, the latest.
const GOOD_MAX: usize = 16;

/// Where a request comes from. One network of IPv6 is one place: whoever has one has all of its addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Peer(IpAddr);

impl Peer {
    /// The place of an address.
    pub fn at(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V6(v6) => {
                let [a, b, c, d, ..] = v6.segments();
                Self(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into())
            }
            v4 => Self(v4),
        }
    }

    /// Where a request comes from, when the accept loop took it.
    pub fn of(extensions: &Extensions) -> Option<Self> {
        extensions.get().copied()
    }
}

#[derive(Debug)]
struct Failed {
    /// When the first of those that count did.
    since: Instant,
    count: u32,
    /// Of tokens that were good since then.
    good: VecDeque<u64>,
}

/// The addresses that tokens failed from.
#[derive(Default)]
pub struct Failures {
    peers: Mutex<HashMap<Peer, Failed>>,
    /// How many there are, so that nobody waits for the others while nothing fails.
    len: AtomicUsize,
    hashing: RandomState,
}

impl Failures {
    /// For how long this token is not looked at; `None` when it may be.
    pub fn wait(&self, peer: Peer, token: &str) -> Option<Duration> {
        if self.len.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let peers = self.peers();
        let failed = peers.get(&peer).filter(|failed| failed.count >= FAILURES_MAX)?;
        let left = WINDOW.checked_sub(failed.since.elapsed()).filter(|left| !left.is_zero())?;
        (!failed.good.contains(&self.hashing.hash_one(token))).then_some(left)
    }

    /// Notes that a token was not good.
    pub fn failed(&self, peer: Peer) {
        let now = Instant::now();
        let mut peers = self.peers();
        if peers.len() >= PEERS_MAX && !peers.contains_key(&peer) {
            peers.retain(|_, failed| now - failed.since < WINDOW);
            let oldest = || peers.iter().min_by_key(|(_, failed)| failed.since).map(|(peer, _)| *peer);
            if peers.len() >= PEERS_MAX
                && let Some(oldest) = oldest()
            {
                peers.remove(&oldest);
            }
        }
        let fresh = || Failed { since: now, count: 0, good: VecDeque::new() };
        let failed = peers.entry(peer).or_insert_with(fresh);
        if now - failed.since >= WINDOW {
            (failed.since, failed.count) = (now, 0);
        }
        failed.count = failed.count.saturating_add(1);
        self.len.store(peers.len(), Ordering::Relaxed);
    }

    /// Notes that a token was good.
    pub fn succeeded(&self, peer: Peer, token: &str) {
        if self.len.load(Ordering::Relaxed) == 0 {
            return;
        }
        let mut peers = self.peers();
        let Some(failed) = peers.get_mut(&peer) else { return };
        let hash = self.hashing.hash_one(token);
        if !failed.good.contains(&hash) {
            failed.good.push_back(hash);
            if failed.good.len() > GOOD_MAX {
                failed.good.pop_front();
            }
        }
    }

    fn peers(&self) -> MutexGuard<'_, HashMap<Peer, Failed>> {
        self.peers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(n: u32) -> Peer {
        Peer::at(IpAddr::V4(n.into()))
    }

    fn fail(failures: &Failures, peer: Peer, times: u32) {
        (0..times).for_each(|_| failures.failed(peer));
    }

    #[tokio::test(start_paused = true)]
    async fn who_fails_too_often_waits_and_nobody_else_does() {
        let failures = Failures::default();
        fail(&failures, peer(1), FAILURES_MAX - 1);
        assert_eq!(failures.wait(peer(1), "x"), None);
        tokio::time::advance(WINDOW / 4).await;
        failures.failed(peer(1));
        assert_eq!(failures.wait(peer(1), "x"), Some(WINDOW * 3 / 4));
        assert_eq!(failures.wait(peer(2), "x"), None);
        tokio::time::advance(WINDOW * 3 / 4).await;
        assert_eq!(failures.wait(peer(1), "x"), None);
        // And the count begins anew.
        failures.failed(peer(1));
        assert_eq!(failures.wait(peer(1), "x"), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_that_was_good_from_there_goes_on() {
        let failures = Failures::default();
        fail(&failures, peer(1), 1);
        failures.succeeded(peer(1), "good");
        failures.succeeded(peer(2), "elsewhere");
        fail(&failures, peer(1), FAILURES_MAX);
        assert_eq!(failures.wait(peer(1), "good"), None);
        assert!(failures.wait(peer(1), "elsewhere").is_some());
        assert!(failures.wait(peer(1), "guess").is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn the_table_is_bounded_and_forgets_the_oldest() {
        let failures = Failures::default();
        fail(&failures, peer(0), FAILURES_MAX);
        tokio::time::advance(Duration::from_millis(1)).await;
        (1..PEERS_MAX as u32).for_each(|n| failures.failed(peer(n)));
        assert!(failures.wait(peer(0), "x").is_some());
        failures.failed(peer(1_000_000));
        assert_eq!(failures.wait(peer(0), "x"), None);
        assert_eq!(failures.peers().len(), PEERS_MAX);
        tokio::time::advance(WINDOW).await;
        failures.failed(peer(1_000_001));
        assert_eq!(failures.peers().len(), 1);
    }

    #[test]
    fn a_network_of_ipv6_is_one_place() {
        let at = |text: &str| Peer::at(text.parse().expect("an address"));
        assert_eq!(at("2001:db8:1:2::1"), at("2001:db8:1:2:ffff::9"));
        assert_ne!(at("2001:db8:1:2::1"), at("2001:db8:1:3::1"));
        assert_eq!(at("::ffff:192.0.2.1"), at("192.0.2.1"));
    }
}
