//! A web server on loopback that answers as a test says, also wrongly; and a proxy to it.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Path and query.
    pub path: String,
    pub headers: Vec<(String, String)>,
}

impl Asked {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// What is answered, and how.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub how: How,
}

/// How an answer is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    Whole,
    /// Nothing is sent.
    Silent,
    /// The body stops in the middle, and the connection stays open.
    Stalled,
    /// The connection ends before the body does.
    Cut,
    /// The body never ends.
    Endless,
}

impl Reply {
    pub fn ok(body: impl AsRef<[u8]>) -> Reply {
        Reply { status: 200, headers: Vec::new(), body: body.as_ref().to_vec(), how: How::Whole }
    }

    pub fn status(status: u16) -> Reply {
        Reply { status, ..Reply::ok("") }
    }

    pub fn redirect(to: &str) -> Reply {
        Reply::status(302).with("location", to)
    }

    pub fn with(mut self, name: &str, value: &str) -> Reply {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn how(self, how: How) -> Reply {
        Reply { how, ..self }
    }
}

/// A listener that gives each connection to a function in a thread of its own, until it is dropped.
struct Listening {
    address: String,
    is_over: Arc<AtomicBool>,
}

impl Listening {
    fn start(serve: impl Fn(TcpStream, &AtomicBool) + Send + Sync + 'static) -> Listening {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (is_over, serve) = (Arc::new(AtomicBool::new(false)), Arc::new(serve));
        let stop = is_over.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                let (serve, stop) = (serve.clone(), stop.clone());
                std::thread::spawn(move || serve(stream.unwrap(), &stop));
            }
        });
        Listening { address, is_over }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        // Wakes the listener; it may be gone already.
        let _ = TcpStream::connect(&self.address);
    }
}

/// A web server.
pub struct Web {
    listening: Listening,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Web {
    pub fn start(answer: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Web {
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let log = asked.clone();
        let listening = Listening::start(move |stream, is_over| {
            let Some(request) = request(&mut BufReader::new(&stream)) else { return };
            log.lock().unwrap().push(request.clone());
            // Who asked may have gone.
            let _ = send(&stream, &answer(&request), is_over);
        });
        Web { listening, asked }
    }

    /// `127.0.0.1:<port>`.
    pub fn host(&self) -> &str {
        &self.listening.address
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.host())
    }

    /// What was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    pub fn paths(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.path).collect()
    }

    /// Forgets what was asked so far.
    pub fn forget(&self) {
        self.asked.lock().unwrap().clear();
    }
}

/// Reads a request; none where the connection ends. Sources only ever ask by GET.
pub fn request(reader: &mut impl BufRead) -> Option<Asked> {
    let mut lines = reader.lines().map_while(Result::ok);
    let first = lines.next()?;
    let mut words = first.split(' ');
    assert!(matches!(words.next(), Some("GET" | "CONNECT")), "{first}");
    let path = words.next()?.to_owned();
    let headers = lines.take_while(|line| !line.is_empty()).filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        Some((name.to_ascii_lowercase(), value.trim().to_owned()))
    });
    Some(Asked { path, headers: headers.collect() })
}

/// Sends an answer.
pub fn send(mut stream: impl Write, reply: &Reply, is_over: &AtomicBool) -> std::io::Result<()> {
    let wait = || {
        while !is_over.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    if reply.how == How::Silent {
        wait();
        return Ok(());
    }
    let mut head = format!("HTTP/1.1 {} Test\r\nconnection: close\r\n", reply.status);
    for (name, value) in &reply.headers {
        head += &format!("{name}: {value}\r\n");
    }
    match reply.how {
        How::Endless => {}
        How::Cut | How::Stalled => head += &format!("content-length: {}\r\n", reply.body.len() + 100),
        _ if reply.status == 304 => {}
        _ => head += &format!("content-length: {}\r\n", reply.body.len()),
    }
    stream.write_all(format!("{head}\r\n").as_bytes())?;
    stream.write_all(&reply.body)?;
    stream.flush()?;
    match reply.how {
        How::Stalled => wait(),
        How::Endless => {
            while !is_over.load(Ordering::Relaxed) {
                stream.write_all(&[b'\n'; 65_536])?;
            }
        }
        _ => {}
    }
    Ok(())
}

/// A proxy that leads every name to one address (CONNECT, RFC 9110 section 9.3.6).
pub struct Proxy {
    listening: Listening,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    pub fn to(target: &str) -> Proxy {
        let (target, asked) = (target.to_owned(), Arc::<Mutex<Vec<String>>>::default());
        let log = asked.clone();
        let listening = Listening::start(move |mut stream, _| {
            // Byte by byte: what follows the request is not the proxy's.
            let mut head = BufReader::with_capacity(1, stream.try_clone().unwrap());
            let Some(request) = request(&mut head) else { return };
            log.lock().unwrap().push(request.path);
            let mut server = TcpStream::connect(&target).unwrap();
            stream.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").unwrap();
            let (mut from, mut to) = (stream.try_clone().unwrap(), server.try_clone().unwrap());
            std::thread::spawn(move || std::io::copy(&mut from, &mut to));
            // Either side may have gone.
            let _ = std::io::copy(&mut server, &mut stream);
            let _ = stream.shutdown(std::net::Shutdown::Both);
        });
        Proxy { listening, asked }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.listening.address)
    }

    /// The hosts that were asked for.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}
