//! `mmdb`: databases of networks in the format of MaxMind, version 2.0: country, city and autonomous system.
//!
//! Format: <https://maxmind.github.io/MaxMind-DB/>. Of each network these fields are read, under the names that GeoLite2,
//! GeoIP2, DB-IP, IPinfo and ip-location-db have for them; others (cities, coordinates, carriers) are not kept.
//!
//! | fact | fields, the first that is there |
//! |---|---|
//! | country | `country.iso_code`, `country_code`, `country` of two letters, `registered_country.iso_code` |
//! | ASN | `autonomous_system_number`, `traits.autonomous_system_number`, `asn` |
//! | its name | `autonomous_system_organization`, `traits.…`, `as_name` |
//!
//! Neighbours of which the same is said are one [`Network`]. A record is counted as a line, by its first network; one that
//! says neither country nor ASN is rejected as `unknown`, as of [`ip_ranges`](super::ip_ranges). The moment of all is when
//! the database was built. The search tree stands before what it leads to, and the metadata at the end: the file is held
//! whole, up to [`FILE_BYTES_MAX`]; and it is recognised by its name unless it is small.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::io::{self, Read};
use std::rc::Rc;

use maxminddb::{LookupResult, MaxMindDbError, Metadata, Reader, WithinOptions};
use serde::Deserialize;
use serde::de::value::StrDeserializer;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};

use super::entry::Fault;
use super::lenient::Text;
use super::{Emit, Format, Input, Proof, Sample, State, ip_ranges};
use crate::fact::{Fact, Network};
use crate::indicator::{AddressRange, Asn, Prefix, to_u128};
use crate::value::{CountryCode, Timestamp};

pub(super) const FORMAT: Format = Format {
    name: "mmdb",
    title: "MaxMind databases of networks, .mmdb: GeoLite2, GeoIP2, DB-IP, IPinfo, ip-location-db",
    state: State::Whole,
    proof: Proof::Sample,
    recognise,
    open: || Box::new(read),
};

/// The largest database that is read, in bytes.
pub(super) const FILE_BYTES_MAX: u64 = 2 << 30;

/// What stands before the metadata.
const MARKER: &[u8] = b"\xab\xcd\xefMaxMind.com";

/// The metadata, or the name where the content is no text: a search tree has zeros in its first kilobytes.
fn recognise(sample: &Sample<'_>) -> bool {
    sample.head.windows(MARKER.len()).any(|window| window == MARKER)
        || (sample.name.to_ascii_lowercase().ends_with(".mmdb") && sample.head.contains(&0))
}

fn read(input: &mut Input<'_>, out: &mut Emit<'_>) -> io::Result<()> {
    let mut bytes = Vec::new();
    input.reader.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return out.reject(1, "too long", format!("it is larger than {FILE_BYTES_MAX} bytes"), b"");
    }
    let refused =
        |error: MaxMindDbError, out: &mut Emit<'_>| out.reject(1, "database", error.to_string(), b"");
    let reader = match Reader::from_source(bytes.as_slice()) {
        Ok(reader) => reader,
        Err(error) => return refused(error, out),
    };
    if !is_tree(&bytes, reader.metadata()) {
        return out.reject(1, "database", "its search tree leads to a node in two ways, or to none", b"");
    }
    match reader.networks(WithinOptions::default()) {
        Ok(networks) => Joining::new(reader.metadata()).read(networks, out),
        Err(error) => refused(error, out),
    }
}

/// Whether each node of the search tree is reached in one way: in a tree that is none there are more paths than anybody
/// can walk. One node may be reached in several, as all who write such files do: that of the IPv4 addresses.
fn is_tree(bytes: &[u8], metadata: &Metadata) -> bool {
    let (count, size) = (metadata.node_count as usize, usize::from(metadata.record_size / 4));
    let Some(tree) = bytes.get(..count.saturating_mul(size)) else { return false };
    let children = |node: &[u8]| -> [usize; 2] {
        let number = |high: u8, low: &[u8]| {
            low.iter().fold(usize::from(high), |sum, byte| sum << 8 | usize::from(*byte))
        };
        match node {
            // The middle byte has the highest bits of both.
            [a, b, c, middle, rest @ ..] if rest.len() == 3 => {
                [number(middle >> 4, &[*a, *b, *c]), number(middle & 15, rest)]
            }
            _ => [number(0, &node[..size / 2]), number(0, &node[size / 2..])],
        }
    };
    let ipv4 = (metadata.ip_version == 6).then(|| {
        (0..96).try_fold(0, |node, _| children(tree.get(node * size..(node + 1) * size)?).first().copied())
    });
    let ipv4 = ipv4.flatten().filter(|node| *node < count);
    let mut reached = vec![false; count];
    let mut inner =
        tree.chunks_exact(size).flat_map(children).filter(|child| *child < count && Some(*child) != ipv4);
    let is_new = |child: usize| child != 0 && !std::mem::replace(&mut reached[child], true);
    inner.all(is_new)
}

/// What a record says, as far as it is kept.
#[derive(PartialEq)]
struct Says {
    asn: Option<Asn>,
    as_name: Option<String>,
    country: Option<CountryCode>,
}

/// A record under the names of all its writers.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Record {
    country: Place,
    country_code: Text,
    registered_country: Place,
    traits: System,
    autonomous_system_number: Text,
    autonomous_system_organization: Text,
    asn: Text,
    as_name: Text,
}

/// An autonomous system, where a writer has it among the traits of a network.
#[derive(Default, Deserialize)]
#[serde(default)]
struct System {
    autonomous_system_number: Text,
    autonomous_system_organization: Text,
}

impl Record {
    fn says(&self) -> Result<Rc<Says>, Fault> {
        let first = |texts: &[&Text]| texts.iter().find_map(|text| text.get()).map(str::to_owned);
        let number =
            first(&[&self.autonomous_system_number, &self.traits.autonomous_system_number, &self.asn]);
        let name = [&self.autonomous_system_organization, &self.traits.autonomous_system_organization];
        // IPinfo has a code under `country` in one database, and a name beside `country_code` in another.
        let code = self.country.of_two_letters();
        let place = [&self.country.code, &self.country_code, &code, &self.registered_country.code];
        let asn = number.map_or(Ok(None), |number| ip_ranges::asn(&number))?;
        let country = first(&place).map_or(Ok(None), |code| ip_ranges::country(&code))?;
        if asn.is_none() && country.is_none() {
            return Err(("unknown", "the record says neither country nor ASN".to_owned()));
        }
        let as_name = asn.and_then(|_| first(&[name[0], name[1], &self.as_name]));
        Ok(Rc::new(Says { asn, as_name, country }))
    }
}

/// A country: a map with its code, or its code or name alone.
#[derive(Default)]
struct Place {
    code: Text,
    text: Text,
}

impl Place {
    fn of_two_letters(&self) -> Text {
        let is_code = self.text.get().is_some_and(|text| text.len() == 2);
        if is_code { self.text.clone() } else { Text::default() }
    }
}

impl<'de> Deserialize<'de> for Place {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Place, D::Error> {
        struct CodeOrMap;
        impl<'de> Visitor<'de> for CodeOrMap {
            type Value = Place;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a country")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Place, E> {
                let text = Text::deserialize(StrDeserializer::new(text))?;
                Ok(Place { text, ..Place::default() })
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Place, A::Error> {
                let mut place = Place::default();
                while let Some(key) = map.next_key::<Cow<'de, str>>()? {
                    if key == "iso_code" {
                        place.code = map.next_value()?;
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(place)
            }
        }
        deserializer.deserialize_any(CodeOrMap)
    }
}

/// A network with what is said of it.
type Found = Result<(AddressRange, Rc<Says>), (Fault, String)>;

/// Networks on the way to be one fact.
struct Joining {
    observed: Option<Timestamp>,
    /// By the place of a record what it says: many networks share one.
    records: HashMap<usize, Result<Rc<Says>, Fault>>,
    /// Addresses, what is said of them, and the number of the first network.
    open: Option<(AddressRange, Rc<Says>, u64)>,
}

impl Joining {
    fn new(metadata: &Metadata) -> Joining {
        let built = i64::try_from(metadata.build_epoch).ok().map(Timestamp);
        let allowed = Timestamp::OBSERVED_MIN..=Timestamp::RECORD_MAX;
        let observed = built.filter(|built| allowed.contains(built));
        Joining { observed, records: HashMap::new(), open: None }
    }

    fn read(mut self, networks: maxminddb::Within<'_, &[u8]>, out: &mut Emit<'_>) -> io::Result<()> {
        for (number, network) in (1..).zip(networks) {
            match network.and_then(|network| self.found(&network)) {
                Ok(Ok((range, says))) => self.add(number, range, says, out)?,
                Ok(Err(((reason, detail), network))) => {
                    out.reject(number, reason, detail, network.as_bytes())?;
                }
                Err(error) => {
                    let detail = format!("{error}: what comes after cannot be found");
                    out.reject(number, "database", detail, b"")?;
                    break;
                }
            }
        }
        self.close(out)
    }

    fn found(&mut self, found: &LookupResult<'_, &[u8]>) -> Result<Found, MaxMindDbError> {
        let network = found.network()?;
        // Networks without a record are not gone through.
        let says = self.records.entry(found.offset().unwrap_or_default()).or_insert_with(|| {
            let record = found.decode::<Record>().map_err(|error| ("record", error.to_string()))?;
            record.unwrap_or_default().says()
        });
        let prefix = Prefix::new(network.ip(), network.prefix());
        let prefix = prefix.ok_or_else(|| ("network", "it is no network".to_owned()));
        let both = prefix.and_then(|prefix| Ok((prefix.range(), says.clone()?)));
        Ok(both.map_err(|fault| (fault, network.to_string())))
    }

    /// A network goes on with the one before, or begins another.
    fn add(
        &mut self,
        number: u64,
        range: AddressRange,
        says: Rc<Says>,
        out: &mut Emit<'_>,
    ) -> io::Result<()> {
        if let Some((open, said, _)) = &mut self.open
            && to_u128(open.last()).checked_add(1) == Some(to_u128(range.first()))
            && **said == *says
            && let Some(joined) = AddressRange::new(open.first(), range.last())
        {
            *open = joined;
            return Ok(());
        }
        self.close(out)?;
        self.open = Some((range, says, number));
        Ok(())
    }

    fn close(&mut self, out: &mut Emit<'_>) -> io::Result<()> {
        let Some((range, says, number)) = self.open.take() else { return Ok(()) };
        let network = Network {
            range,
            asn: says.asn,
            as_name: says.as_name.clone(),
            country: says.country,
            name: None,
            description: Vec::new(),
            created: None,
            changed: None,
            contacts: Vec::new(),
            observed: self.observed,
        };
        out.fact(number, Fact::Network(network))
    }
}
