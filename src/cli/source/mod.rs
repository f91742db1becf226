//! `source`: where data comes from, and what came of it.

use std::io::Write;

use super::{Code, Failure, Program};

mod add;
mod list;
mod overlap;
mod refresh;

const EXAMPLE: &str = "\
Examples:
  zonelens source catalogue
  zonelens source add urlhaus
  zonelens source add our-c2 https://feed.example/c2.txt --interval 6h --category BOTNET_CNC
  zonelens source add dns-logs '/var/log/dns/*.log.gz' --format zeek --interval 1m
  zonelens source refresh
  zonelens source list

`zonelens serve` refreshes sources that have an interval by itself.";

/// Say where data comes from, refresh it, and see how fresh it is
#[derive(clap::Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Source {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand)]
enum Action {
    Add(Box<add::Add>),
    List(list::List),
    Refresh(refresh::Refresh),
    Enable(add::Enable),
    Disable(add::Disable),
    Remove(add::Remove),
    Catalogue(list::Catalogue),
    Rejected(list::Rejected),
    Overlap(overlap::Overlap),
}

impl Source {
    pub(super) fn run(self, program: &Program, out: &mut dyn Write) -> Result<Code, Failure> {
        match self.action {
            Action::Add(command) => command.run(program, out),
            Action::List(command) => command.run(program, out),
            Action::Refresh(command) => command.run(program, out),
            Action::Enable(command) => command.run(program, out),
            Action::Disable(command) => command.run(program, out),
            Action::Remove(command) => command.run(program, out),
            Action::Catalogue(command) => command.run(out),
            Action::Rejected(command) => command.run(program, out),
            Action::Overlap(command) => command.run(program, out),
        }
    }
}
