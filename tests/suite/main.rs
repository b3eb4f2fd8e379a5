//! One binary for all suites: linking once is faster than linking ten times.

mod contract;
mod cranfield;
mod crash;
mod golden;
mod tidy;
