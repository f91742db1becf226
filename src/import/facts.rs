//! Facts that are at hand already, as one batch of events: what people say.

use sha2::{Digest, Sha256};

use super::door::Door;
use super::{ImportError, source_name, unwritable, unwritable_text};
use crate::fact::Fact;
use crate::feeds::State;
use crate::store::{Counts, NewBatch, Store};
use crate::value::{Category, Timestamp, Tlp};

/// Memory for rows that are not yet sorted: such batches are small.
const BUFFER_BYTES: usize = 1 << 20;

/// Publishes facts of a source, learnt now. Returns the number of the batch; the same facts again are the batch
/// that is there already.
///
/// # Errors
///
/// [`ImportError`]; nothing is then changed.
pub fn publish(store: &Store, source: &str, facts: Vec<Fact>, now: Timestamp) -> Result<u64, ImportError> {
    let source = source_name(source).map_err(ImportError::Usage)?.to_owned();
    let door = Door { now, category: Category::MALWARE, confidence: None };
    if let Some((_, detail)) = facts.iter().find_map(|fact| door.refuses(fact)) {
        return Err(ImportError::Usage(detail));
    }
    let kept_out = store.snapshot()?.manifest.kept_out.clone();
    for fact in facts.iter().filter(|_| !kept_out.is_empty()) {
        if serde_json::to_string(fact).is_ok_and(|text| kept_out.is_named_in(&text)) {
            return Err(ImportError::Usage(
                "it is kept out: `zonelens forget --also-in-future` said so".to_owned(),
            ));
        }
    }
    let new = NewBatch {
        source,
        format: "native".to_owned(),
        observed: now,
        learnt: now,
        state: State::Events,
        counts: Counts::Additive,
        identity: None,
    };
    let mut writer = store.begin(new, BUFFER_BYTES).map_err(|error| unwritable(store, error))?;
    // The digest of the native form, so that the same facts from a file are the same content.
    let mut digest = Sha256::new();
    let write = |error| ImportError::Write(unwritable_text(store, &error));
    for fact in facts {
        let line = serde_json::to_vec(&fact).map_err(|error| write(error.into()))?;
        digest.update(&line);
        digest.update(b"\n");
        writer.push(fact).map_err(write)?;
    }
    let digest = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    let (_, batch) = writer.publish(digest, 0, Tlp::Clear).map_err(|error| unwritable(store, error))?;
    crate::upkeep::relieve(store, now);
    Ok(batch.seq)
}
