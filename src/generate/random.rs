//! Chance that is the same on every machine for the same seed: SplitMix64, and what is drawn with it.

/// A seeded source of numbers (SplitMix64, Steele et al. 2014). Not for secrets.
#[derive(Clone, Debug)]
pub struct Random {
    state: u64,
}

/// 2⁶⁴ divided by the golden ratio, odd: the step between two states.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// Mixes the bits of a number so that near ones are far apart. One to one.
pub fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(STEP);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Random {
    /// A source whose numbers follow from the seed.
    pub fn new(seed: u64) -> Random {
        Random { state: mix(seed) }
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        let result = mix(self.state);
        self.state = self.state.wrapping_add(STEP);
        result
    }

    /// A number from 0 to `end`, which is not reached; 0 where `end` is 0.
    pub fn below(&mut self, end: u64) -> u64 {
        // Multiply and shift: the bias is under `end` / 2⁶⁴.
        ((u128::from(self.bits()) * u128::from(end)) >> 64) as u64
    }

    /// A number from 0 to 1, which is not reached.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// True with this probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// One of the items.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len() as u64) as usize]
    }

    /// A log-normal number with this median and sigma (Box and Muller 1958).
    pub fn log_normal(&mut self, median: f64, sigma: f64) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        let normal = radius * (std::f64::consts::TAU * self.unit()).cos();
        median * (sigma * normal).exp()
    }

    /// A whole number of at least 1 with a Pareto tail, held to `max`.
    pub fn pareto(&mut self, alpha: f64, max: u64) -> u64 {
        ((1.0 - self.unit()).powf(-1.0 / alpha) as u64).clamp(1, max)
    }
}

/// Draws ranks by Zipf's law without a table: rejection-inversion (Hörmann and Derflinger 1996).
#[derive(Clone, Debug)]
pub struct Zipf {
    ranks: u64,
    exponent: f64,
    first: f64,
    last: f64,
    shortcut: f64,
}

impl Zipf {
    /// Ranks from 1 to `ranks`, of which rank r comes in proportion to r to the power of −`exponent`.
    pub fn new(ranks: u64, exponent: f64) -> Zipf {
        let mut zipf = Zipf { ranks: ranks.max(1), exponent, first: 0.0, last: 0.0, shortcut: 0.0 };
        zipf.first = zipf.integral(1.5) - 1.0;
        zipf.last = zipf.integral(zipf.ranks as f64 + 0.5);
        zipf.shortcut = 2.0 - zipf.inverse(zipf.integral(2.5) - zipf.density(2.0));
        zipf
    }

    /// A rank, from 1.
    pub fn rank(&self, random: &mut Random) -> u64 {
        loop {
            let area = self.last + random.unit() * (self.first - self.last);
            let x = self.inverse(area);
            let rank = (x + 0.5).floor().clamp(1.0, self.ranks as f64);
            if rank - x <= self.shortcut || area >= self.integral(rank + 0.5) - self.density(rank) {
                return rank as u64;
            }
        }
    }

    fn density(&self, x: f64) -> f64 {
        (-self.exponent * x.ln()).exp()
    }

    fn integral(&self, x: f64) -> f64 {
        let log = x.ln();
        let t = (1.0 - self.exponent) * log;
        // (eᵗ − 1) / t, which is 1 + t / 2 where t is small.
        log * if t.abs() > 1e-8 { t.exp_m1() / t } else { 1.0 + t / 2.0 }
    }

    fn inverse(&self, area: f64) -> f64 {
        let t = (area * (1.0 - self.exponent)).max(-1.0);
        (area * if t.abs() > 1e-8 { t.ln_1p() / t } else { 1.0 - t / 2.0 }).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_numbers() {
        let draw = |seed| {
            let mut random = Random::new(seed);
            (0..8).map(|_| random.bits()).collect::<Vec<_>>()
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
    }

    #[test]
    fn numbers_stay_in_their_ranges() {
        let mut random = Random::new(1);
        for _ in 0..10_000 {
            assert!(random.below(10) < 10);
            assert!((0.0..1.0).contains(&random.unit()));
            assert!((1..=50).contains(&random.pareto(1.2, 50)));
        }
        assert_eq!(random.below(0), 0);
    }

    #[test]
    fn ranks_follow_the_law() {
        for exponent in [0.9, 1.0] {
            let zipf = Zipf::new(1000, exponent);
            let mut random = Random::new(3);
            let mut counts = [0_u32; 1001];
            for _ in 0..200_000 {
                counts[zipf.rank(&mut random) as usize] += 1;
            }
            let ratio = f64::from(counts[1]) / f64::from(counts[10]);
            let expected = 10_f64.powf(exponent);
            assert!((ratio / expected - 1.0).abs() < 0.15, "{exponent}: {ratio} for {expected}");
            assert_eq!(counts[0], 0);
        }
    }
}
