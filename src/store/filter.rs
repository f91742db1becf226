//! Split block Bloom filters, as the Parquet format describes them: one cache line a question, few of the "yes"
//! are wrong, no "no" is.

/// Bits a key for 1 % of wrong "yes".
pub const KEY_BITS: usize = 10;
/// Bits a key for 0.1 %.
pub const STRICT_BITS: usize = 16;
/// Bytes of a block.
pub const BLOCK_BYTES: usize = 32;
/// Odd constants of the format.
const SALT: [u32; 8] =
    [0x47b6_137b, 0x4497_4d91, 0x8824_ad5b, 0xa2b7_289d, 0x7054_95c7, 0x2df1_424b, 0x9efc_4947, 0x5c6b_fb31];

fn bits(hash: u64) -> [u32; 8] {
    SALT.map(|salt| 1 << ((hash as u32).wrapping_mul(salt) >> 27))
}

/// Which of `blocks` blocks a hash is in.
pub fn block_of(hash: u64, blocks: usize) -> usize {
    ((u128::from(hash >> 32) * blocks as u128) >> 32) as usize
}

/// Whether a block may have a hash.
pub fn block_has(block: &[u8], hash: u64) -> bool {
    let (Some(block), bits) = (block.first_chunk::<BLOCK_BYTES>(), bits(hash)) else { return false };
    let has = |word: usize| {
        let word_bytes = block[word * 4..word * 4 + 4].try_into().expect("four bytes");
        u32::from_le_bytes(word_bytes) & bits[word] != 0
    };
    // The answer is mostly no. A branch a word would be foreseen wrongly; that four words have it is rare.
    has(0) & has(1) & has(2) & has(3) && has(4) & has(5) & has(6) & has(7)
}

/// Whether a whole filter may have a hash.
pub fn may_have(filter: &[u8], hash: u64) -> bool {
    let at = block_of(hash, filter.len() / BLOCK_BYTES) * BLOCK_BYTES;
    filter.get(at..at + BLOCK_BYTES).is_some_and(|block| block_has(block, hash))
}

/// The filter of these hashes: a whole number of blocks, at least one.
pub fn build(hashes: &[u64], key_bits: usize) -> Vec<u8> {
    let mut filter = Builder::new(hashes.len(), key_bits);
    hashes.iter().for_each(|hash| filter.add(*hash));
    filter.finish()
}

/// Makes a filter of a known number of hashes.
pub struct Builder {
    words: Vec<u32>,
}

impl Builder {
    /// A filter for `count` hashes.
    pub fn new(count: usize, key_bits: usize) -> Builder {
        let blocks = (count * key_bits).div_ceil(BLOCK_BYTES * 8).max(1);
        Builder { words: vec![0; blocks * 8] }
    }

    /// Adds a hash.
    pub fn add(&mut self, hash: u64) {
        let block = block_of(hash, self.words.len() / 8);
        for (word, bit) in self.words[block * 8..block * 8 + 8].iter_mut().zip(bits(hash)) {
            *word |= bit;
        }
    }

    /// Its bytes.
    pub fn finish(self) -> Vec<u8> {
        self.words.iter().flat_map(|word| word.to_le_bytes()).collect()
    }
}

#[cfg(test)]
mod tests {
    use xxhash_rust::xxh3::xxh3_64;

    use super::*;

    #[test]
    fn what_is_in_is_found_and_little_else() {
        let hash = |number: u32| xxh3_64(&number.to_le_bytes());
        let filter = build(&(0..20_000).map(hash).collect::<Vec<_>>(), KEY_BITS);
        assert!((0..20_000).all(|number| may_have(&filter, hash(number))));
        let wrong = (20_000..120_000).filter(|number| may_have(&filter, hash(*number))).count();
        assert!(wrong < 2_500, "{wrong} of 100,000");
        assert!(!may_have(&[], 1));
    }
}
