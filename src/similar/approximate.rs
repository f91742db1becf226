//! Edit distance, of two texts and of a text inside another.

/// A text that is looked for inside others with few edits: Myers' algorithm (J. ACM 46, 1999), a word of bits a
/// character.
pub struct Pattern {
    /// Where in the pattern each byte stands.
    places: Box<[u64; 256]>,
    length: u32,
}

/// Bytes of a pattern: bits of a word.
const BYTES_MAX: usize = 64;

impl Pattern {
    /// The pattern for a text, of which the first 64 bytes count.
    pub fn of(text: &str) -> Pattern {
        let mut places = Box::new([0u64; 256]);
        for (at, byte) in text.bytes().take(BYTES_MAX).enumerate() {
            places[usize::from(byte)] |= 1 << at;
        }
        Pattern { places, length: text.len().min(BYTES_MAX) as u32 }
    }

    /// The edits from the pattern to the part of a text that is nearest to it.
    pub fn distance_inside(&self, text: &[u8]) -> u32 {
        let mut state = State::new(self, false);
        text.iter().fold(self.length, |best, byte| best.min(state.step(*byte)))
    }

    /// The edits from the pattern to a text.
    pub fn distance(&self, text: &[u8]) -> u32 {
        let mut state = State::new(self, true);
        text.iter().fold(self.length, |_, byte| state.step(*byte))
    }

    /// The edits from the beginning of the pattern that is nearest to a text to that text.
    pub fn distance_of_beginning(&self, text: &[u8]) -> u32 {
        let mut state = State::new(self, true);
        text.iter().for_each(|byte| {
            state.step(*byte);
        });
        // From the whole pattern back to its beginning: a bit a character says how the distance changes.
        let (mut score, mut best) = (state.score, state.score);
        for at in (0..self.length).rev() {
            score = score + (state.minus >> at & 1) as u32 - (state.plus >> at & 1) as u32;
            best = best.min(score);
        }
        best
    }
}

/// A column of the table of distances, as differences of one from the one above.
struct State<'a> {
    pattern: &'a Pattern,
    plus: u64,
    minus: u64,
    score: u32,
    /// Whether the text is compared from its beginning.
    is_whole: bool,
}

impl<'a> State<'a> {
    fn new(pattern: &'a Pattern, is_whole: bool) -> State<'a> {
        State { pattern, plus: u64::MAX, minus: 0, score: pattern.length, is_whole }
    }

    /// Takes in a byte of the text; the distance of the whole pattern to what was taken in.
    fn step(&mut self, byte: u8) -> u32 {
        let Some(last) = self.pattern.length.checked_sub(1) else { return 0 };
        let equal = self.pattern.places[usize::from(byte)];
        let vertical = equal | self.minus;
        let horizontal = ((equal & self.plus).wrapping_add(self.plus) ^ self.plus) | equal;
        let mut up = self.minus | !(horizontal | self.plus);
        let mut down = self.plus & horizontal;
        self.score = self.score + (up >> last & 1) as u32 - (down >> last & 1) as u32;
        up = up << 1 | u64::from(self.is_whole);
        down <<= 1;
        self.plus = down | !(vertical | up);
        self.minus = up & vertical;
        self.score
    }
}

/// Edit distance (Levenshtein) in characters.
pub fn distance(a: &str, b: &str) -> usize {
    if b.is_ascii() && !b.is_empty() && b.len() <= BYTES_MAX && a.is_ascii() {
        return if a.is_empty() { b.len() } else { Pattern::of(b).distance(a.as_bytes()) as usize };
    }
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = corner + usize::from(from != *to);
            corner = row[j + 1];
            row[j + 1] = replaced.min(corner + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
