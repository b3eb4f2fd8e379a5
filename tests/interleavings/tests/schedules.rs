//! Every scenario in a few hundred orders in each run of CI, and in as many as there is time for in
//! `npm run prove -- interleavings --for 10m`; and a control that must be found out.

use std::time::{Duration, Instant};

use kithdb_interleavings::{Order, SCENARIOS, acknowledged_early, explore, is_broken};

const SEED: u64 = 20_261_121;
/// Orders of each scenario in a run of CI, of each kind.
const SCHEDULES: usize = 500;
/// The control is broken in about every tenth order.
const CONTROL_SCHEDULES: usize = 500;

fn explore_all(seed: u64, schedules: usize) -> usize {
    let mut sum = 0;
    for scenario in &SCENARIOS {
        for order in [Order::Random, Order::Priorities] {
            let begun = Instant::now();
            let count = explore(scenario.run, order, seed, schedules);
            println!(
                "{}, {order:?}, seed {seed}: {count} schedules in {:.1?}",
                scenario.name,
                begun.elapsed()
            );
            sum += count;
        }
    }
    sum
}

#[test]
fn promises_hold_in_every_order_that_is_tried() {
    let schedules = explore_all(SEED, SCHEDULES);
    assert_eq!(schedules, 2 * SCHEDULES * SCENARIOS.len());
    println!("counted: interleavings schedules={schedules} failures=0");
}

/// A storage that acknowledges before the sync when two writers meet: a test that passes it would pass anything.
#[test]
fn a_storage_that_acknowledges_early_is_noticed() {
    assert!(is_broken(acknowledged_early, SEED, CONTROL_SCHEDULES));
}

#[test]
#[ignore = "takes as long as KITH_PROVE_SECONDS says"]
fn interleavings() {
    let seconds = std::env::var("KITH_PROVE_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(60);
    let (begun, mut sum) = (Instant::now(), 0);
    let mut seed =
        std::env::var("KITH_PROVE_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(SEED + 1);
    while sum == 0 || begun.elapsed() < Duration::from_secs(seconds) {
        sum += explore_all(seed, 250);
        seed += 1;
    }
    println!("counted: interleavings schedules={sum} failures=0");
}
