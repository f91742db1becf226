//! `token`: what programs sign in with. A running service knows within a second.

use std::io::Write;

use super::table::{self, Cell, FAINT};
use super::{Code, Failure, Program, shown};
use crate::access::directory::TOKEN_DAYS_MAX;
use crate::access::listed::TokenRow;
use crate::access::role::Scope;
use crate::access::scopes_of;
use crate::access::user::NewToken;
use crate::value::Timestamp;

const EXAMPLE: &str = "\
Examples:
  zonelens token create soar 'case management' --scopes lookup,write --days 90
  zonelens token list
  zonelens token revoke 1f2e3d4c

Then: curl -H 'authorization: Bearer zl_…' http://127.0.0.1:8080/api/domain/example.com";
const CREATE_EXAMPLE: &str = "\
Example: zonelens token create soar 'case management' --scopes lookup,write --days 90

The token is printed once; what is kept cannot be turned back into it.";

/// Create, list and revoke tokens
#[derive(clap::Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Token {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand)]
enum Action {
    /// Create a token and print it
    #[command(after_help = CREATE_EXAMPLE)]
    Create {
        /// Whose
        user: String,
        /// What it is for
        name: String,
        /// lookup, write, ingest, admin [default: all that the user may]
        #[arg(long, value_delimiter = ',', value_name = "SCOPES")]
        scopes: Vec<Scope>,
        /// How long it lives, at most 365
        #[arg(long, default_value_t = TOKEN_DAYS_MAX)]
        days: i64,
        /// Print a JSON object
        #[arg(long)]
        json: bool,
    },
    /// List tokens, also those that ended in the last thirty days
    #[command(after_help = "Example: zonelens token list --user soar --json")]
    List {
        /// Of this user only
        #[arg(long, value_name = "NAME")]
        user: Option<String>,
        /// Print a JSON array
        #[arg(long)]
        json: bool,
    },
    /// End a token at once
    #[command(after_help = "Example: zonelens token revoke 1f2e3d4c")]
    Revoke {
        /// Its id, as lists show it
        id: String,
    },
}

impl Token {
    pub(super) fn run(self, program: &Program, out: &mut dyn Write) -> Result<Code, Failure> {
        let (users, now) = (program.users()?, program.clock.now());
        match self.action {
            Action::Create { user, name, scopes, days, json } => {
                let (token, secret) = users.change(|directory| {
                    let role = directory.user(&user)?.role;
                    let scopes = if scopes.is_empty() { scopes_of(role) } else { scopes };
                    directory.create_token(&NewToken { user, name, scopes, days }, now)
                })?;
                if json {
                    let row = TokenRow { token: Some(&secret), ..TokenRow::new(&token, now, None) };
                    writeln!(out, "{}", serde_json::to_string(&row).expect("texts"))?;
                } else {
                    writeln!(out, "{secret}")?;
                }
                program.audit("token add", &format!("{} of {}", token.id, token.user))?;
            }
            Action::List { user, json } => {
                let (directory, used) = (users.directory()?, users.used()?);
                let wanted = directory
                    .tokens
                    .values()
                    .filter(|token| user.as_ref().is_none_or(|user| *user == token.user));
                let last_used = |id: &str| used.get(id).map(|minute| Timestamp(minute * 60));
                let rows: Vec<_> =
                    wanted.map(|token| TokenRow::new(token, now, last_used(&token.id))).collect();
                list(&rows, json, out)?;
            }
            Action::Revoke { id } => {
                let token = users.change(|directory| directory.revoke_token(&id, now))?;
                program.audit("token remove", &format!("{} of {}", token.id, token.user))?;
            }
        }
        Ok(Code::Done)
    }
}

fn list(tokens: &[TokenRow<'_>], json: bool, out: &mut dyn Write) -> Result<(), Failure> {
    if json {
        writeln!(out, "{}", serde_json::to_string(tokens).expect("texts"))?;
        return Ok(());
    }
    let row = |token: &TokenRow<'_>| {
        let style = if token.status == "live" { Default::default() } else { FAINT };
        let scopes: Vec<&str> = token.scopes.iter().map(|scope| scope.name()).collect();
        let cells = [
            token.id.to_owned(),
            token.user.to_owned(),
            shown(token.name),
            scopes.join(","),
            token.status.to_owned(),
            token.created.to_string(),
            token.expires.to_string(),
            token.last_used.map_or_else(|| "never".to_owned(), |at| at.to_string()),
        ];
        cells.into_iter().map(|text| Cell::text(text).styled(style)).collect()
    };
    let heads = ["id", "user", "name", "scopes", "status", "created", "expires", "last used"];
    if !tokens.is_empty() {
        table::write(out, 0, &heads, &tokens.iter().map(row).collect::<Vec<_>>())?;
    }
    Ok(())
}
