//! The program itself in a folder of its own: runs of commands, a running service, raw HTTP.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

/// The moment that the program takes for now.
pub const NOW: &str = "2024-06-01T12:00:00Z";

/// The longest that a test waits for anything.
const PATIENCE: Duration = Duration::from_secs(60);

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A working directory with a data folder, removed at the end.
pub struct Program {
    pub folder: PathBuf,
}

/// What a run ended with.
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub talk: String,
}

impl Program {
    pub fn new() -> Program {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("zonelens-program-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        Program { folder }
    }

    /// The path of a new file with this content.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        self.prepared(Command::new(env!("CARGO_BIN_EXE_zonelens")), arguments)
    }

    /// A command of the shell that runs the program with these arguments: `$0` is the program.
    pub fn shell(&self, script: &str, arguments: &[&str]) -> Command {
        let mut shell = Command::new("sh");
        shell.args(["-c", script, env!("CARGO_BIN_EXE_zonelens")]);
        self.prepared(shell, arguments)
    }

    fn prepared(&self, mut command: Command, arguments: &[&str]) -> Command {
        command
            .args(arguments)
            .current_dir(&self.folder)
            .env("ZONELENS_NOW", NOW)
            .env_remove("ZONELENS_CONFIG")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        ran(&mut self.command(arguments))
    }

    /// Runs what must succeed.
    pub fn ok(&self, arguments: &[&str]) -> Ran {
        let ran = self.run(arguments);
        assert_eq!(ran.code, 0, "{arguments:?}: {}{}", ran.out, ran.talk);
        ran
    }

    pub fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.ok(arguments).out).unwrap()
    }

    /// The numbers of live batches.
    pub fn live(&self) -> Vec<u64> {
        let batches = self.json(&["batches", "--json"]);
        let live = batches.as_array().unwrap().iter().filter(|batch| batch["live"] == true);
        live.map(|batch| batch["seq"].as_u64().unwrap()).collect()
    }

    /// Adds a user with a password, which this is.
    pub fn user(&self, name: &str, role: &str, set: &[&str]) -> String {
        let password = format!("the password of {name}");
        let file = self.file("password", format!("{password}\n"));
        let add = ["user", "add", name, "--role", role, "--password-file", text(&file)];
        self.ok(&[&add, set].concat());
        password
    }

    /// Makes a token of a user.
    pub fn token(&self, user: &str, set: &[&str]) -> String {
        let made = self.ok(&[&["token", "create", user, "a test"], set].concat());
        made.out.trim().to_owned()
    }

    pub fn serve(&self, arguments: &[&str]) -> Serving {
        self.serve_on("127.0.0.1:0", arguments)
    }

    pub fn serve_on(&self, listen: &str, arguments: &[&str]) -> Serving {
        self.serving(self.command(&["serve", "--listen", listen]).args(arguments))
    }

    /// Runs a command that serves.
    pub fn serving(&self, command: &mut Command) -> Serving {
        let mut child = command.spawn().unwrap();
        let mut talk = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        let address = loop {
            line.clear();
            assert!(talk.read_line(&mut line).unwrap() > 0, "the service ended before it listened");
            if let Some((_, rest)) =
                line.split_once("listening on http").map(|(_, rest)| rest.split_once("//").unwrap())
            {
                break rest.split_whitespace().next().unwrap().to_owned();
            }
        };
        let log = std::thread::spawn(move || {
            let mut log = String::new();
            talk.read_to_string(&mut log).unwrap();
            log
        });
        Serving { child, address, log: Some(log) }
    }
}

pub fn ran(command: &mut Command) -> Ran {
    let output = command.output().unwrap();
    Ran {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        talk: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.folder).unwrap();
    }
}

/// A running service, ended with its value.
pub struct Serving {
    child: Child,
    pub address: String,
    log: Option<std::thread::JoinHandle<String>>,
}

/// An answer over HTTP.
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

impl Serving {
    /// A service that was started otherwise; its log is nobody's.
    pub fn of(child: Child, address: String) -> Serving {
        Serving { child, address, log: None }
    }

    pub fn get(&self, path: &str) -> Answer {
        self.request("GET", path)
    }

    pub fn request(&self, method: &str, path: &str) -> Answer {
        self.send(method, path, &[], "")
    }

    /// A request with a token.
    pub fn ask(&self, method: &str, path: &str, token: &str, body: &str) -> Answer {
        let bearer = format!("Bearer {token}");
        self.send(method, path, &[("Authorization", &bearer), ("Content-Type", "application/json")], body)
    }

    /// A request with headers and a body.
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut request = format!("{method} {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n");
        for (name, value) in headers {
            request += &format!("{name}: {value}\r\n");
        }
        if !body.is_empty() {
            request += &format!("Content-Length: {}\r\n", body.len());
        }
        request += &format!("\r\n{body}");
        stream.write_all(request.as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let header = |line: &str| {
            let (name, value) = line.split_once(':').unwrap();
            (name.to_ascii_lowercase(), value.trim().to_owned())
        };
        let headers: Vec<(String, String)> = lines.map(header).collect();
        let is_chunked = headers.contains(&("transfer-encoding".to_owned(), "chunked".to_owned()));
        Answer { status, headers, body: if is_chunked { joined(body) } else { body.to_owned() } }
    }

    /// Stops it as a service manager does, and returns what it logged.
    pub fn stop(mut self) -> (Option<i32>, String) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let code = self.child.wait().unwrap().code();
        (code, self.log.take().unwrap().join().unwrap())
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The content of a body that was sent in chunks (RFC 9112, 7.1).
fn joined(mut body: &str) -> String {
    let mut content = String::new();
    loop {
        let (size, rest) = body.split_once("\r\n").unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        if size == 0 {
            return content;
        }
        content += &rest[..size];
        body = &rest[size + 2..];
    }
}

/// Waits until something holds, and says how long that took.
pub fn until(mut holds: impl FnMut() -> bool) -> Duration {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "waited in vain");
        std::thread::yield_now();
    }
    start.elapsed()
}

/// The content compressed as one gzip member.
pub fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// The path as an argument.
pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
