//! The browser's clock.

use kithdb::base::Clock;

/// The time of this browser.
#[derive(Debug, Clone, Copy, Default)]
pub struct BrowserClock;

impl Clock for BrowserClock {
    fn now_ns(&self) -> i64 {
        js_sys::Date::now() as i64 * 1_000_000
    }
}
