//! One binary for all suites: linking once is faster than linking ten times.

mod api;
mod auto_links;
mod bulk;
mod codes;
mod cold;
mod contract;
mod cranfield;
mod crash;
mod crossing;
mod damage;
mod disk_full;
mod docs;
mod expand;
mod explain;
mod fixtures;
mod fuzz_corpus;
mod golden;
mod host;
mod instant;
mod kill;
mod kv;
mod life;
mod load;
mod many;
mod merge;
mod model;
mod nearest;
mod options;
#[cfg(target_os = "linux")]
mod power_cut;
mod read_only;
mod readme;
mod recall_matrix;
mod repair;
#[cfg(unix)]
mod serving;
mod slow_disk;
#[cfg(target_os = "linux")]
mod soak;
mod stored;
mod tidy;
mod verify;
mod wordnet;
