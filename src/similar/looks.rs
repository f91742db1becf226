//! What a label looks like.

use std::borrow::Cow;
use std::sync::LazyLock;

use unicode_security::skeleton as of_characters;

use super::unicode;

/// In longer labels one look-alike pair counts: of two there are too many to be asked for.
pub(super) const TWO_PAIRS_CHARS_MAX: usize = 20;

/// Edits that two pairs make at most.
pub(super) const TWO_PAIRS_EDITS_MAX: u32 = 4;

/// A label with more places where `i` and `l` can stand for each other is asked for with the first six changed.
const I_OR_L_MAX: usize = 6;

/// What in a Latin label looks like what, written as the latter in keys; longer ones first. Only what is hardly told apart:
/// each label that has one of them costs ten bytes.
const GLYPHS: &[(&str, &str)] = &[("rn", "m"), ("vv", "w"), ("0", "o"), ("1", "l"), ("3", "e"), ("5", "s")];

/// What looks alike less closely, both ways: such a pair counts where no more than two stand in a label. The tables of
/// dnstwist and of typosquats that were taken down.
pub(super) const PAIRS: &[(&str, &str)] = &[
    ("o", "0"),
    ("l", "1"),
    ("i", "1"),
    ("l", "i"),
    ("i", "j"),
    ("j", "l"),
    ("rn", "m"),
    ("rr", "m"),
    ("nn", "m"),
    ("n", "m"),
    ("n", "r"),
    ("h", "n"),
    ("vv", "w"),
    ("vu", "w"),
    ("uv", "w"),
    ("uu", "w"),
    ("u", "v"),
    ("v", "y"),
    ("v", "w"),
    ("cl", "d"),
    ("dl", "d"),
    ("b", "d"),
    ("lb", "b"),
    ("b", "6"),
    ("b", "8"),
    ("c", "e"),
    ("c", "o"),
    ("e", "3"),
    ("a", "4"),
    ("a", "e"),
    ("a", "o"),
    ("s", "5"),
    ("g", "9"),
    ("g", "q"),
    ("g", "6"),
    ("lh", "h"),
    ("b", "h"),
    ("lk", "k"),
    ("ik", "k"),
    ("lc", "k"),
    ("k", "x"),
    ("p", "q"),
    ("f", "t"),
    ("t", "7"),
    ("z", "2"),
    ("z", "7"),
    ("z", "s"),
    ("3", "8"),
    ("6", "9"),
    ("8", "9"),
    ("1", "7"),
    ("5", "6"),
];

/// What a name looks like: UTS 39 skeleton of its Unicode form.
pub fn skeleton(unicode: &str) -> String {
    of_characters(unicode).collect::<String>().to_lowercase()
}

/// What a label looks like, without the marks on letters, with one letter for all that look like it.
pub(super) fn look(label: &str) -> Cow<'_, str> {
    let skeleton = label.starts_with("xn--").then(|| skeleton(&unicode(label)));
    Cow::Owned(look_of(skeleton.as_deref(), label).into_owned())
}

/// The same for a label whose skeleton is known, where it has another than itself.
pub(super) fn look_of<'a>(skeleton: Option<&'a str>, label: &'a str) -> Cow<'a, str> {
    let mut text = Cow::Borrowed(label);
    if let Some(skeleton) = skeleton {
        text = skeleton.chars().filter(|character| !is_mark(*character)).collect();
    }
    let pairs = || text.as_bytes().windows(2);
    let has_glyph = text.bytes().any(|byte| matches!(byte, b'0' | b'1' | b'3' | b'5'))
        || pairs().any(|pair| pair == b"rn" || pair == b"vv");
    if !has_glyph {
        return text;
    }
    GLYPHS.iter().fold(text, |text, (glyph, letter)| text.replace(glyph, letter).into())
}

/// Combining marks, as what a skeleton takes a letter apart into has.
fn is_mark(character: char) -> bool {
    matches!(character, '\u{300}'..='\u{36f}' | '\u{1ab0}'..='\u{1aff}' | '\u{1dc0}'..='\u{1dff}')
}

/// The key of a label under which it is stored: none where that is the label.
pub fn key(label: &str) -> Option<String> {
    let key = look(label);
    (key != label).then(|| key.into_owned())
}

/// The keys under which labels that look like this one are stored, and the labels that are their own key.
pub fn keys_of(label: &str) -> Vec<String> {
    let own = look(label).into_owned();
    let places: Vec<usize> =
        own.bytes().enumerate().filter(|(_, byte)| matches!(byte, b'i' | b'l')).map(|(at, _)| at).collect();
    let places = &places[..places.len().min(I_OR_L_MAX)];
    (0..1usize << places.len())
        .map(|bits| {
            let mut bytes = own.clone().into_bytes();
            for (bit, at) in places.iter().enumerate().filter(|(bit, _)| bits >> bit & 1 == 1) {
                let _ = bit;
                bytes[*at] = if bytes[*at] == b'i' { b'l' } else { b'i' };
            }
            String::from_utf8(bytes).unwrap_or_default()
        })
        .collect()
}

/// Whether two keys differ only by `i` for `l`.
pub(super) fn are_alike_by_i_and_l(a: &str, b: &str) -> bool {
    let same = |(a, b): (u8, u8)| a == b || matches!((a, b), (b'i', b'l') | (b'l', b'i'));
    a.len() == b.len() && a.bytes().zip(b.bytes()).all(same)
}

/// Whether one text becomes the other by one or two of the look-alike pairs.
pub(super) fn differ_by_glyphs(a: &str, b: &str) -> bool {
    // Every pair changes the length by one at most.
    let pairs = if a.len() <= TWO_PAIRS_CHARS_MAX { 2 } else { 1 };
    a != b && a.len().abs_diff(b.len()) <= pairs && a.is_ascii() && b.is_ascii() && glyphs_left(a, b, pairs)
}

fn glyphs_left(a: &str, b: &str, pairs: usize) -> bool {
    let same = a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count();
    if same == a.len() && same == b.len() {
        return true;
    }
    if pairs == 0 {
        return false;
    }
    // A pair may begin with what both have: `dl` for `d` in `adll` and `adl`.
    (0..=same).any(|at| {
        let (a, b) = (&a[at..], &b[at..]);
        let (Some(first), Some(second)) = (a.bytes().next(), b.bytes().next()) else { return false };
        let alike = BY_FIRST.get(usize::from(first)).into_iter().flatten();
        alike.filter(|(_, y)| y.as_bytes()[0] == second).any(|(x, y)| {
            a.strip_prefix(x).zip(b.strip_prefix(y)).is_some_and(|(a, b)| glyphs_left(a, b, pairs - 1))
        })
    })
}

/// Characters, and those that look like them.
type Pair = (&'static str, &'static str);

/// The pairs, both ways, by the byte that the first begins with.
static BY_FIRST: LazyLock<[Vec<Pair>; 128]> = LazyLock::new(|| {
    let both_ways = || PAIRS.iter().flat_map(|(a, b)| [(*a, *b), (*b, *a)]);
    std::array::from_fn(|first| both_ways().filter(|(a, _)| usize::from(a.as_bytes()[0]) == first).collect())
});
