//! The configuration: one struct a concern, each with its defaults; a TOML file and what overrides it.
//!
//! The file is the one that `--config` names, else the one that `ZONELENS_CONFIG` names, else
//! `zonelens.toml` in the working directory where there is one. An unknown key is an error. Relative paths
//! are relative to the working directory. `etc/zonelens.toml` shows every option with its default.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::indicator::{DomainName, Prefix};
use crate::source::Source;
use crate::store::merge::Retention;
use crate::value::Tlp;
use crate::verdict::Policy;

/// The file that is read where none is named.
pub const FILE: &str = "zonelens.toml";

/// Everything that can be configured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The data folder.
    pub data: PathBuf,
    /// The policy file; absent: the policy that ships with the program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<PathBuf>,
    /// The HTTP service.
    pub http: Http,
    /// People who signed in on the page.
    pub session: Session,
    /// Who did what.
    pub audit: Audit,
    /// How the store is kept in order.
    pub store: Upkeep,
    /// What is kept how long.
    pub retention: RetentionDays,
    /// What is taken in of one's own telemetry.
    pub telemetry: Telemetry,
    /// Imports.
    pub import: Import,
    /// What is watched.
    pub watch: Watch,
    /// Logs.
    pub log: Log,
    /// What may be passed on.
    pub tlp: Sharing,
    /// Sources: where data comes from, and what is known of it beforehand.
    #[serde(rename = "source", skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<Source>,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            data: PathBuf::from("zonelens-data"),
            policy: None,
            http: Http::default(),
            session: Session::default(),
            audit: Audit::default(),
            store: Upkeep::default(),
            retention: RetentionDays::default(),
            telemetry: Telemetry::default(),
            import: Import::default(),
            watch: Watch::default(),
            log: Log::default(),
            tlp: Sharing::default(),
            sources: Vec::new(),
        }
    }
}

/// The HTTP service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Http {
    /// Address and port.
    pub listen: SocketAddr,
    /// Seconds that a request may take.
    pub request_timeout_s: u64,
    /// Seconds that a connection may be silent.
    pub idle_timeout_s: u64,
    /// Connections at a time; more wait.
    pub connections_max: usize,
    /// Memory for reports that were made already, in MiB; 0: none are kept.
    pub cache_mb: usize,
    /// The most MiB of one body of `/api/v1/ingest`, as sent and decompressed.
    pub ingest_mb: u64,
    /// Bodies that are taken in at a time; more are told to come again.
    pub ingests_max: usize,
    /// Seconds that a body may take to arrive.
    pub ingest_timeout_s: u64,
    /// MiB of disk below which no body is taken in.
    pub ingest_free_mb: u64,
    /// Seconds that the head of a request may take, the wait for it on an open connection included.
    pub header_timeout_s: u64,
    /// Whether everybody has to say who they are.
    pub auth: Auth,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Prefix>,
    /// Origins of other sites' pages that may ask, as `https://soc.example`.
    pub cors_origins: Vec<String>,
    /// Whether cookies are for HTTPS only although this service speaks plain HTTP, to a proxy that does not.
    pub secure_cookies: bool,
    /// Who sees `/metrics`.
    pub metrics: MetricsFor,
    /// Counts of hits, files and URLs are shown to the nearest power of ten: for sites that must not reveal them.
    pub round_counts: bool,
    /// HTTPS; absent: plain HTTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
}

/// Whether everybody has to say who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Auth {
    /// As `on`, but not for a service on loopback without users.
    Auto,
    /// Yes.
    On,
    /// No: on loopback only.
    Off,
}

/// Who sees `/metrics`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MetricsFor {
    /// Admins; everybody where nobody has to say who they are.
    Admin,
    /// Everybody.
    Open,
}

/// HTTPS. The files are read again when they change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The certificate and those that lead to its root, PEM.
    pub certificate: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
    /// Roots of clients' certificates, PEM; absent: none is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_ca: Option<PathBuf>,
    /// Whether a client without a certificate of `client_ca` is turned away.
    #[serde(default)]
    pub require_client_certificate: bool,
}

/// People who signed in on the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Session {
    /// Hours until they have to sign in again.
    pub max_hours: u32,
    /// Minutes without a request until then.
    pub idle_minutes: u32,
}

impl Default for Session {
    fn default() -> Session {
        Session { max_hours: 12, idle_minutes: 60 }
    }
}

/// Who did what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Audit {
    /// Days that a day's entries are kept; 0: there is no audit, which only a service without users may.
    pub days: u32,
}

impl Default for Audit {
    fn default() -> Audit {
        Audit { days: 365 }
    }
}

impl Http {
    /// Whether everybody has to say who they are, by whether there are users.
    ///
    /// # Errors
    ///
    /// When nobody had to on an address that others reach.
    pub fn is_auth_on(&self, has_users: bool) -> Result<bool, String> {
        let is_loopback = self.listen.ip().is_loopback();
        match self.auth {
            Auth::On => Ok(true),
            Auth::Auto => Ok(!is_loopback || has_users),
            Auth::Off if is_loopback => Ok(false),
            Auth::Off => Err(format!(
                "http.auth is \"off\" and {} is reached by others: listen on 127.0.0.1, or take auth = \"on\" and \
                 add users with `zonelens user add`",
                self.listen
            )),
        }
    }

    fn check(&self) -> Result<(), String> {
        for origin in &self.cors_origins {
            let uri = origin.parse::<axum::http::Uri>().ok();
            let is_origin = uri.is_some_and(|uri| {
                uri.scheme().is_some()
                    && uri.authority().is_some()
                    && uri.path() == "/"
                    && !origin.ends_with('/')
            });
            if !is_origin {
                return Err(format!(
                    "http.cors_origins: {origin:?} is no origin: use one as \"https://soc.example\""
                ));
            }
        }
        if let Some(tls) = &self.tls
            && tls.require_client_certificate
            && tls.client_ca.is_none()
        {
            return Err("http.tls.require_client_certificate needs http.tls.client_ca".to_owned());
        }
        Ok(())
    }
}

impl Default for Http {
    fn default() -> Http {
        Http {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            request_timeout_s: 10,
            idle_timeout_s: 60,
            connections_max: 1024,
            cache_mb: 64,
            ingest_mb: 256,
            ingests_max: 2,
            ingest_timeout_s: 600,
            ingest_free_mb: 1024,
            header_timeout_s: 30,
            auth: Auth::Auto,
            trusted_proxies: Vec::new(),
            cors_origins: Vec::new(),
            secure_cookies: false,
            metrics: MetricsFor::Admin,
            round_counts: false,
            tls: None,
        }
    }
}

/// How the store is kept in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Upkeep {
    /// Whether the service joins small runs by itself.
    pub merge: bool,
    /// Live runs of one day and of like size before the service joins them.
    pub alike_runs_max: usize,
}

impl Default for Upkeep {
    fn default() -> Upkeep {
        Upkeep { merge: true, alike_runs_max: 8 }
    }
}

/// What is kept how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RetentionDays {
    /// Days with hits by day; older days keep first, last, hits and peak.
    pub detail_days: u32,
    /// Days that the originals of a merged run are kept, so that a single batch can be retired.
    pub retire_days: u32,
    /// More names than this directly below one, each seen once longer ago than `detail_days`, become `*` below
    /// it; 0: never.
    pub fold_names: usize,
    /// Days that contacts are kept: who of one's own clients talked to what; 0: for good.
    pub contact_days: u32,
}

/// Days that contacts are kept where nothing else is said: about as long as an intrusion stays unnoticed.
const CONTACT_DAYS: u32 = 90;

/// The largest [`RetentionDays::fold_names`]: names that are not yet too many are held in memory.
pub const FOLD_NAMES_MAX: usize = 1_000_000;

impl Default for RetentionDays {
    fn default() -> RetentionDays {
        let Retention { detail_days, retire_days, fold_names } = Retention::default();
        RetentionDays { detail_days, retire_days, fold_names, contact_days: CONTACT_DAYS }
    }
}

impl From<RetentionDays> for Retention {
    fn from(days: RetentionDays) -> Retention {
        let RetentionDays { detail_days, retire_days, fold_names, .. } = days;
        Retention { detail_days, retire_days, fold_names }
    }
}

/// What is taken in of one's own telemetry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Telemetry {
    /// Whether contacts are kept: who of one's own clients talked to what. They are data on people, so not unless
    /// somebody says so.
    pub contacts: bool,
}

/// Imports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Import {
    /// Memory for rows that are not yet sorted, in MiB; up to three such buffers are alive.
    pub buffer_mb: usize,
}

/// The largest [`Import::buffer_mb`]: rows in a buffer are addressed by 32 bits.
pub const BUFFER_MB_MAX: usize = 2048;

impl Default for Import {
    fn default() -> Import {
        Import { buffer_mb: 128 }
    }
}

/// What is watched.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Watch {
    /// Brands: registrable names. What imitates one and was not known before is an event of the import that brings it.
    pub brands: Vec<DomainName>,
}

/// The most [`Watch::brands`]: each is looked for in every import.
pub const BRANDS_MAX: usize = 1000;

/// Logs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// `error`, `warn`, `info`, `debug` or `trace`; or a filter by module, as `info,zonelens::http=debug`.
    /// What was looked up is logged at `debug` only.
    pub level: String,
    /// How a line looks.
    pub format: LogFormat,
}

impl Default for Log {
    fn default() -> Log {
        Log { level: "info".to_owned(), format: LogFormat::Text }
    }
}

/// What may be passed on, by the Traffic Light Protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sharing {
    /// The strictest mark of what leaves in exports: bundles, events, tables, passive DNS.
    pub export: Tlp,
}

impl Default for Sharing {
    fn default() -> Sharing {
        Sharing { export: Tlp::Green }
    }
}

/// How a line of the log looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For a person.
    Text,
    /// One JSON object a line.
    Json,
}

impl Watch {
    fn check(&self) -> Result<(), String> {
        if self.brands.len() > BRANDS_MAX {
            return Err(format!("watch.brands has {} names: use {BRANDS_MAX} at most", self.brands.len()));
        }
        let is_wrong = |brand: &&DomainName| brand.registrable() != Some(brand.as_str());
        match self.brands.iter().find(is_wrong) {
            Some(brand) => {
                Err(format!("watch.brands: {brand} is no name that can be registered: use example.com"))
            }
            None => Ok(()),
        }
    }
}

impl Config {
    /// Reads the configuration: the named file, else [`FILE`] where there is one, else defaults.
    ///
    /// # Errors
    ///
    /// What is wrong and where, for a person.
    pub fn read(named: Option<&Path>) -> Result<Config, String> {
        let path = match named {
            Some(path) => path,
            None if Path::new(FILE).is_file() => Path::new(FILE),
            None => return Ok(Config::default()),
        };
        let text = std::fs::read_to_string(path).map_err(|error| {
            format!("{}: {error}; name a readable file with --config, or none", path.display())
        })?;
        Config::parse(&text).map_err(|problem| format!("{}: {problem}", path.display()))
    }

    /// Reads the text of a configuration file.
    ///
    /// # Errors
    ///
    /// What is wrong and where, for a person.
    pub fn parse(text: &str) -> Result<Config, String> {
        let config: Config = toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned())?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), String> {
        let over_0 = |name: &str, value: u64| {
            (value > 0).then_some(()).ok_or_else(|| format!("{name} is 0: use 1 or more"))
        };
        over_0("http.request_timeout_s", self.http.request_timeout_s)?;
        over_0("http.idle_timeout_s", self.http.idle_timeout_s)?;
        over_0("http.connections_max", self.http.connections_max as u64)?;
        over_0("http.ingest_mb", self.http.ingest_mb)?;
        over_0("http.ingests_max", self.http.ingests_max as u64)?;
        over_0("http.ingest_timeout_s", self.http.ingest_timeout_s)?;
        over_0("http.header_timeout_s", self.http.header_timeout_s)?;
        self.http.check()?;
        over_0("session.max_hours", self.session.max_hours.into())?;
        over_0("session.idle_minutes", self.session.idle_minutes.into())?;
        over_0("import.buffer_mb", self.import.buffer_mb as u64)?;
        if self.import.buffer_mb > BUFFER_MB_MAX {
            return Err(format!("import.buffer_mb is {}: use 1 to {BUFFER_MB_MAX}", self.import.buffer_mb));
        }
        over_0("store.alike_runs_max", self.store.alike_runs_max as u64)?;
        if self.retention.fold_names > FOLD_NAMES_MAX {
            return Err(format!(
                "retention.fold_names is {}: use 1 to {FOLD_NAMES_MAX}, or 0 for never",
                self.retention.fold_names
            ));
        }
        tracing_subscriber::EnvFilter::try_new(&self.log.level)
            .map_err(|error| format!("log.level: {error}; use error, warn, info, debug or trace"))?;
        self.watch.check()?;
        for (index, source) in self.sources.iter().enumerate() {
            source.check()?;
            if self.sources[..index].iter().any(|earlier| earlier.name == source.name) {
                return Err(format!("[[source]] {:?} stands twice: join the two", source.name));
            }
        }
        Ok(())
    }

    /// The configuration as a file that reads back.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("a configuration has no value that TOML lacks")
    }

    /// The policy: the file's, else the one that ships with the program.
    ///
    /// # Errors
    ///
    /// What is wrong and where, for a person.
    pub fn policy(&self) -> Result<Policy, String> {
        let Some(path) = &self.policy else { return Ok(Policy::built_in()) };
        let text = std::fs::read_to_string(path).map_err(|error| {
            format!("{}: {error}; `policy` names a file that can be read", path.display())
        })?;
        Policy::parse(&text).map_err(|problem| format!("{}: {problem}", path.display()))
    }

    /// What is known of a source beforehand.
    pub fn source(&self, name: &str) -> Option<&Source> {
        self.sources.iter().find(|source| source.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Category;

    const EXAMPLE: &str = include_str!("../etc/zonelens.toml");

    #[test]
    fn it_prints_what_reads_back() {
        let text = "data = \"/srv/zonelens\"\npolicy = \"policy.toml\"\n[http]\nlisten = \"[::1]:80\"\n\
            [log]\nformat = \"json\"\nlevel = \"debug\"\n[[source]]\nname = \"c2-list\"\nstate = \"whole\"\n\
            category = \"BOTNET_CNC\"\nconfidence = 80\ncounts = \"cumulative\"\n";
        let config = Config::parse(text).unwrap();
        assert_eq!(Config::parse(&config.to_toml()).unwrap(), config);
        assert_eq!(config.source("c2-list").unwrap().category, Some(Category::BOTNET_CNC));
        assert_eq!(Config::parse(&Config::default().to_toml()).unwrap(), Config::default());
    }

    /// The example: without `# ` before options (prose begins with `# ` and a space more, or is no TOML).
    fn options(example: &str) -> String {
        let option =
            |line: &&str| line.starts_with("#[") || (line.starts_with('#') && !line.starts_with("# "));
        example.lines().filter(option).map(|line| format!("{}\n", &line[1..])).collect()
    }

    #[test]
    fn the_example_names_every_option_with_its_default() {
        assert_eq!(Config::parse(EXAMPLE).unwrap(), Config::default(), "all of it is a comment");
        let mut read = Config::parse(&options(EXAMPLE)).unwrap();
        let sources = std::mem::take(&mut read.sources);
        assert_eq!(read.policy.take(), Some(PathBuf::from("policy.toml")));
        assert!(read.http.tls.take().is_some_and(|tls| tls.client_ca.is_some()));
        assert_eq!(read, Config::default());
        assert_eq!(sources.len(), 2, "a feed, and registrations");
        let keys = |value: &toml::Table| value.keys().cloned().collect::<Vec<_>>();
        let example = toml::from_str::<toml::Table>(&options(EXAMPLE)).unwrap();
        for (name, section) in toml::from_str::<toml::Table>(&Config::default().to_toml()).unwrap() {
            let shown = example.get(&name).unwrap_or_else(|| panic!("the example lacks {name}"));
            if let (Some(section), Some(shown)) = (section.as_table(), shown.as_table()) {
                // TLS has no default; its keys are checked where it is read.
                let shown: Vec<String> = keys(shown).into_iter().filter(|key| key != "tls").collect();
                assert_eq!(keys(section), shown, "[{name}]");
            }
        }
        // Every field stands in the example: one that is left out would be none there.
        let mut shown = toml::Table::new();
        for source in &sources {
            shown.extend(toml::from_str::<toml::Table>(&toml::to_string(source).unwrap()).unwrap());
        }
        let fields = [
            "name",
            "location",
            "interval",
            "disabled",
            "format",
            "mapping",
            "state",
            "counts",
            "category",
            "confidence",
            "weight",
            "tlp",
            "keep_days",
            "licence",
            "proxy",
            "ca_file",
            "allow_private",
            "timeout_s",
            "size_mb",
            "credentials",
            "rdap",
        ];
        for field in fields {
            assert!(shown.contains_key(field), "the example's source lacks {field}");
        }
        assert_eq!(shown.len(), fields.len());
    }

    #[test]
    fn everybody_says_who_they_are_where_others_can_ask() {
        let http = |listen: &str, auth| Http { listen: listen.parse().unwrap(), auth, ..Http::default() };
        for (listen, auth, has_users, is_on) in [
            ("127.0.0.1:1", Auth::Auto, false, Some(false)),
            ("[::1]:1", Auth::Auto, false, Some(false)),
            ("127.0.0.1:1", Auth::Auto, true, Some(true)),
            ("127.0.0.1:1", Auth::Off, true, Some(false)),
            ("127.0.0.1:1", Auth::On, false, Some(true)),
            ("0.0.0.0:1", Auth::Auto, false, Some(true)),
            ("192.0.2.1:1", Auth::Auto, false, Some(true)),
            ("0.0.0.0:1", Auth::Off, false, None),
        ] {
            assert_eq!(http(listen, auth).is_auth_on(has_users).ok(), is_on, "{listen} {auth:?} {has_users}");
        }
    }

    #[test]
    fn mistakes_are_named() {
        for (text, named) in [
            ("dta = \"x\"", "dta"),
            ("[http]\nlisten = \"8080\"", "listen"),
            ("[import]\nbuffer_mb = 0", "import.buffer_mb is 0"),
            ("[store]\nalike_runs_max = 0", "store.alike_runs_max is 0"),
            ("[retention]\nfold_names = 1000001", "fold_names is 1000001"),
            ("[[source]]\nname = \"a b\"", "a b"),
            ("[[source]]\nname = \"a\"\nconfidence = 101", "confidence is 101"),
            ("[[source]]\nname = \"a\"\nformat = \"nope\"", "unknown format \"nope\""),
            ("[[source]]\nname = \"a\"\ncategory = \"BAD\"", "BAD"),
            ("[[source]]\nname = \"a\"\n[[source]]\nname = \"a\"", "stands twice"),
            ("[log]\nlevel = \"a=b=c\"", "log.level"),
            ("[watch]\nbrands = [\"www.example.com\"]", "www.example.com is no name"),
            ("[watch]\nbrands = [\"192.0.2.1\"]", "192.0.2.1"),
            ("[http]\nauth = \"no\"", "auth"),
            ("[http]\ntrusted_proxies = [\"10.0.0.1/8\"]", "10.0.0.1/8"),
            ("[http]\ncors_origins = [\"https://soc.example/\"]", "https://soc.example/"),
            ("[http]\ncors_origins = [\"*\"]", "is no origin"),
            ("[http.tls]\ncertificate = \"a\"", "key"),
            ("[http.tls]\ncertificate = \"a\"\nkey = \"b\"\nrequire_client_certificate = true", "client_ca"),
            ("[session]\nidle_minutes = 0", "session.idle_minutes is 0"),
        ] {
            let problem = Config::parse(text).unwrap_err();
            assert!(problem.contains(named), "{text}: {problem}");
        }
    }
}
