//! Questions to registries, each at its own pace: one that is slow, wants to be left alone or fails holds up no other.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::Deserialize;
use ureq::http::StatusCode;

use super::memory::Memory;
use crate::source::fetch::{Client, FetchError, Fetched, Validators};

/// What RDAP is asked for.
const MEDIA_TYPE: &str = "application/rdap+json, application/json;q=0.9";

/// The longest pause that is waited for within a refresh; who wants a longer one is asked in a later one.
const PAUSE_MAX: Duration = Duration::from_secs(30);
/// The pause after a first failure of a registry, doubled with each further one in a row.
const FAILED_PAUSE: Duration = Duration::from_secs(2);
/// How often in a row a registry may fail, and how long it is left alone then, or where it refuses.
const FAILURES_MAX: u32 = 3;
const REFUSED_PAUSE: Duration = Duration::from_secs(3600);
/// The pause where a registry has too many questions and does not say until when.
const TOO_MANY_PAUSE: Duration = Duration::from_secs(60);

/// A domain to ask for, and the address of its registry.
pub(super) struct Question {
    pub(super) domain: String,
    pub(super) base: String,
}

/// The registries that are asked, by host.
pub(super) struct Registries<'a> {
    client: &'a Client,
    answers: &'a Path,
    pace: Duration,
    started: Instant,
    all: BTreeMap<String, Registry>,
    /// Domains that were not asked for, since their registry wants to be left alone.
    left: BTreeSet<String>,
    /// Questions that were answered, also by that there is no such domain; and registrations among the answers.
    pub(super) asked: usize,
    pub(super) answered: usize,
    /// The last failure.
    pub(super) error: Option<FetchError>,
}

struct Registry {
    questions: VecDeque<Question>,
    next: Instant,
    failures: u32,
}

/// What becomes of a question.
enum Answer {
    Registration,
    Nothing,
    /// To be asked again after a pause.
    Later(Duration, FetchError),
    /// The registry refuses.
    Refused(FetchError),
}

impl<'a> Registries<'a> {
    pub(super) fn new(client: &'a Client, answers: &'a Path, per_second: f64) -> Registries<'a> {
        Registries {
            client,
            answers,
            pace: Duration::from_secs_f64(1.0 / per_second),
            started: Instant::now(),
            all: BTreeMap::new(),
            left: BTreeSet::new(),
            asked: 0,
            answered: 0,
            error: None,
        }
    }

    /// Adds a question, unless its registry is to be left alone.
    pub(super) fn add(&mut self, question: Question, memory: &Memory) {
        let host = host(&question.base).to_owned();
        if memory.waits(&host) {
            self.left.insert(question.domain);
            return;
        }
        let next = self.started;
        let new = || Registry { questions: VecDeque::new(), next, failures: 0 };
        self.all.entry(host).or_insert_with(new).questions.push_back(question);
    }

    /// Asks all of them until the time is over; the domains that were not asked for.
    pub(super) fn ask_all(
        &mut self,
        memory: &mut Memory,
        told: &mut dyn FnMut(u64, Option<u64>),
    ) -> BTreeSet<String> {
        loop {
            self.all.retain(|_, registry| !registry.questions.is_empty());
            let next = self.all.iter().min_by_key(|(_, registry)| registry.next);
            let Some((host, at)) = next.map(|(host, registry)| (host.clone(), registry.next)) else { break };
            let wait = at.saturating_duration_since(Instant::now());
            if wait >= self.client.time_left() {
                break;
            }
            std::thread::sleep(wait);
            self.ask_one(&host, memory, told);
        }
        let rest = std::mem::take(&mut self.all).into_values().flat_map(|registry| registry.questions);
        self.left.extend(rest.map(|question| question.domain));
        std::mem::take(&mut self.left)
    }

    /// Asks a registry its next question.
    fn ask_one(&mut self, host: &str, memory: &mut Memory, told: &mut dyn FnMut(u64, Option<u64>)) {
        let asked = Instant::now();
        let Some(question) = self.all.get_mut(host).and_then(|registry| registry.questions.pop_front())
        else {
            return;
        };
        let answer = self.answer(&question, told);
        let Some(registry) = self.all.get_mut(host) else { return };
        registry.next = asked + self.pace;
        let pause = match answer {
            Answer::Registration | Answer::Nothing => {
                registry.failures = 0;
                self.asked += 1;
                match answer {
                    Answer::Registration => self.answered += 1,
                    _ => memory.in_vain(&question.domain),
                }
                return;
            }
            Answer::Later(pause, error) => {
                tracing::debug!(%error, host, "asking later");
                registry.failures += 1;
                self.error = Some(error);
                if registry.failures < FAILURES_MAX { pause } else { pause.max(REFUSED_PAUSE) }
            }
            Answer::Refused(error) => {
                self.error = Some(error);
                REFUSED_PAUSE
            }
        };
        registry.questions.push_back(question);
        if pause <= PAUSE_MAX {
            registry.next = asked + pause.max(self.pace);
            return;
        }
        if let Some(error) = &self.error {
            tracing::info!(%error, host, seconds = pause.as_secs(), "a registry is left alone");
        }
        memory.wait(host, self.started.elapsed().as_secs() + pause.as_secs());
        if let Some(registry) = self.all.remove(host) {
            self.left.extend(registry.questions.into_iter().map(|question| question.domain));
        }
    }

    fn answer(&self, question: &Question, told: &mut dyn FnMut(u64, Option<u64>)) -> Answer {
        let path = self.answers.join(format!("{:05}.json", self.asked));
        let address = format!("{}domain/{}", question.base, question.domain);
        let failures = self.all.get(host(&question.base)).map_or(0, |registry| registry.failures);
        let backed_off = FAILED_PAUSE * 2_u32.pow(failures.min(10));
        let result = self.client.get(&address, Some(MEDIA_TYPE), &Validators::default(), &path, told);
        let answer = match result {
            Ok(Fetched::New(_)) if is_about(&path, &question.domain) => return Answer::Registration,
            Ok(_) => {
                tracing::warn!(domain = question.domain, "a registry answers with something else");
                Answer::Nothing
            }
            Err(error) => match error.status {
                Some(StatusCode::TOO_MANY_REQUESTS) => {
                    Answer::Later(error.retry_after.unwrap_or(TOO_MANY_PAUSE), error)
                }
                Some(StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => Answer::Refused(error),
                Some(status) if !status.is_server_error() => Answer::Nothing,
                Some(_) | None => Answer::Later(error.retry_after.unwrap_or(backed_off), error),
            },
        };
        remove(path);
        answer
    }
}

/// What was begun and is no answer does not belong into the batch.
fn remove(path: PathBuf) {
    if let Err(error) = std::fs::remove_file(&path)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        tracing::warn!(%error, path = %path.display(), "what is no answer cannot be removed");
    }
}

/// Host and port of an address.
fn host(base: &str) -> &str {
    base.split_once("://").map_or(base, |(_, rest)| rest).split('/').next().unwrap_or_default()
}

/// Whether an answer is the registration of this domain.
fn is_about(path: &Path, domain: &str) -> bool {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Domain {
        object_class_name: String,
        ldh_name: String,
    }
    let answer = std::fs::read(path).ok().and_then(|text| serde_json::from_slice::<Domain>(&text).ok());
    answer.is_some_and(|answer| {
        answer.object_class_name == "domain"
            && answer.ldh_name.trim_end_matches('.').eq_ignore_ascii_case(domain)
    })
}
