//! Names and addresses of a world of any size, each computed from its number: no table grows with the world.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::random::{Random, Zipf, mix};

/// Registrable domains in a block of names. The sizes of all blocks are the same, shuffled by the seed.
const BLOCK: usize = 10_000;

/// How many registrable domains of a block have so many names, besides the hundred largest.
///
/// Measured on real names: mean 1.6, p99 4, p99.9 17, slope of size by rank −0.77.
const SIZES: [(usize, u32); 4] = [(400, 4), (900, 3), (2300, 2), (6300, 1)];

/// Domains whose size follows the slope.
const LARGE: usize = 100;

/// Top-level domains with their share in a hundred.
const SUFFIXES: [(&str, u64); 12] = [
    (".com", 50),
    (".net", 9),
    (".org", 9),
    (".de", 6),
    (".ru", 5),
    (".co.uk", 4),
    (".io", 4),
    (".info", 3),
    (".cn", 3),
    (".xyz", 3),
    (".fr", 2),
    (".com.br", 2),
];

/// Labels below a registrable domain, in the order in which a domain gets them.
const LABELS: [&str; 16] = [
    "www", "mail", "api", "cdn", "m", "img", "static", "ns1", "ns2", "blog", "shop", "vpn", "dev", "app",
    "login", "portal",
];

const CONSONANTS: &[u8; 20] = b"bcdfghjklmnpqrstvwxz";
const VOWELS: &[u8; 5] = b"aeiou";

/// Syllables: a consonant and a vowel.
const SYLLABLES: u64 = 100;

/// The share of names that stand alone on their addresses.
const ALONE: f64 = 0.175;

/// Names for each address that is shared.
const NAMES_PER_SHARED_ADDRESS: u64 = 40;

/// The most addresses of a name.
const ADDRESSES_MAX: u64 = 2000;

/// Names by their numbers, and the addresses of each.
#[derive(Clone, Debug)]
pub struct World {
    seed: u64,
    names: u64,
    /// Running sums of the sizes of a block's registrable domains.
    starts: Vec<u32>,
    block_names: u64,
    shared: Zipf,
    popularity: Zipf,
    stride: u64,
}

impl World {
    /// A world of so many names, at least one.
    pub fn new(seed: u64, names: u64) -> World {
        let names = names.max(1);
        let sizes = sizes(seed);
        let mut starts = Vec::with_capacity(BLOCK + 1);
        let mut sum = 0;
        for size in sizes {
            starts.push(sum);
            sum += size;
        }
        World {
            seed,
            names,
            starts,
            block_names: u64::from(sum),
            shared: Zipf::new((names / NAMES_PER_SHARED_ADDRESS).max(1), 0.8),
            popularity: Zipf::new(names, POPULARITY),
            stride: coprime(names),
        }
    }

    /// How many names there are.
    pub fn names(&self) -> u64 {
        self.names
    }

    /// The number of a name, drawn by popularity.
    pub fn popular(&self, random: &mut Random) -> u64 {
        let rank = self.popularity.rank(random) - 1;
        // So that the names of one domain are not all equally popular.
        (u128::from(rank) * u128::from(self.stride) % u128::from(self.names)) as u64
    }

    /// The number of the registrable domain of a name, and the name's place in it.
    pub fn registrable(&self, name: u64) -> (u64, u64) {
        let (block, at) = (name / self.block_names, (name % self.block_names) as u32);
        let index = self.starts.partition_point(|start| *start <= at) - 1;
        (block * BLOCK as u64 + index as u64, u64::from(at - self.starts[index]))
    }

    /// Writes the name with this number.
    pub fn push_name(&self, out: &mut Vec<u8>, name: u64) {
        let (domain, place) = self.registrable(name);
        // The first two names are the domain and `www.`, either first.
        let swap = mix(domain ^ self.seed) & 1;
        let place = if place < 2 { place ^ swap } else { place };
        if place > 0 {
            match LABELS.get(place as usize - 1) {
                Some(label) => out.extend_from_slice(label.as_bytes()),
                None => {
                    out.push(b'h');
                    push_number(out, place);
                }
            }
            out.push(b'.');
        }
        push_label(out, domain);
        let mut share = mix(domain.wrapping_add(self.seed)) % 100;
        for (suffix, part) in SUFFIXES {
            if share < part {
                out.extend_from_slice(suffix.as_bytes());
                return;
            }
            share -= part;
        }
    }

    /// How many addresses a name has over its life: most one or two, a few very many; about 2.5 on average.
    pub fn addresses(&self, name: u64) -> u64 {
        Random::new(mix(name) ^ self.seed).pareto(1.42, ADDRESSES_MAX)
    }

    /// One of the addresses of a name, by its place.
    pub fn address(&self, name: u64, place: u64) -> IpAddr {
        let mut random = Random::new(mix(name) ^ self.seed ^ mix(place));
        let number = if Random::new(mix(name ^ !self.seed)).chance(ALONE) {
            random.bits()
        } else {
            mix(self.shared.rank(&mut random) ^ self.seed)
        };
        if number.is_multiple_of(10) { v6(number) } else { v4(number) }
    }
}

/// The exponent of the popularity of names, between 0.9 and 1.0 in real lists.
const POPULARITY: f64 = 0.95;

/// The sizes of a block's registrable domains in an order that follows from the seed.
fn sizes(seed: u64) -> Vec<u32> {
    let large = (1..=LARGE).map(|rank| (17.0 * (10.0 / rank as f64).powf(0.77)).max(4.0) as u32);
    let rest = SIZES.iter().flat_map(|(count, size)| std::iter::repeat_n(*size, *count));
    let mut sizes: Vec<u32> = large.chain(rest).collect();
    let mut random = Random::new(seed);
    for end in (1..sizes.len()).rev() {
        sizes.swap(end, random.below(end as u64 + 1) as usize);
    }
    sizes
}

/// A number near the golden section of `names` that shares no divisor with it: its multiples are all names.
fn coprime(names: u64) -> u64 {
    let divisor = |mut a: u64, mut b: u64| {
        while b > 0 {
            (a, b) = (b, a % b);
        }
        a
    };
    let mut number = ((names as f64 * 0.618) as u64).max(1);
    while divisor(number, names) != 1 {
        number += 1;
    }
    number
}

/// A public IPv4 address out of 20.0.0.0 to 99.255.255.255, where no block is reserved.
fn v4(number: u64) -> IpAddr {
    let [a, b, c, d, ..] = number.to_be_bytes();
    IpAddr::V4(Ipv4Addr::new(20 + a % 80, b, c, d.max(1)))
}

/// An IPv6 address out of 2a00::/12.
fn v6(number: u64) -> IpAddr {
    let high = 0x2a00_0000_0000_0000 | (number >> 12);
    IpAddr::V6(Ipv6Addr::from_bits(u128::from(high) << 64 | u128::from(number & 0xffff)))
}

/// A label of at least three syllables for each number: no two numbers have the same.
fn push_label(out: &mut Vec<u8>, number: u64) {
    // Labels of n syllables are the numbers below 100ⁿ, those of shorter labels left out.
    let (mut syllables, mut count, mut rest) = (3, SYLLABLES.pow(3), number);
    while rest >= count {
        rest -= count;
        syllables += 1;
        count *= SYLLABLES;
    }
    // Neighbours look different: the factor is odd and not a multiple of 5, so it shares no divisor with 100ⁿ.
    rest = (u128::from(rest) * 618_033_989 % u128::from(count)) as u64;
    for _ in 0..syllables {
        let syllable = (rest % SYLLABLES) as usize;
        out.push(CONSONANTS[syllable / VOWELS.len()]);
        out.push(VOWELS[syllable % VOWELS.len()]);
        rest /= SYLLABLES;
    }
}

/// Writes a number in decimal.
pub fn push_number(out: &mut Vec<u8>, number: u64) {
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    let mut rest = number;
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use super::*;
    use crate::indicator::{DomainName, is_reserved};

    fn name(world: &World, number: u64) -> String {
        let mut text = Vec::new();
        world.push_name(&mut text, number);
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn names_are_distinct_and_in_normal_form() {
        let world = World::new(1, 50_000);
        let mut seen = HashSet::new();
        for number in 0..world.names() {
            let text = name(&world, number);
            assert!(DomainName::from_normal(&text).is_some(), "{text}");
            assert!(seen.insert(text));
        }
    }

    #[test]
    fn names_per_registrable_domain_are_as_measured() {
        let world = World::new(1, 200_000);
        let mut domains: HashMap<String, u32> = HashMap::new();
        for number in 0..world.names() {
            let parsed = DomainName::parse(&name(&world, number)).unwrap();
            *domains.entry(parsed.registrable().unwrap().to_owned()).or_default() += 1;
        }
        let mut sizes: Vec<u32> = domains.into_values().collect();
        sizes.sort_unstable();
        let mean = 200_000.0 / sizes.len() as f64;
        assert!((mean / 1.6 - 1.0).abs() < 0.1, "mean {mean}");
        let quantile = |share: f64| sizes[(sizes.len() as f64 * share) as usize];
        assert_eq!(quantile(0.985), 4);
        assert!((14..=20).contains(&quantile(0.999)), "{}", quantile(0.999));
    }

    #[test]
    fn addresses_are_public_shared_and_about_two_and_a_half_a_name() {
        let world = World::new(1, 50_000);
        let mut names: HashMap<IpAddr, u64> = HashMap::new();
        let mut edges = 0;
        for number in 0..world.names() {
            let mut own = HashSet::new();
            for place in 0..world.addresses(number) {
                let address = world.address(number, place);
                assert!(!is_reserved(address), "{address}");
                own.insert(address);
            }
            edges += own.len();
            own.into_iter().for_each(|address| *names.entry(address).or_default() += 1);
        }
        let mean = edges as f64 / 50_000.0;
        assert!((2.0..3.0).contains(&mean), "{mean}");
        let crowded: u64 = names.values().filter(|count| **count > 10).sum();
        assert!(crowded as f64 / edges as f64 > 0.6, "{crowded} of {edges}");
        assert!(names.values().max().is_some_and(|most| *most > 500));
    }

    #[test]
    fn every_name_has_one_rank() {
        let world = World::new(1, 1000);
        let all: HashSet<u64> = (0..1000).map(|rank| rank * world.stride % 1000).collect();
        assert_eq!(all.len(), 1000);
    }

    #[test]
    fn numbers_in_decimal() {
        for number in [0, 9, 10, 4_294_967_296, u64::MAX] {
            let mut text = Vec::new();
            push_number(&mut text, number);
            assert_eq!(String::from_utf8(text).unwrap(), number.to_string());
        }
    }
}
