//! What holds of every score, whatever the evidence: tried on random evidence under one policy.

use proptest::prelude::*;

use super::*;

/// A contribution of a source and category that matched in some way.
fn evidence() -> impl Strategy<Value = Evidence> {
    let matched = prop_oneof![
        Just(Match::Exact),
        Just(Match::Parent),
        Just(Match::Mask),
        Just(Match::Network),
        Just(Match::Related)
    ];
    (0..6_u16, 0..17_u8, matched, 0..=10_000_u32).prop_map(|(source, category, matched, share)| Evidence {
        source,
        origin: source / 2,
        category: Category::from_index(category).unwrap(),
        matched,
        first: Timestamp(0),
        last: Timestamp(0),
        until: None,
        weight: f64::from(share) / 10_000.0,
        confidence: 1.0,
        age_hours: 0,
        lifetime_days: None,
        speed: 1.0,
        decay: 1.0,
        factor: 1.0,
        contribution: f64::from(share) / 10_000.0,
        counted: false,
        counted_with: None,
    })
}

/// What a benign entry does: a suspicion is never capped less than anything else, as policies are checked.
fn effect() -> impl Strategy<Value = Effect> {
    let cap = (0..=100_u8, 0..=100_u8, any::<bool>()).prop_map(|(one, other, has_both)| Effect {
        action: Action::Cap,
        cap: Some(one.max(other)),
        cap_suspicion: has_both.then_some(one.min(other)),
        below: true,
    });
    let suppress = Effect { action: Action::Suppress, ..Effect::ANNOTATE };
    prop_oneof![8 => cap, 1 => Just(suppress), 1 => Just(Effect::ANNOTATE)]
}

/// The score of evidence in any order, as a verdict makes it.
fn score(evidence: &[Evidence], effects: &[Effect]) -> u8 {
    let mut evidence = evidence.to_vec();
    evidence.sort_by(|a, b| b.contribution.total_cmp(&a.contribution).then(a.source.cmp(&b.source)));
    count(&mut evidence);
    let effect = |one: &Effect| if is_accused(&evidence) { *one } else { one.on_suspicion() };
    Steps::new(&evidence, effects.iter().map(effect)).rounded
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn more_evidence_never_lowers_a_score(
        some in prop::collection::vec(evidence(), 0..8), one in evidence(),
        effects in prop::collection::vec(effect(), 0..3),
    ) {
        let more: Vec<Evidence> = some.iter().copied().chain([one]).collect();
        prop_assert!(score(&more, &effects) >= score(&some, &effects));
    }

    #[test]
    fn benign_entries_never_raise_a_score(
        some in prop::collection::vec(evidence(), 0..8),
        effects in prop::collection::vec(effect(), 0..3), one in effect(),
    ) {
        let more: Vec<Effect> = effects.iter().copied().chain([one]).collect();
        prop_assert!(score(&some, &more) <= score(&some, &effects));
    }

    #[test]
    fn order_does_not_matter(
        (some, other) in prop::collection::vec(evidence(), 0..8)
            .prop_flat_map(|some| (Just(some.clone()), Just(some).prop_shuffle())),
        (effects, shuffled) in prop::collection::vec(effect(), 0..4)
            .prop_flat_map(|some| (Just(some.clone()), Just(some).prop_shuffle())),
    ) {
        prop_assert_eq!(score(&some, &effects), score(&other, &shuffled));
    }

    #[test]
    fn related_evidence_frames_nobody(
        some in prop::collection::vec(evidence(), 0..8),
        effects in prop::collection::vec(effect(), 0..3),
    ) {
        let direct: Vec<Evidence> =
            some.iter().filter(|one| one.matched != Match::Related).copied().collect();
        prop_assert!(score(&some, &effects) <= score(&direct, &effects).max(49));
    }

    #[test]
    fn of_a_category_two_origins_count(some in prop::collection::vec(evidence(), 0..12)) {
        let mut some = some;
        some.sort_by(|a, b| b.contribution.total_cmp(&a.contribution));
        count(&mut some);
        for one in &some {
            let same = || some.iter().filter(|other| other.counted && other.category == one.category);
            prop_assert!((1..=2).contains(&same().count()));
            prop_assert!(same().filter(|other| other.origin == one.origin).count() <= 1);
            prop_assert_eq!(one.counted, one.counted_with.is_none());
        }
    }

    #[test]
    fn age_only_ever_takes_away(
        hours in 0..100_000_i64, more in 0..10_000_i64, lifetime in 1..4000_u32, speed in 0.1..6.0_f64,
    ) {
        let (younger, older) =
            (decay(hours, Some(lifetime), speed), decay(hours + more, Some(lifetime), speed));
        prop_assert!((0.0..=1.0).contains(&older) && older <= younger);
        prop_assert_eq!(decay(hours, None, speed), 1.0);
    }
}

#[test]
fn decay_at_known_points() {
    for (hours, lifetime, speed, left) in [
        (0, 10, 1.0, 1.0),
        (120, 10, 1.0, 0.5),
        (60, 10, 2.0, 0.5),
        (120, 10, 0.5, 0.75),
        (240, 10, 2.0, 0.0),
    ] {
        assert_eq!(
            decay(hours, Some(lifetime), speed),
            left,
            "{hours} hours, {lifetime} days, speed {speed}"
        );
    }
}
