//! How much is asked: lookups by day, counted for good, and requests by second, in memory.
//!
//! Counts are reserved in the database ahead of use, a block at a time. So a count is never lost: after a crash it
//! goes on at most a block further, and no lookup but the first of a block waits for the disk.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::AccessError;
use super::database::Database;
use super::user::Limits;

/// Lookups that are reserved at once.
pub const BLOCK: u64 = 64;
/// Buckets that are kept; a full one is as good as none.
const BUCKETS_MAX: usize = 100_000;

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

//------------ Counters ------------------------------------------------------

/// Lookups of a day by subject, a user or a group.
#[derive(Default)]
pub struct Counters {
    counts: Mutex<HashMap<String, Arc<Mutex<Count>>>>,
}

#[derive(Default)]
struct Count {
    day: i64,
    /// Lookups made, by what this process knows.
    used: u64,
    /// How far the database has it.
    reserved: u64,
}

impl Counters {
    fn of(&self, subject: &str) -> Arc<Mutex<Count>> {
        let mut counts = locked(&self.counts);
        if let Some(count) = counts.get(subject) {
            return count.clone();
        }
        counts.entry(subject.to_owned()).or_default().clone()
    }

    /// Counts lookups of a day and says how many there are, these included; `Err` of the inner one with how many
    /// there are where that would be more than the quota. Without a database the count ends with the process.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub fn take(
        &self,
        database: Option<&Database>,
        day: i64,
        subject: &str,
        lookups: u64,
        quota: Option<u64>,
    ) -> Result<Result<u64, u64>, AccessError> {
        let count = self.of(subject);
        let mut count = locked(&count);
        if count.day != day {
            *count = Count { day, ..Count::default() };
        }
        if let Some(database) = database {
            // Also before anything is refused: what the database has of today counts.
            let lacking = (count.used + lookups).saturating_sub(count.reserved);
            let is_over = count.reserved > 0 && quota.is_some_and(|quota| count.used + lookups > quota);
            if lacking > 0 && !is_over {
                let block = lacking.max(BLOCK);
                let before = database.reserve(day, subject, block)?;
                if before != count.reserved {
                    // The first of this process, or another one counts beside it.
                    count.used = count.used.max(before);
                }
                count.reserved = before + block;
            }
        }
        if quota.is_some_and(|quota| count.used + lookups > quota) {
            return Ok(Err(count.used));
        }
        count.used += lookups;
        Ok(Ok(count.used))
    }

    /// Takes back lookups that were not answered.
    pub fn forget(&self, day: i64, subject: &str, lookups: u64) {
        let count = self.of(subject);
        let mut count = locked(&count);
        if count.day == day {
            count.used = count.used.saturating_sub(lookups);
        }
    }

    /// How many there are today, by what this process knows.
    pub fn today(&self, day: i64, subject: &str) -> u64 {
        let count = self.of(subject);
        let count = locked(&count);
        if count.day == day { count.used } else { 0 }
    }

    /// Gives back what was reserved and not used: the end of the process.
    ///
    /// # Errors
    ///
    /// When the database cannot be written.
    pub fn close(&self, database: &Database) -> Result<(), AccessError> {
        let mut unused = Vec::new();
        for (subject, count) in locked(&self.counts).iter() {
            let mut count = locked(count);
            if count.reserved > count.used {
                unused.push((count.day, subject.clone(), count.reserved - count.used));
                count.reserved = count.used;
            }
        }
        if unused.is_empty() { Ok(()) } else { database.give_back(&unused) }
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
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            std::fs::remove_dir_all(&self.0).unwrap();
        }
    }

    #[test]
    fn a_quota_is_exact_and_a_day_begins_anew() {
        let folder = Folder::new("quota");
        let database = Database::open(&folder.0).unwrap();
        let counters = Counters::default();
        let take =
            |day, lookups| counters.take(Some(&database), day, "user:ann", lookups, Some(100)).unwrap();
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
        let open = || (Database::open(&folder.0).unwrap(), Counters::default());
        let (one, two) = (open(), open());
        let take = |(database, counters): &(Database, Counters)| {
            counters.take(Some(database), 1, "user:ann", 1, Some(200)).unwrap().is_ok()
        };
        let mut made = 0;
        for _ in 0..300 {
            made += usize::from(take(&one)) + usize::from(take(&two));
        }
        assert!(made <= 200 && made >= 200 - 2 * BLOCK as usize, "{made}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        /// After any number of lookups and crashes a count has not gone back, and not more than a block a crash ahead.
        #[test]
        fn a_count_never_goes_back(lives in proptest::collection::vec((0_u64..150, any::<bool>()), 1..6)) {
            let folder = Folder::new("crash");
            let (mut made, mut crashes) = (0, 0);
            for (lookups, ends_well) in lives {
                let (database, counters) = (Database::open(&folder.0).unwrap(), Counters::default());
                for _ in 0..lookups {
                    let count = counters.take(Some(&database), 1, "user:ann", 1, None).unwrap().unwrap();
                    made += 1;
                    prop_assert!(count >= made && count <= made + crashes * BLOCK, "{count} of {made}, {crashes}");
                }
                if ends_well { counters.close(&database).unwrap() } else { crashes += 1 }
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
