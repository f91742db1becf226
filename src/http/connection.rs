//! Connections: not too many at a time, none silent for too long, none that dawdles over its requests.
//!
//! hyper's own builder is used since axum's server does not say how long the head of a request may take.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use prometheus_client::metrics::gauge::Gauge;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep};

use super::tls::Certificate;
use crate::config::Http;

/// How long accepting waits after the system had no more file descriptors, or the like.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Who is at the other end.
#[derive(Clone, Copy)]
pub(super) struct Peer {
    pub(super) address: SocketAddr,
}

/// What connections are served with.
pub(super) struct Connections {
    pub(super) router: Router,
    pub(super) settings: Http,
    pub(super) certificate: Option<Arc<Certificate>>,
    /// How many there are.
    pub(super) open: Gauge,
}

impl Connections {
    /// Serves until `stopped`, then lets what is at work finish for `grace`.
    pub(super) async fn serve(
        self,
        listener: TcpListener,
        stopped: impl Future<Output = ()>,
        grace: Duration,
    ) {
        let permits = self.settings.connections_max.min(Semaphore::MAX_PERMITS);
        let permits = Arc::new(Semaphore::new(permits));
        let graceful = GracefulShutdown::new();
        let mut stopped = std::pin::pin!(stopped);
        let connections = Arc::new(self);
        loop {
            let accepted = async {
                let permit = permits.clone().acquire_owned().await.expect("the semaphore is never closed");
                (listener.accept().await, permit)
            };
            tokio::select! {
                (accepted, permit) = accepted => match accepted {
                    Ok((stream, address)) => {
                        let connection = connections.clone().one(stream, address, permit, graceful.watcher());
                        tokio::spawn(connection);
                    }
                    // That one client went away before it was accepted concerns nobody.
                    Err(error) if is_client_s(&error) => {}
                    Err(error) => {
                        tracing::error!(%error, "connections cannot be accepted");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
                () = &mut stopped => break,
            }
        }
        drop(listener);
        // Who is still at work after that has had the time that was promised.
        let _ = tokio::time::timeout(grace, graceful.shutdown()).await;
    }

    /// Serves one connection to its end.
    async fn one(
        self: Arc<Self>,
        stream: TcpStream,
        address: SocketAddr,
        permit: OwnedSemaphorePermit,
        watcher: Watcher,
    ) {
        // Answers are written as a whole: waiting for more to send only delays them.
        let _ = stream.set_nodelay(true);
        let idle = Duration::from_secs(self.settings.idle_timeout_s);
        let head = Duration::from_secs(self.settings.header_timeout_s);
        let sleep = Box::pin(tokio::time::sleep(idle));
        let stream = Connection { stream, sleep, idle, _permit: permit };
        self.open.inc();
        match &self.certificate {
            None => self.speak(stream, address, watcher).await,
            Some(certificate) => {
                match tokio::time::timeout(head, certificate.acceptor().accept(stream)).await {
                    Ok(Ok(stream)) => self.speak(stream, address, watcher).await,
                    Ok(Err(error)) => {
                        tracing::debug!(%error, %address, "a client does not speak TLS rightly")
                    }
                    Err(_) => tracing::debug!(%address, "a client took too long to begin TLS"),
                }
            }
        }
        self.open.dec();
    }

    /// Speaks HTTP over a connection.
    async fn speak(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        address: SocketAddr,
        watcher: Watcher,
    ) {
        let router = self.router.clone();
        let service = service_fn(move |mut request: hyper::Request<Incoming>| {
            request.extensions_mut().insert(Peer { address });
            TowerToHyperService::new(router.clone()).call(request)
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(Duration::from_secs(self.settings.header_timeout_s))
            .serve_connection(TokioIo::new(stream), service);
        if let Err(error) = watcher.watch(connection).await {
            tracing::debug!(%error, %address, "a connection ended early");
        }
    }
}

fn is_client_s(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// A connection that ends when it is silent for too long.
pub(super) struct Connection {
    stream: TcpStream,
    sleep: Pin<Box<Sleep>>,
    idle: Duration,
    _permit: OwnedSemaphorePermit,
}

impl Connection {
    /// Passes on what is ready and begins to wait anew; ends what waited too long.
    fn awake<T>(&mut self, polled: Poll<io::Result<T>>, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            let idle = self.idle;
            self.sleep.as_mut().reset(Instant::now() + idle);
            return polled;
        }
        match self.sleep.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.awake(polled, context)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.awake(polled, context)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.awake(polled, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
