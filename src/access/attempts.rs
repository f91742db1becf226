//! Failed attempts to sign in: after a few, a name and an address wait, longer each time.
//!
//! Only what has to be verified waits. A valid token, a session and a password that this process has verified
//! before are never held up, so nobody is locked out by others who guess.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Failures in a row that cost a name nothing.
pub const FREE_BY_NAME: u32 = 5;
/// Failures in a row that cost an address nothing: many may share it.
pub const FREE_BY_ADDRESS: u32 = 20;
/// The longest wait.
const WAIT_MAX: Duration = Duration::from_secs(15 * 60);
/// How long failures are remembered.
const REMEMBERED: Duration = Duration::from_secs(3600);
/// Names and addresses that are remembered; of more, the oldest are forgotten.
const KEPT_MAX: usize = 100_000;

/// Who failed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Who {
    Name(String),
    Address(IpAddr),
}

#[derive(Clone, Copy)]
struct Failed {
    times: u32,
    last: Instant,
    until: Instant,
}

/// The failures of this process's life.
#[derive(Default)]
pub struct Attempts {
    failed: Mutex<HashMap<Who, Failed>>,
}

/// Of IPv6 the /64: an attacker has all of it.
fn block(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
        v4 => v4,
    }
}

impl Attempts {
    /// How long a name, or an address, has to wait before anything is verified.
    pub fn wait(&self, name: Option<&str>, address: IpAddr, now: Instant) -> Option<Duration> {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        let wait =
            |who: &Who| failed.get(who)?.until.checked_duration_since(now).filter(|wait| !wait.is_zero());
        let of_name = name.and_then(|name| wait(&Who::Name(name.to_owned())));
        of_name.max(wait(&Who::Address(block(address))))
    }

    /// Notes a failure.
    pub fn failed(&self, name: Option<&str>, address: IpAddr, now: Instant) {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        let name = name.map(|name| (Who::Name(name.to_owned()), FREE_BY_NAME));
        for (who, free) in name.into_iter().chain([(Who::Address(block(address)), FREE_BY_ADDRESS)]) {
            let old = failed.get(&who).filter(|old| now.duration_since(old.last) < REMEMBERED);
            let times = old.map_or(0, |old| old.times).saturating_add(1);
            let doublings = times.saturating_sub(free).min(20);
            let wait =
                if doublings == 0 { Duration::ZERO } else { Duration::from_secs(1 << (doublings - 1)) };
            failed.insert(who, Failed { times, last: now, until: now + wait.min(WAIT_MAX) });
        }
        if failed.len() > KEPT_MAX {
            let mut ages: Vec<Instant> = failed.values().map(|one| one.last).collect();
            let (_, middle, _) = ages.select_nth_unstable(KEPT_MAX / 2);
            let middle = *middle;
            failed.retain(|_, one| one.last > middle);
        }
    }

    /// Forgets the failures of a name that has proved itself. Its address keeps them: whoever guesses may have a
    /// name of their own.
    pub fn proved(&self, name: &str) {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.remove(&Who::Name(name.to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_and_end() {
        let (attempts, start) = (Attempts::default(), Instant::now());
        let address: IpAddr = "2001:db8::1".parse().unwrap();
        for _ in 0..FREE_BY_NAME {
            attempts.failed(Some("ann"), address, start);
        }
        assert_eq!(attempts.wait(Some("ann"), address, start), None);
        let mut waits = Vec::new();
        for _ in 0..12 {
            attempts.failed(Some("ann"), address, start);
            waits.push(attempts.wait(Some("ann"), address, start).unwrap().as_secs());
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
        assert_eq!(attempts.wait(Some("ann"), address, start + WAIT_MAX), None);
        assert_eq!(attempts.wait(Some("bob"), address, start), None, "the address has not failed so often");
        attempts.proved("ann");
        assert_eq!(attempts.wait(Some("ann"), address, start), None);
        for _ in 0..=FREE_BY_ADDRESS {
            attempts.failed(None, address, start);
        }
        let neighbour = "2001:db8::ffff".parse().unwrap();
        assert!(attempts.wait(Some("bob"), neighbour, start).is_some(), "one /64 is one attacker");
        assert_eq!(attempts.wait(None, "2001:db8:0:1::1".parse().unwrap(), start), None);
        attempts.failed(None, address, start + REMEMBERED + Duration::from_secs(1));
        assert_eq!(attempts.wait(None, address, start + REMEMBERED + Duration::from_secs(1)), None);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let (attempts, start) = (Attempts::default(), Instant::now());
        for number in 0..=KEPT_MAX as u32 {
            let address = IpAddr::V4(std::net::Ipv4Addr::from_bits(number));
            attempts.failed(None, address, start + Duration::from_nanos(u64::from(number)));
        }
        let kept = attempts.failed.lock().unwrap().len();
        assert!((KEPT_MAX / 2 - 1..=KEPT_MAX).contains(&kept), "{kept}");
    }
}
