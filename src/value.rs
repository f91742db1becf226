//! Small values with one meaning each: zone, category, score, time, country.
//!
//! Each parses strictly, prints in one canonical form and serialises transparently, so that a value
//! that exists is a value that is right.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::ToSchema;

use crate::indicator::Kind;

/// A number with its digits in groups of three, this between them.
pub fn grouped(number: u64, between: char) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3 * between.len_utf8());
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(between);
        }
        text.push(digit);
    }
    text
}

//------------ Zone ----------------------------------------------------------

/// The Traffic Light Protocol 2.0 of FIRST: to whom what a source says may be passed on. Ordered: the freest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Tlp {
    /// To anybody.
    #[default]
    Clear,
    /// Within the community.
    Green,
    /// Within the organisation and its clients, who need to know.
    Amber,
    /// Within the organisation.
    AmberStrict,
    /// To nobody but whom it was told.
    Red,
}

impl Tlp {
    /// All of them, the freest first, as they are written.
    pub const ALL: [(Tlp, &'static str); 5] = [
        (Tlp::Clear, "clear"),
        (Tlp::Green, "green"),
        (Tlp::Amber, "amber"),
        (Tlp::AmberStrict, "amber+strict"),
        (Tlp::Red, "red"),
    ];

    /// The name as it is written.
    pub fn name(self) -> &'static str {
        Tlp::ALL.iter().find(|(tlp, _)| *tlp == self).map_or("red", |(_, name)| name)
    }
}

impl std::str::FromStr for Tlp {
    type Err = String;

    /// In any case, with or without `TLP:` before it; `white`, of version 1, is clear.
    fn from_str(text: &str) -> Result<Tlp, String> {
        let word = text.trim().to_ascii_lowercase();
        let word = word.strip_prefix("tlp:").unwrap_or(&word);
        let word = if word == "white" { "clear" } else { word };
        Tlp::ALL
            .iter()
            .find(|(_, name)| *name == word)
            .map(|(tlp, _)| *tlp)
            .ok_or_else(|| format!("{text:?} is no TLP: use clear, green, amber, amber+strict or red"))
    }
}

impl TryFrom<String> for Tlp {
    type Error = String;

    fn try_from(text: String) -> Result<Tlp, String> {
        text.parse()
    }
}

impl From<Tlp> for String {
    fn from(tlp: Tlp) -> String {
        tlp.name().to_owned()
    }
}

impl std::fmt::Display for Tlp {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.name())
    }
}

/// How dangerous an object is taken to be. Ordered as reports order rows: the worst first.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
pub enum Zone {
    /// Dangerous; for a file, malware.
    Red,
    /// Not trusted. A file is never Orange.
    Orange,
    /// Adware and other.
    Yellow,
    /// Not categorized: no evidence either way.
    #[default]
    Grey,
    /// Good, no threats detected; for a file, clean.
    Green,
}

impl Zone {
    /// Whether it is one that evidence speaks for: Red, Orange or Yellow.
    pub fn is_bad(self) -> bool {
        matches!(self, Zone::Red | Zone::Orange | Zone::Yellow)
    }

    /// All zones, in order.
    pub const ALL: [Zone; 5] = [Zone::Red, Zone::Orange, Zone::Yellow, Zone::Grey, Zone::Green];

    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Zone::Red => "Red",
            Zone::Orange => "Orange",
            Zone::Yellow => "Yellow",
            Zone::Grey => "Grey",
            Zone::Green => "Green",
        }
    }

    /// The word a person reads for a domain, an address or a URL.
    pub const fn word(self) -> &'static str {
        match self {
            Zone::Red => "Dangerous",
            Zone::Orange => "Not trusted",
            Zone::Yellow => "Adware and other",
            Zone::Grey => "Not categorized",
            Zone::Green => "Good",
        }
    }
}

impl Zone {
    /// The word a person reads for an object of a kind.
    pub fn word_of(self, kind: Kind) -> &'static str {
        match (kind, self) {
            (Kind::Hash, Zone::Red) => "Malware",
            (Kind::Hash, Zone::Green) => "Clean",
            _ => self.word(),
        }
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Zone {
    type Err = String;

    fn from_str(text: &str) -> Result<Zone, String> {
        Zone::ALL
            .into_iter()
            .find(|zone| zone.name().eq_ignore_ascii_case(text))
            .ok_or_else(|| format!("unknown zone {text:?}: use Red, Orange, Yellow, Grey or Green"))
    }
}

//------------ Category ------------------------------------------------------

/// What a listing or a topical list says an object is. An index into [`CATEGORIES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Category(u8);

/// The one table of categories: name without `CATEGORY_`, and the zone it belongs to.
///
/// New ones are added at the end: an index in this table is what runs store.
pub const CATEGORIES: &[(&str, Zone)] = &[
    ("MALWARE", Zone::Red),
    ("PHISHING", Zone::Red),
    ("BOTNET_CNC", Zone::Red),
    ("SPAM", Zone::Red),
    ("SCAM", Zone::Red),
    ("RANSOMWARE", Zone::Red),
    ("EXPLOIT", Zone::Red),
    ("CRYPTOJACKING", Zone::Red),
    ("APT", Zone::Red),
    ("COMPROMISED", Zone::Orange),
    ("SUSPICIOUS", Zone::Orange),
    ("TOR_EXIT_NODE", Zone::Orange),
    ("PROXY", Zone::Orange),
    ("ADWARE", Zone::Yellow),
    ("TRACKER", Zone::Yellow),
    ("PORNWARE", Zone::Yellow),
    ("OTHER", Zone::Yellow),
    ("SEARCH_ENGINES_AND_SERVICES", Zone::Grey),
    ("INFORMATION_TECHNOLOGIES", Zone::Grey),
    ("CLOUD_SERVICES", Zone::Grey),
    ("CONTENT_DELIVERY", Zone::Grey),
    ("PUBLIC_DNS", Zone::Grey),
    ("BANKS", Zone::Grey),
    ("EDUCATION", Zone::Grey),
    ("GOVERNMENT", Zone::Grey),
    ("NEWS_MEDIA", Zone::Grey),
    ("SOCIAL_NETWORKS", Zone::Grey),
    ("URL_SHORTENERS", Zone::Grey),
    ("FILE_SHARING", Zone::Grey),
    ("WEB_MAIL", Zone::Grey),
    ("DISPOSABLE_MAIL", Zone::Grey),
    ("VPN", Zone::Grey),
    ("DYNAMIC_DNS", Zone::Grey),
    ("PARKED", Zone::Grey),
    ("SINKHOLE", Zone::Grey),
    ("SECURITY_SCANNERS", Zone::Grey),
    ("SECURITY_SERVICES", Zone::Grey),
    ("ONLINE_SHOPPING", Zone::Grey),
    ("HOSTING", Zone::Grey),
    ("POPULAR_SITES", Zone::Grey),
    ("MAIL_SERVICES", Zone::Grey),
    ("WEB_ANALYTICS", Zone::Grey),
    ("CRYPTOCURRENCY", Zone::Grey),
    ("HEALTH", Zone::Grey),
];

macro_rules! categories {
    ($($name:ident = $index:literal),* $(,)?) => {
        $(#[doc = concat!("`CATEGORY_", stringify!($name), "`.")] pub const $name: Category = Category($index);)*
    };
}

impl Category {
    categories! {
        MALWARE = 0, PHISHING = 1, BOTNET_CNC = 2, SPAM = 3, SCAM = 4, RANSOMWARE = 5, EXPLOIT = 6,
        CRYPTOJACKING = 7, APT = 8, COMPROMISED = 9, SUSPICIOUS = 10, TOR_EXIT_NODE = 11, PROXY = 12,
        ADWARE = 13, TRACKER = 14, PORNWARE = 15, OTHER = 16,
    }

    /// Finds a category by its name, with or without `CATEGORY_`, in any case.
    pub fn find(name: &str) -> Option<Category> {
        let name = name.get(..9).filter(|p| p.eq_ignore_ascii_case("CATEGORY_")).map_or(name, |_| &name[9..]);
        let index = CATEGORIES.iter().position(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some(Category(u8::try_from(index).expect("the table is short")))
    }

    /// The name without `CATEGORY_`.
    pub fn short_name(self) -> &'static str {
        CATEGORIES[usize::from(self.0)].0
    }

    /// The zone of what this category says.
    pub fn zone(self) -> Zone {
        CATEGORIES[usize::from(self.0)].1
    }

    /// The index in [`CATEGORIES`].
    pub fn index(self) -> u8 {
        self.0
    }

    /// The category with this index; `None` where the table has none.
    pub fn from_index(index: u8) -> Option<Category> {
        (usize::from(index) < CATEGORIES.len()).then_some(Category(index))
    }
}

impl fmt::Display for Category {
    /// The name on the wire: `CATEGORY_MALWARE`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CATEGORY_{}", self.short_name())
    }
}

impl Serialize for Category {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Category {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Category, D::Error> {
        let name = String::deserialize(deserializer)?;
        Category::find(&name).ok_or_else(|| serde::de::Error::custom(format!("unknown category {name:?}")))
    }
}

//------------ ThreatScore ---------------------------------------------------

/// A threat score, 0 to 100.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ThreatScore(pub u8);

//------------ Timestamp -----------------------------------------------------

/// A moment in UTC, to the second. Shown to the minute, cut, as reports show it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

/// Seconds in a day.
pub const DAY_S: i64 = 86_400;

const EPOCH: jiff::civil::Date = jiff::civil::date(1970, 1, 1);
const YEAR_1: Timestamp = Timestamp(-62_135_596_800);

impl Timestamp {
    /// 1990-01-01: no observation is older.
    pub const OBSERVED_MIN: Timestamp = Timestamp(631_152_000);
    /// 1970-01-01: no date in a record is older.
    pub const RECORD_MIN: Timestamp = Timestamp(0);
    /// 9999-12-31T23:59:59Z: no date in a record is later.
    pub const RECORD_MAX: Timestamp = Timestamp(253_402_300_799);

    /// The day that this moment is in, counted from 1970-01-01.
    pub fn day(self) -> i64 {
        self.0.div_euclid(DAY_S)
    }

    /// The first second of a day.
    pub fn start_of_day(day: i64) -> Timestamp {
        Timestamp(day * DAY_S)
    }

    /// The last second of the day that this moment is in.
    pub fn end_of_day(self) -> Timestamp {
        Timestamp((self.day() + 1) * DAY_S - 1)
    }

    /// The start of the hour that this moment is in.
    pub fn hour(self) -> Timestamp {
        Timestamp(self.0.div_euclid(3600) * 3600)
    }

    /// `2024-05-28`.
    pub fn date(self) -> String {
        let (y, m, d) = self.civil_date();
        format!("{y:04}-{m:02}-{d:02}")
    }

    /// `2024-05-28T07:03:09Z`: to the second, for logs and NDJSON.
    pub fn rfc3339(self) -> String {
        let s = self.0.rem_euclid(DAY_S);
        format!("{}T{:02}:{:02}:{:02}Z", self.date(), s / 3600, s / 60 % 60, s % 60)
    }

    /// Year, month and day; days since the epoch to the proleptic Gregorian calendar.
    fn civil_date(self) -> (i64, u32, u32) {
        // As a civil date: jiff's own moments end two days before the year 9999 does.
        let day = self.0.clamp(YEAR_1.0, Timestamp::RECORD_MAX.0).div_euclid(DAY_S);
        let date = EPOCH.checked_add(jiff::Span::new().days(day)).expect("the range is jiff's");
        (i64::from(date.year()), date.month().unsigned_abs().into(), date.day().unsigned_abs().into())
    }

    /// Reads a date (`2024-05-28`), an RFC 3339 moment with or without seconds, offset (`Z` when there is
    /// none) or `T`, or Unix seconds with an optional fraction (cut off).
    ///
    /// # Errors
    ///
    /// Anything else, with what would be right.
    pub fn parse(text: &str) -> Result<Timestamp, String> {
        let text = text.trim();
        parse_unix(text).or_else(|| parse_civil(text)).ok_or_else(|| {
            format!("{text:?} is no date or time: use 2024-05-28, 2024-05-28T07:03Z or Unix seconds")
        })
    }
}

fn parse_unix(text: &str) -> Option<Timestamp> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    // Eight digits without separators are a date of the calendar, not a moment of 1970.
    if !digits(whole)
        || !digits(fraction)
        || whole.len() > 12
        || (whole.len() == 8 && whole.starts_with(['1', '2']))
    {
        return None;
    }
    whole.parse().ok().map(Timestamp)
}

fn parse_civil(text: &str) -> Option<Timestamp> {
    if let Ok(moment) = text.parse::<jiff::Timestamp>() {
        return Some(Timestamp(moment.as_second()));
    }
    let plain = text.trim_end_matches(['Z', 'z']);
    let moment = plain.parse::<jiff::civil::DateTime>().ok();
    let moment = moment.or_else(|| Some(text.parse::<jiff::civil::Date>().ok()?.at(0, 0, 0, 0)))?;
    let days = i64::from((moment.date() - EPOCH).get_days());
    let (hour, minute, second) = (moment.hour(), moment.minute(), moment.second());
    let seconds = i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second);
    Some(Timestamp(days * DAY_S + seconds)).filter(|at| *at >= YEAR_1)
}

impl fmt::Display for Timestamp {
    /// `2024-05-28T07:03Z`: to the minute, cut.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let s = self.0.rem_euclid(DAY_S);
        write!(f, "{}T{:02}:{:02}Z", self.date(), s / 3600, s / 60 % 60)
    }
}

impl FromStr for Timestamp {
    type Err = String;

    fn from_str(text: &str) -> Result<Timestamp, String> {
        Timestamp::parse(text)
    }
}

impl Serialize for Timestamp {
    /// To the second, so that nothing is lost between two stores; reports print by [`fmt::Display`].
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.rfc3339())
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Timestamp;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a date, an RFC 3339 time or Unix seconds")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Timestamp, E> {
                Timestamp::parse(text).map_err(E::custom)
            }

            fn visit_u64<E: serde::de::Error>(self, seconds: u64) -> Result<Timestamp, E> {
                i64::try_from(seconds).map(Timestamp).map_err(E::custom)
            }

            fn visit_i64<E: serde::de::Error>(self, seconds: i64) -> Result<Timestamp, E> {
                Ok(Timestamp(seconds))
            }

            fn visit_f64<E: serde::de::Error>(self, seconds: f64) -> Result<Timestamp, E> {
                if seconds.is_finite() && seconds.abs() < 1e12 {
                    return Ok(Timestamp(seconds as i64));
                }
                Err(E::custom("a time out of range"))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

//------------ CountryCode ---------------------------------------------------

/// An ISO 3166-1 alpha-2 country code, upper case.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CountryCode([u8; 2]);

impl CountryCode {
    /// Two letters in any case; `ZZ` and `XX` (unknown) are none.
    pub fn parse(text: &str) -> Option<CountryCode> {
        let bytes: [u8; 2] = text.trim().as_bytes().try_into().ok()?;
        let code = bytes.map(|byte| byte.to_ascii_uppercase());
        (code.iter().all(u8::is_ascii_uppercase) && code != *b"ZZ" && code != *b"XX")
            .then_some(CountryCode(code))
    }

    /// The two letters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("two ASCII letters")
    }
}

impl fmt::Display for CountryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for CountryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for CountryCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for CountryCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<CountryCode, D::Error> {
        let text = String::deserialize(deserializer)?;
        CountryCode::parse(&text)
            .ok_or_else(|| serde::de::Error::custom(format!("{text:?} is no country code")))
    }
}

//============ Tests =========================================================

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_in_all_spellings() {
        for text in [
            "2024-05-28T07:03:09Z",
            "2024-05-28T09:03:09+02:00",
            "2024-05-28 07:03:09",
            "1716879789",
            "1716879789.75",
        ] {
            assert_eq!(Timestamp::parse(text).unwrap().rfc3339(), "2024-05-28T07:03:09Z", "{text}");
        }
        assert_eq!(Timestamp::parse("2024-05-28").unwrap().to_string(), "2024-05-28T00:00Z");
        assert_eq!(Timestamp::parse("2024-05-28T07:03Z").unwrap().to_string(), "2024-05-28T07:03Z");
        // The whole range of dates in records, which is more than jiff's moments.
        for at in [Timestamp::RECORD_MIN, Timestamp::OBSERVED_MIN, Timestamp::RECORD_MAX] {
            assert_eq!(Timestamp::parse(&at.rfc3339()), Ok(at));
        }
        assert_eq!(Timestamp::RECORD_MAX.rfc3339(), "9999-12-31T23:59:59Z");
        assert_eq!(Timestamp::parse("9999-12-31").unwrap().to_string(), "9999-12-31T00:00Z");
        for text in ["", "yesterday", "2024-13-01", "-5", "1e9", "99999999999999"] {
            assert!(Timestamp::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_table_of_categories_is_sound() {
        for (index, (name, zone)) in CATEGORIES.iter().enumerate() {
            let category = Category::find(name).unwrap();
            assert_eq!(usize::from(category.index()), index, "{name} stands twice");
            assert_ne!(*zone, Zone::Green, "a category is never Green");
            assert_eq!(Category::find(&category.to_string()), Some(category));
        }
        assert_eq!(Category::OTHER.short_name(), "OTHER");
        assert_eq!(Category::find("category_apt"), Some(Category::APT));
    }

    #[test]
    fn country_codes() {
        assert_eq!(CountryCode::parse(" de ").unwrap().as_str(), "DE");
        for text in ["", "D", "DEU", "1A", "zz", "é"] {
            assert_eq!(CountryCode::parse(text), None);
        }
    }
}
