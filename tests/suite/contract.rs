//! Scenario files on every surface: the same answers, in any layout, to the last bit.

use kithdb_tests::core_surface::CoreSurface;
use kithdb_tests::node_surface::NodeSurface;
use kithdb_tests::rest_surface::RestSurface;
use kithdb_tests::scenario::{Scenario, all, replay};
use serde_json::Value;

/// How many random layouts each scenario is replayed in on the core.
const CORE_LAYOUTS: u64 = 25;
/// How many on surfaces where each takes a process.
const PROCESS_LAYOUTS: u64 = 3;

fn core(name: &str, scenario: &Scenario, seed: Option<u64>) -> Vec<Value> {
    let directory = tempfile::tempdir().expect("a directory");
    let mut surface = CoreSurface::default();
    surface.manual_jobs = true;
    replay(&mut surface, name, scenario, seed, directory.path())
}

#[test]
fn scenarios_hold_on_core_in_any_layout() {
    for (name, scenario) in all() {
        let plain = core(&name, &scenario, None);
        for seed in 0..CORE_LAYOUTS {
            assert_eq!(core(&name, &scenario, Some(seed)), plain, "{name}: seed {seed} changes an answer");
        }
    }
}

#[test]
fn scenarios_give_the_same_answers_over_http() {
    for (name, scenario) in all() {
        let plain = core(&name, &scenario, None);
        for seed in [None].into_iter().chain((0..PROCESS_LAYOUTS).map(Some)) {
            let directory = tempfile::tempdir().expect("a directory");
            let got = replay(&mut RestSurface::default(), &name, &scenario, seed, directory.path());
            assert_eq!(got, plain, "{name}: REST differs from core, seed {seed:?}");
        }
    }
}

#[test]
fn scenarios_give_the_same_answers_in_node() {
    let mut surface = NodeSurface::start();
    for (name, scenario) in all() {
        let plain = core(&name, &scenario, None);
        for seed in [None].into_iter().chain((0..PROCESS_LAYOUTS).map(Some)) {
            let directory = tempfile::tempdir().expect("a directory");
            let got = replay(&mut surface, &name, &scenario, seed, directory.path());
            assert_eq!(got, plain, "{name}: Node differs from core, seed {seed:?}");
        }
    }
}
