//! How far an import is: a bar on a terminal, a line in the log every few seconds elsewhere.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::import::{Phase, Step};
use crate::source::refresh;

/// Between two lines of the log.
const LOG_EVERY: Duration = Duration::from_secs(5);

/// Shows steps as they come.
pub(super) struct Progress {
    bar: Option<ProgressBar>,
    phase: Option<Phase>,
    phase_start: Instant,
    logged: Instant,
}

impl Progress {
    pub(super) fn new() -> Progress {
        let now = Instant::now();
        let bar = io::stderr().is_terminal().then(ProgressBar::no_length);
        Progress { bar, phase: None, phase_start: now, logged: now }
    }

    /// Shows a step.
    pub(super) fn step(&mut self, step: Step) {
        if self.phase != Some(step.phase) {
            self.phase = Some(step.phase);
            self.phase_start = Instant::now();
            if let Some(bar) = &self.bar {
                bar.set_style(style(&step));
                bar.set_length(step.bytes_total.unwrap_or(0));
                bar.reset_elapsed();
                bar.enable_steady_tick(Duration::from_millis(200));
            }
        }
        let rate = step.records as f64 / self.phase_start.elapsed().as_secs_f64().max(0.001);
        match &self.bar {
            Some(bar) => {
                bar.set_position(step.bytes);
                bar.set_message(format!("{rate:.0} records/s"));
            }
            None if step.phase == Phase::Reading && self.logged.elapsed() >= LOG_EVERY => {
                self.logged = Instant::now();
                self.log(&step, rate);
            }
            None => {}
        }
    }

    fn log(&self, step: &Step, rate: f64) {
        let done = step.bytes_total.map(|total| step.bytes as f64 / total.max(1) as f64);
        let left = done.map(|done| self.phase_start.elapsed().as_secs_f64() * (1.0 - done) / done.max(0.001));
        tracing::info!(
            records = step.records,
            records_per_second = rate as u64,
            input_bytes = step.bytes,
            percent = done.map(|done| (done * 100.0) as u64),
            seconds_left = left.map(|left| left as u64),
            "importing"
        );
    }

    /// Shows how far a source is.
    pub(super) fn refresh(&mut self, progress: refresh::Progress) {
        match progress {
            refresh::Progress::Importing(step) => self.step(step),
            refresh::Progress::Fetching(bytes, bytes_total) => {
                self.step(Step { phase: Phase::Fetching, bytes, bytes_total, records: 0 });
            }
        }
    }

    /// Takes the bar away.
    pub(super) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn style(step: &Step) -> ProgressStyle {
    let template = match (step.phase, step.bytes_total) {
        (Phase::Fetching, Some(_)) => "fetching {bar:30} {bytes}/{total_bytes}, {eta} left",
        (Phase::Fetching, None) => "fetching {spinner} {bytes}",
        (Phase::Comparing, _) => "comparing {bar:30} {bytes}/{total_bytes}",
        (Phase::Reading, Some(_)) => "importing {bar:30} {bytes}/{total_bytes} {msg}, {eta} left",
        (Phase::Reading, None) => "importing {spinner} {bytes} {msg}",
        (Phase::Publishing, _) => "{spinner} writing the run",
    };
    ProgressStyle::with_template(template).expect("the templates are tested")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_templates_are_sound() {
        for phase in [Phase::Fetching, Phase::Comparing, Phase::Reading, Phase::Publishing] {
            for bytes_total in [None, Some(1)] {
                style(&Step { phase, bytes: 0, bytes_total, records: 0 });
            }
        }
    }
}
