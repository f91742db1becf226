//! An open loop: requests are due at fixed moments, and each is timed from the moment it was due, so that a service that
//! stalls is not asked less (coordinated omission).
//!
//! `load ADDRESS PATHS RATE SECONDS [CONNECTIONS]`: `PATHS` is a file with a path a line, gone through again and again; one
//! line of text at the end: requests, errors, answered a second, p50, p99, p99.9 and the longest in milliseconds.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Mutex, mpsc};

#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, paths, rate, seconds, rest @ ..] = &arguments[..] else {
        eprintln!("load ADDRESS PATHS RATE SECONDS [CONNECTIONS]");
        std::process::exit(2);
    };
    let paths: Arc<Vec<String>> =
        Arc::new(std::fs::read_to_string(paths).expect("PATHS").lines().map(str::to_owned).collect());
    let rate: f64 = rate.parse().expect("RATE");
    let seconds: f64 = seconds.parse().expect("SECONDS");
    let connections: usize = rest.first().map_or(64, |text| text.parse().expect("CONNECTIONS"));

    // What is due waits here for a connection that is free.
    let (due, waiting) = mpsc::unbounded_channel::<(usize, Instant)>();
    let waiting = Arc::new(Mutex::new(waiting));
    let errors = Arc::new(AtomicUsize::new(0));
    let mut workers = Vec::new();
    for _ in 0..connections {
        let (address, paths) = (address.clone(), paths.clone());
        let (waiting, errors) = (waiting.clone(), errors.clone());
        workers.push(tokio::spawn(async move {
            let mut latencies = Vec::new();
            let mut connection = None;
            loop {
                let next = waiting.lock().await.recv().await;
                let Some((number, due)) = next else { return latencies };
                match ask(&mut connection, &address, &paths[number % paths.len()]).await {
                    Ok(()) => latencies.push(due.elapsed()),
                    Err(_) => {
                        connection = None;
                        errors.fetch_add(1, Ordering::Relaxed);
                    }
                }
            }
        }));
    }
    let start = Instant::now();
    // A thread of its own: the runtime's clock goes by milliseconds, in which several requests are due at once.
    let clock = std::thread::spawn(move || {
        let count = (rate * seconds) as usize;
        let mut sent = 0;
        while sent < count {
            std::thread::sleep(Duration::from_micros(50));
            let until = ((start.elapsed().as_secs_f64() * rate) as usize).min(count);
            for number in sent..until {
                let moment = start + Duration::from_secs_f64(number as f64 / rate);
                due.send((number, moment)).expect("the workers wait");
            }
            sent = until;
        }
    });
    let mut latencies = Vec::new();
    for worker in workers {
        latencies.extend(worker.await.expect("a worker ends"));
    }
    clock.join().expect("the clock ends");
    let took = start.elapsed().as_secs_f64();
    latencies.sort();
    let at = |share: f64| {
        let index = ((latencies.len() as f64 * share) as usize).min(latencies.len().saturating_sub(1));
        latencies.get(index).map_or(f64::NAN, |latency| latency.as_secs_f64() * 1000.0)
    };
    println!(
        "{} requests, {} errors, {:.0}/s, ms: p50 {:.2}, p99 {:.2}, p99.9 {:.2}, longest {:.2}",
        latencies.len(),
        errors.load(Ordering::Relaxed),
        latencies.len() as f64 / took,
        at(0.5),
        at(0.99),
        at(0.999),
        at(1.0)
    );
}

/// One request on a connection that is kept; the answer is read to its end.
async fn ask(connection: &mut Option<TcpStream>, address: &str, path: &str) -> std::io::Result<()> {
    let stream = match connection {
        Some(stream) => stream,
        None => {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            connection.insert(stream)
        }
    };
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n").as_bytes()).await?;
    let mut answer = Vec::with_capacity(32 << 10);
    let mut whole = None;
    loop {
        if stream.read_buf(&mut answer).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if whole.is_none() {
            let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
            let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse::<usize>().ok());
            whole = Some(end + 4 + length.ok_or(std::io::ErrorKind::InvalidData)?);
        }
        if whole.is_some_and(|whole| answer.len() >= whole) {
            return Ok(());
        }
    }
}
