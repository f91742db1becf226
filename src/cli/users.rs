//! `user`, `group`: who may ask the service, and how much. A running service knows within a second.

use std::io::Write;
use std::str::FromStr;

use super::password::PasswordFrom;
use super::table::{self, Cell, FAINT};
use super::{Code, Failure, Program};
use crate::access::AccessError;
use crate::access::database::Database;
use crate::access::directory::Directory;
use crate::access::listed::UserRow;
use crate::access::role::Role;
use crate::access::user::{Limits, UserChange};
use crate::value::Tlp;

const USER_EXAMPLE: &str = "\
Examples:
  zonelens user add ann --role admin
  zonelens user add soar --role integrator --no-password --day-quota 20000
  zonelens user set ann --role analyst --group soc
  zonelens user list";
const GROUP_EXAMPLE: &str = "\
Examples:
  zonelens group set soc --day-quota 100000 --per-second 50
  zonelens user set ann --group soc
  zonelens group list --json";

/// Add users, change what they may do, lock them out
#[derive(clap::Args)]
#[command(after_help = USER_EXAMPLE)]
pub(super) struct User {
    #[command(subcommand)]
    action: UserAction,
}

#[derive(clap::Subcommand)]
enum UserAction {
    /// Add a user
    #[command(after_help = "Example: zonelens user add ann --role analyst --group soc")]
    Add {
        /// Lower-case letters, digits, . _ - @
        name: String,
        /// admin, analyst, integrator or read-only
        #[arg(long)]
        role: Role,
        #[command(flatten)]
        set: UserSettings,
        #[command(flatten)]
        password: PasswordFrom,
        /// No password: the user asks by token only
        #[arg(long, conflicts_with = "password_file")]
        no_password: bool,
    },
    /// List users
    #[command(after_help = "Example: zonelens user list --json")]
    List {
        /// Print a JSON array
        #[arg(long)]
        json: bool,
    },
    /// Change a user
    #[command(after_help = "Example: zonelens user set ann --day-quota 5000 --clearance amber")]
    Set {
        /// Who
        name: String,
        #[command(flatten)]
        set: UserSettings,
    },
    /// Give a user another role
    #[command(after_help = "Example: zonelens user role ann admin")]
    Role {
        /// Who
        name: String,
        /// admin, analyst, integrator or read-only
        role: Role,
    },
    /// Set a user's password; sessions end, tokens stay
    #[command(after_help = "Example: zonelens user password ann")]
    Password {
        /// Who
        name: String,
        #[command(flatten)]
        password: PasswordFrom,
    },
    /// Lock a user out, with all tokens and sessions
    #[command(after_help = "Example: zonelens user disable ann")]
    Disable {
        /// Who
        name: String,
    },
    /// Let a user in again
    #[command(after_help = "Example: zonelens user enable ann")]
    Enable {
        /// Who
        name: String,
    },
    /// Remove a user and its tokens; the audit keeps its name
    #[command(after_help = "Example: zonelens user remove ann")]
    Remove {
        /// Who
        name: String,
    },
}

/// What can be set of a user besides the role.
#[derive(clap::Args)]
struct UserSettings {
    /// The group whose limits it shares, or none
    #[arg(long, value_name = "NAME")]
    group: Option<OrNone<String>>,
    /// The highest TLP it may see named: clear, green, amber, amber+strict, red
    #[arg(long, value_name = "TLP")]
    clearance: Option<Tlp>,
    #[command(flatten)]
    limits: LimitArgs,
}

/// How much may be asked.
#[derive(clap::Args)]
struct LimitArgs {
    /// Lookups a day (UTC), or none
    #[arg(long, value_name = "NUMBER")]
    day_quota: Option<OrNone<u64>>,
    /// Requests a second, or none
    #[arg(long, value_name = "NUMBER")]
    per_second: Option<OrNone<f64>>,
    /// Requests at once, or none
    #[arg(long, value_name = "NUMBER")]
    burst: Option<OrNone<u32>>,
}

/// A value, or the word that takes it away.
#[derive(Clone)]
struct OrNone<T>(Option<T>);

impl<T: FromStr> FromStr for OrNone<T>
where
    T::Err: std::fmt::Display,
{
    type Err = String;

    fn from_str(text: &str) -> Result<OrNone<T>, String> {
        if text == "none" {
            return Ok(OrNone(None));
        }
        text.parse().map(|value| OrNone(Some(value))).map_err(|error| format!("{error}: or use none"))
    }
}

impl UserSettings {
    fn change(self) -> UserChange {
        UserChange {
            group: self.group.map(|group| group.0),
            clearance: self.clearance,
            day_quota: self.limits.day_quota.map(|quota| quota.0),
            per_second: self.limits.per_second.map(|rate| rate.0),
            burst: self.limits.burst.map(|burst| burst.0),
            ..UserChange::default()
        }
    }
}

impl From<AccessError> for Failure {
    fn from(error: AccessError) -> Failure {
        match error {
            AccessError::Wrong(problem) | AccessError::Nothing(problem) => Failure::Usage(problem),
            AccessError::Failed(problem) => Failure::Failed(problem),
        }
    }
}

impl Program {
    /// The database of users of the data folder, which is made where there is none.
    pub(super) fn users(&self) -> Result<Database, Failure> {
        Ok(Database::open(self.store_or_new()?.folder())?)
    }
}

impl User {
    pub(super) fn run(self, program: &Program, out: &mut dyn Write) -> Result<Code, Failure> {
        let changed = |name: String, what: &str, change: UserChange| {
            program.users()?.change(|directory| directory.change_user(&name, change))?;
            program.audit(&format!("user {what}"), &name)
        };
        let lock = |disabled| UserChange { disabled: Some(disabled), ..UserChange::default() };
        match self.action {
            UserAction::List { json } => list(&program.users()?.directory()?, json, out)?,
            UserAction::Add { name, role, set, password, no_password } => {
                let password = if no_password { None } else { Some(password.read()?) };
                let (now, change) = (program.clock.now(), UserChange { password, ..set.change() });
                program.users()?.change(|directory| {
                    directory.add_user(&name, role, now)?;
                    directory.change_user(&name, change)
                })?;
                program.audit("user add", &format!("{name} as {role}"))?;
            }
            UserAction::Set { name, set } => changed(name, "change", set.change())?,
            UserAction::Role { name, role } => {
                changed(name, "change", UserChange { role: Some(role), ..UserChange::default() })?;
            }
            UserAction::Password { name, password } => {
                let password = Some(password.read()?);
                changed(name, "password", UserChange { password, ..UserChange::default() })?;
            }
            UserAction::Disable { name } => changed(name, "disable", lock(true))?,
            UserAction::Enable { name } => changed(name, "enable", lock(false))?,
            UserAction::Remove { name } => {
                program.users()?.change(|directory| directory.remove_user(&name))?;
                program.audit("user remove", &name)?;
            }
        }
        Ok(Code::Done)
    }
}

fn shown<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

fn list(directory: &Directory, json: bool, out: &mut dyn Write) -> Result<(), Failure> {
    let users: Vec<UserRow<'_>> = directory.users.values().map(|user| UserRow::from(&**user)).collect();
    if json {
        writeln!(out, "{}", serde_json::to_string(&users).expect("texts and numbers"))?;
        return Ok(());
    }
    let row = |user: &UserRow<'_>| {
        let style = if user.disabled { FAINT } else { Default::default() };
        let signs_in = match (user.disabled, user.has_password) {
            (true, _) => "disabled",
            (false, true) => "password, tokens",
            (false, false) => "tokens",
        };
        let Limits { day_quota, per_second, burst } = user.limits;
        let cells = [
            user.name.to_owned(),
            user.role.to_string(),
            shown(user.group),
            user.clearance.to_string(),
            shown(day_quota),
            shown(per_second),
            shown(burst),
            signs_in.to_owned(),
            user.created.to_string(),
        ];
        cells.into_iter().map(|text| Cell::text(text).styled(style)).collect()
    };
    let heads = [
        "name",
        "role",
        "group",
        "clearance",
        "quota a day",
        "per second",
        "burst",
        "signs in by",
        "created",
    ];
    if !users.is_empty() {
        table::write(out, 0, &heads, &users.iter().map(row).collect::<Vec<_>>())?;
    }
    Ok(())
}

/// Limit what users may ask together
#[derive(clap::Args)]
#[command(after_help = GROUP_EXAMPLE)]
pub(super) struct Group {
    #[command(subcommand)]
    action: GroupAction,
}

#[derive(clap::Subcommand)]
enum GroupAction {
    /// Add a group, or set all limits of one
    #[command(after_help = "Example: zonelens group set soc --day-quota 100000")]
    Set {
        /// Lower-case letters, digits, . _ - @
        name: String,
        #[command(flatten)]
        limits: LimitArgs,
    },
    /// List groups
    #[command(after_help = "Example: zonelens group list --json")]
    List {
        /// Print a JSON array
        #[arg(long)]
        json: bool,
    },
    /// Remove a group that nobody is in
    #[command(after_help = "Example: zonelens group remove soc")]
    Remove {
        /// Which
        name: String,
    },
}

impl Group {
    pub(super) fn run(self, program: &Program, out: &mut dyn Write) -> Result<Code, Failure> {
        let users = program.users()?;
        match self.action {
            GroupAction::Set { name, limits } => {
                let limits = Limits {
                    day_quota: limits.day_quota.and_then(|quota| quota.0),
                    per_second: limits.per_second.and_then(|rate| rate.0),
                    burst: limits.burst.and_then(|burst| burst.0),
                };
                users.change(|directory| directory.set_group(&name, limits))?;
                program.audit("group set", &name)?;
            }
            GroupAction::List { json } => {
                let directory = users.directory()?;
                let groups: Vec<_> = directory.groups.values().map(|group| &**group).collect();
                if json {
                    writeln!(out, "{}", serde_json::to_string(&groups).expect("texts and numbers"))?;
                } else if !groups.is_empty() {
                    let members = |name: &str| {
                        directory.users.values().filter(|user| user.group.as_deref() == Some(name)).count()
                            as u64
                    };
                    let row = |group: &&crate::access::user::Group| {
                        let Limits { day_quota, per_second, burst } = group.limits;
                        let limits = [shown(day_quota), shown(per_second), shown(burst)].map(Cell::text);
                        let first = [Cell::text(group.name.clone()), Cell::number(members(&group.name))];
                        first.into_iter().chain(limits).collect()
                    };
                    let heads = ["name", "users", "quota a day", "per second", "burst"];
                    table::write(out, 0, &heads, &groups.iter().map(row).collect::<Vec<_>>())?;
                }
            }
            GroupAction::Remove { name } => {
                users.change(|directory| directory.remove_group(&name))?;
                program.audit("group remove", &name)?;
            }
        }
        Ok(Code::Done)
    }
}
