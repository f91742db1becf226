//! How much is asked: lookups by day, counted for good, and requests by second, in memory.
//!
//! Counts are reserved in the database ahead of use, a block at a time, by a thread that begins when half of what was
//! reserved is used. So a count is never lost: after a crash it goes on at most two blocks further, and no lookup but
//! the first of a process waits for the disk.

use std::collections::HashMap;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::database::Database;
use super::user::Limits;
use super::{ANONYMOUS, AccessError};

/// Lookups that are reserved at once.
const BLOCK: u64 = 32;
/// Lookups that are reserved ahead of use, at most.
pub const AHEAD_MAX: u64 = 2 * BLOCK;
/// Buckets that are kept; a full one is as good as none.
const BUCKETS_MAX: usize = 100_000;

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

//------------ Counters ------------------------------------------------------

/// Lookups of a day by subject, a user or a group.
pub struct Counters {
    database: Arc<Database>,
    slots: Mutex<HashMap<String, Arc<Slot>>>,
    /// Dropped to end the thread.
    refill: Option<Sender<Refill>>,
    thread: Option<JoinHandle<()>>,
}

/// A subject's count.
#[derive(Default)]
struct Slot {
    count: Mutex<Count>,
    refilled: Condvar,
}

#[derive(Default)]
struct Count {
    day: i64,
    /// Lookups made, by what this process knows.
    used: u64,
    /// How far the database has it.
    reserved: u64,
    /// Whether the thread reserves more.
    is_refilling: bool,
}

impl Count {
    fn left(&self) -> u64 {
        self.reserved.saturating_sub(self.used)
    }

    /// Takes in a block that begins at `before`. What lies between was reserved by another process.
    fn add(&mut self, before: u64, block: u64) {
        self.used += before.saturating_sub(self.reserved);
        self.reserved = before + block;
    }
}

/// A block that is wanted, of a day and a subject.
type Refill = (i64, String, Arc<Slot>);

impl Counters {
    /// Counts in a database, and in memory for [`ANONYMOUS`].
    ///
    /// # Errors
    ///
    /// When there can be no more threads.
    pub fn start(database: Arc<Database>) -> std::io::Result<Counters> {
        let (refill, wanted) = channel::<Refill>();
        let of_thread = database.clone();
        let run = move || {
            for (day, subject, slot) in wanted {
                let before = of_thread.reserve(day, &subject, BLOCK);
                let mut count = locked(&slot.count);
                if count.day == day {
                    count.is_refilling = false;
                    match before {
                        Ok(before) => count.add(before, BLOCK),
                        // Who needs it tries again and is told.
                        Err(error) => tracing::error!(%error, "lookups cannot be counted ahead"),
                    }
                }
                slot.refilled.notify_all();
            }
        };
        let thread = std::thread::Builder::new().name("counters".to_owned()).spawn(run)?;
        Ok(Counters { database, slots: Mutex::default(), refill: Some(refill), thread: Some(thread) })
    }

    fn of(&self, subject: &str) -> Arc<Slot> {
        let mut slots = locked(&self.slots);
        if let Some(slot) = slots.get(subject) {
            return slot.clone();
        }
        slots.entry(subject.to_owned()).or_default().clone()
    }

    /// Counts lookups of a day and says how many there are, these included; `Err` of the inner one with how many
    /// there are where that would be more than the quota.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub fn take(
        &self,
        day: i64,
        subject: &str,
        lookups: u64,
        quota: Option<u64>,
    ) -> Result<Result<u64, u64>, AccessError> {
        let slot = self.of(subject);
        let mut count = locked(&slot.count);
        let is_durable = subject != ANONYMOUS;
        loop {
            if count.day != day {
                *count = Count { day, ..Count::default() };
            }
            // What the database has of today counts before anything is refused.
            let is_over = count.reserved > 0 && quota.is_some_and(|quota| count.used + lookups > quota);
            if !is_durable || is_over || count.left() >= lookups {
                break;
            }
            if count.is_refilling {
                count = slot.refilled.wait(count).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let block = (lookups - count.left()).max(BLOCK);
            let before = self.database.reserve(day, subject, block)?;
            count.add(before, block);
        }
        if quota.is_some_and(|quota| count.used + lookups > quota) {
            return Ok(Err(count.used));
        }
        count.used += lookups;
        if is_durable && count.left() < BLOCK && !count.is_refilling {
            let wanted = (day, subject.to_owned(), slot.clone());
            count.is_refilling = self.refill.as_ref().is_some_and(|refill| refill.send(wanted).is_ok());
        }
        Ok(Ok(count.used))
    }

    /// Takes back lookups that were not answered.
    pub fn forget(&self, day: i64, subject: &str, lookups: u64) {
        let slot = self.of(subject);
        let mut count = locked(&slot.count);
        if count.day == day {
            count.used = count.used.saturating_sub(lookups);
        }
    }

    /// How many there are today, by what this process knows.
    pub fn today(&self, day: i64, subject: &str) -> u64 {
        let slot = self.of(subject);
        let count = locked(&slot.count);
        if count.day == day { count.used } else { 0 }
    }

    /// Gives back what was reserved and not used: the end of the process.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub fn close(&mut self) -> Result<(), AccessError> {
        self.end();
        let mut unused = Vec::new();
        for (subject, slot) in locked(&self.slots).iter() {
            let mut count = locked(&slot.count);
            if count.left() > 0 {
                unused.push((count.day, subject.clone(), count.left()));
                count.reserved = count.used;
            }
        }
        if unused.is_empty() { Ok(()) } else { self.database.give_back(&unused) }
    }

    /// Ends the thread, when it has done what it was asked for.
    fn end(&mut self) {
        self.refill = None;
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread that counts ahead panicked");
        }
    }
}

impl Drop for Counters {
    fn drop(&mut self) {
        self.end();
    }
}

//------------ Buckets -------------------------------------------------------

/// Token buckets by subject.
#[derive(Default)]
pub struct Buckets {
    buckets: Mutex<HashMap<String, Bucket>>,
}

struct Bucket {
    level: f64,
    at: Instant,
}

impl Buckets {
    /// Takes one request out of a bucket; says how long to wait where it is empty.
    pub fn take(&self, subject: &str, limits: &Limits, now: Instant) -> Result<(), Duration> {
        let Some(rate) = limits.per_second else { return Ok(()) };
        let burst = limits.burst.map_or(rate.max(1.0), f64::from);
        let mut buckets = locked(&self.buckets);
        if buckets.len() >= BUCKETS_MAX && !buckets.contains_key(subject) {
            buckets.clear();
        }
        let bucket = buckets.entry(subject.to_owned()).or_insert(Bucket { level: burst, at: now });
        let since = now.saturating_duration_since(bucket.at).as_secs_f64();
        bucket.level = (bucket.level + since * rate).min(burst);
        bucket.at = now;
        if bucket.level < 1.0 {
            return Err(Duration::from_secs_f64((1.0 - bucket.level) / rate));
        }
        bucket.level -= 1.0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A database in a folder of its own, removed at the end.
    struct Folder(std::path::PathBuf);

    impl Folder {
        fn new(name: &str) -> Folder {
            let path = std::env::temp_dir().join(format!("zonelens-limits-{}-{name}", std::process::id()));
            std::fs::create_dir_all(&path).unwrap();
            Folder(path)
        }

        fn counters(&self) -> Counters {
            Counters::start(Arc::new(Database::open(&self.0).unwrap())).unwrap()
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            std::fs::remove_dir_all(&self.0).unwrap();
        }
    }

    #[test]
    fn a_quota_is_exact_and_a_day_begins_anew() {
        let folder = Folder::new("quota");
        let counters = folder.counters();
        let take = |day, lookups| counters.take(day, "user:ann", lookups, Some(100)).unwrap();
        for number in 1..=100 {
            assert_eq!(take(1, 1), Ok(number));
        }
        assert_eq!(take(1, 1), Err(100));
        counters.forget(1, "user:ann", 2);
        assert_eq!((take(1, 3), take(1, 2)), (Err(98), Ok(100)));
        assert_eq!((take(2, 1), counters.today(2, "user:ann"), counters.today(1, "user:ann")), (Ok(1), 1, 0));
        counters.forget(1, "user:ann", 1);
        assert_eq!(take(2, 1), Ok(2));
    }

    #[test]
    fn two_processes_together_keep_to_a_quota() {
        let folder = Folder::new("two");
        let (one, two) = (folder.counters(), folder.counters());
        let take = |counters: &Counters| counters.take(1, "user:ann", 1, Some(200)).unwrap().is_ok();
        let mut made = 0;
        for _ in 0..300 {
            made += usize::from(take(&one)) + usize::from(take(&two));
        }
        assert!((200 - 2 * AHEAD_MAX as usize..=200).contains(&made), "{made}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]
        /// After any number of lookups and crashes a count has not gone back, and not more ahead than what one may be, by crash.
        #[test]
        fn a_count_never_goes_back(lives in proptest::collection::vec((0_u64..150, any::<bool>()), 1..6)) {
            let folder = Folder::new("crash");
            let (mut made, mut crashes) = (0, 0);
            for (lookups, ends_well) in lives {
                let mut counters = folder.counters();
                for _ in 0..lookups {
                    let count = counters.take(1, "user:ann", 1, None).unwrap().unwrap();
                    made += 1;
                    prop_assert!(count >= made && count <= made + crashes * AHEAD_MAX, "{count} of {made}, {crashes}");
                }
                if ends_well { counters.close().unwrap() } else { crashes += 1 }
            }
        }
    }

    #[test]
    fn a_bucket_runs_dry_and_fills_again() {
        let (buckets, start) = (Buckets::default(), Instant::now());
        let limits = Limits { per_second: Some(2.0), burst: Some(3), day_quota: None };
        let take = |ms: u64| buckets.take("a", &limits, start + Duration::from_millis(ms));
        assert!((0..3).all(|_| take(0).is_ok()));
        assert_eq!(take(0), Err(Duration::from_millis(500)));
        assert!(take(500).is_ok() && take(500).is_err());
        assert!((0..3).all(|_| take(60_000).is_ok()) && take(60_000).is_err(), "not more than the burst");
        assert!(buckets.take("b", &limits, start).is_ok(), "each has its own");
        assert!(buckets.take("a", &Limits::default(), start).is_ok());
    }
}
