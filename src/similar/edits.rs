//! What one edit, or two, made of a label.

use std::sync::LazyLock;

use super::TWO_EDITS_CHARS_MIN;
use super::technique::{Technique, Techniques};

/// Keys that lie beside each other on the keyboards of the Latin alphabet (QWERTY, QWERTZ, AZERTY).
const BESIDE: &[(u8, &[u8])] = &[
    (b'1', b"2qa"),
    (b'2', b"13wqza"),
    (b'3', b"24ewz"),
    (b'4', b"35re"),
    (b'5', b"46tr"),
    (b'6', b"57ytz"),
    (b'7', b"68uyz"),
    (b'8', b"79iu"),
    (b'9', b"80oi"),
    (b'0', b"9po"),
    (b'a', b"qwszx12"),
    (b'b', b"vghn"),
    (b'c', b"xdfv"),
    (b'd', b"serfcx"),
    (b'e', b"w34rdsz"),
    (b'f', b"drtgvc"),
    (b'g', b"ftyhbvz"),
    (b'h', b"gyujnbz"),
    (b'i', b"u89okj"),
    (b'j', b"huikmnz"),
    (b'k', b"jiolm"),
    (b'l', b"kopm"),
    (b'm', b"njklp"),
    (b'n', b"bhjm"),
    (b'o', b"i90plk"),
    (b'p', b"o0lm"),
    (b'q', b"12wasz"),
    (b'r', b"e45tfd"),
    (b's', b"awedxzqy"),
    (b't', b"r56ygfz"),
    (b'u', b"y78ijhz"),
    (b'v', b"cfgb"),
    (b'w', b"q23esaxy"),
    (b'x', b"zsdcyw"),
    (b'y', b"t67uhgxas"),
    (b'z', b"asxt67uhgew23"),
    (b'-', b"0p"),
];

/// A bit a key for the keys beside each.
static NEIGHBOURS: LazyLock<[u128; 128]> = LazyLock::new(|| {
    let mut neighbours = [0; 128];
    for (key, beside) in BESIDE.iter().flat_map(|(key, keys)| keys.iter().map(|beside| (*key, *beside))) {
        neighbours[usize::from(key)] |= 1 << beside;
        neighbours[usize::from(beside)] |= 1 << key;
    }
    neighbours
});

fn are_beside(a: u8, b: u8) -> bool {
    NEIGHBOURS.get(usize::from(a)).is_some_and(|keys| b < 128 && keys >> b & 1 == 1)
}

/// Adds the techniques by which `label` is made of `own` with one or two edits; they are `distance` apart.
pub(super) fn techniques(own: &str, label: &str, distance: u32, found: &mut Techniques) {
    let (a, b) = (own.as_bytes(), label.as_bytes());
    let start = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let end = a[start..].iter().rev().zip(b[start..].iter().rev()).take_while(|(a, b)| a == b).count();
    let (own_part, part) = (&a[start..a.len() - end], &b[start..b.len() - end]);
    match (own_part, part) {
        ([from], [to]) => replaced(*from, *to, found),
        ([], [put]) => inserted(a, start, *put, found),
        ([gone], []) => left_out(b, start, *gone, found),
        ([x, y], [p, q]) if (x, y) == (q, p) => found.add(Technique::Transposition),
        ([], b"es") | (b"es", []) if end == 0 => found.add(Technique::Plural),
        _ => {}
    }
    if found.is_empty() && own.len() >= TWO_EDITS_CHARS_MIN && distance == 2 {
        found.add(Technique::TwoEdits);
    }
}

fn replaced(from: u8, to: u8, found: &mut Techniques) {
    let is_vowel = |byte: u8| b"aeiou".contains(&byte);
    found.add(Technique::Replacement);
    if is_vowel(from) && is_vowel(to) {
        found.add(Technique::VowelSwap);
    }
    if are_beside(from, to) {
        found.add(Technique::Keyboard);
    }
    if (from ^ to).is_power_of_two() {
        found.add(Technique::BitFlip);
    }
}

fn inserted(own: &[u8], at: usize, put: u8, found: &mut Techniques) {
    let around = || at.checked_sub(1).and_then(|at| own.get(at)).into_iter().chain(own.get(at));
    found.add(Technique::Insertion);
    if around().any(|beside| *beside == put) {
        found.add(Technique::Repetition);
    } else if around().any(|beside| are_beside(*beside, put)) {
        found.add(Technique::Keyboard);
    }
    if put == b'-' {
        found.add(Technique::Hyphenation);
    }
    if put == b's' && at == own.len() {
        found.add(Technique::Plural);
    }
}

fn left_out(label: &[u8], at: usize, gone: u8, found: &mut Techniques) {
    found.add(Technique::Omission);
    if gone == b'-' {
        found.add(Technique::Hyphenation);
    }
    if gone == b's' && at == label.len() {
        found.add(Technique::Plural);
    }
}
