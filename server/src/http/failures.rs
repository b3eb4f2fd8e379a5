//! Tokens that failed, by the address they came from: who has guessed too often waits before any token of theirs is
//! looked at again. Whoever had asked from the same address with a token that was good goes on, so that one client behind
//! a proxy does not lock out the others.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::Extensions;
use tokio::time::Instant;

/// So many tokens may fail within [`WINDOW`].
pub const FAILURES_MAX: u32 = 30;
/// In which time they are counted, and how long whoever had too many waits at most.
pub const WINDOW: Duration = Duration::from_secs(60);
/// So many addresses are remembered: of more, one from which nothing failed is forgotten, or else the one that failed first.
const PEERS_MAX: usize = 4_096;
/// So many good tokens of each, those that were used last.
const GOOD_MAX: usize = 256;

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
struct Tokens {
    /// When the first of those that count failed; while none does, when one was good.
    since: Instant,
    /// How many failed.
    count: u32,
    /// Hashes of those that were good, the one that was used last at the end.
    good: VecDeque<u64>,
}

/// The addresses that tokens came from.
#[derive(Default)]
pub struct Failures {
    peers: Mutex<HashMap<Peer, Tokens>>,
    hashing: RandomState,
}

impl Failures {
    /// For how long this token is not looked at; `None` when it may be.
    pub fn wait(&self, peer: Peer, token: &str) -> Option<Duration> {
        let peers = self.peers();
        let tokens = peers.get(&peer).filter(|tokens| tokens.count >= FAILURES_MAX)?;
        let left = WINDOW.checked_sub(tokens.since.elapsed()).filter(|left| !left.is_zero())?;
        (!tokens.good.contains(&self.hashing.hash_one(token))).then_some(left)
    }

    /// Notes that a token was not good.
    pub fn failed(&self, peer: Peer) {
        let now = Instant::now();
        let mut peers = self.peers();
        let tokens = of(&mut peers, peer, now);
        if tokens.count == 0 || now - tokens.since >= WINDOW {
            (tokens.since, tokens.count) = (now, 0);
        }
        tokens.count = tokens.count.saturating_add(1);
    }

    /// Notes that a token was good.
    pub fn succeeded(&self, peer: Peer, token: &str) {
        let now = Instant::now();
        let hash = self.hashing.hash_one(token);
        let mut peers = self.peers();
        let tokens = of(&mut peers, peer, now);
        if tokens.count == 0 {
            tokens.since = now;
        }
        if tokens.good.back() != Some(&hash) {
            tokens.good.retain(|known| *known != hash);
            tokens.good.push_back(hash);
            if tokens.good.len() > GOOD_MAX {
                tokens.good.pop_front();
            }
        }
    }

    fn peers(&self) -> MutexGuard<'_, HashMap<Peer, Tokens>> {
        self.peers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is remembered of a place; another one is forgotten for it where there are too many.
fn of(peers: &mut HashMap<Peer, Tokens>, peer: Peer, now: Instant) -> &mut Tokens {
    if peers.len() >= PEERS_MAX && !peers.contains_key(&peer) {
        peers.retain(|_, tokens| now - tokens.since < WINDOW);
        let oldest = peers.iter().min_by_key(|(_, tokens)| (tokens.count > 0, tokens.since));
        if let Some(oldest) = oldest.map(|(peer, _)| *peer).filter(|_| peers.len() >= PEERS_MAX) {
            peers.remove(&oldest);
        }
    }
    peers.entry(peer).or_insert_with(|| Tokens { since: now, count: 0, good: VecDeque::new() })
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
        failures.succeeded(peer(1), "good");
        failures.succeeded(peer(2), "elsewhere");
        // Long after: who was served for hours is not shut out by what begins to fail beside him.
        tokio::time::advance(WINDOW * 60).await;
        fail(&failures, peer(1), FAILURES_MAX);
        assert_eq!(failures.wait(peer(1), "good"), None);
        assert_eq!(failures.wait(peer(1), "elsewhere"), Some(WINDOW));
        assert!(failures.wait(peer(1), "guess").is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn of_many_good_tokens_those_that_are_used_go_on() {
        let failures = Failures::default();
        failures.succeeded(peer(1), "often");
        failures.succeeded(peer(1), "once");
        for i in 0..GOOD_MAX - 1 {
            failures.succeeded(peer(1), &format!("another {i}"));
            failures.succeeded(peer(1), "often");
        }
        fail(&failures, peer(1), FAILURES_MAX);
        assert_eq!(failures.wait(peer(1), "often"), None);
        assert!(failures.wait(peer(1), "once").is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn who_only_asks_does_not_have_a_guesser_forgotten() {
        let failures = Failures::default();
        fail(&failures, peer(0), FAILURES_MAX);
        tokio::time::advance(Duration::from_millis(1)).await;
        (1..2 * PEERS_MAX as u32).for_each(|n| failures.succeeded(peer(n), "good"));
        assert!(failures.wait(peer(0), "x").is_some());
        assert_eq!(failures.peers().len(), PEERS_MAX);
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
