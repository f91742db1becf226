//! HTTPS: a certificate that is read again when its file changes, and clients' certificates.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::SystemTime;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::server::danger::ClientCertVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig, crypto::ring};

use crate::config::Tls;

/// What the files were when they were read: when they were changed, and how long they were.
type Stamp = Vec<Option<(SystemTime, u64)>>;

/// The certificate in use.
pub(super) struct Certificate {
    settings: Tls,
    current: RwLock<Arc<ServerConfig>>,
    stamp: Mutex<Stamp>,
}

impl Certificate {
    /// Reads the files.
    ///
    /// # Errors
    ///
    /// Which file is wrong, and how.
    pub(super) fn open(settings: &Tls) -> io::Result<Certificate> {
        let stamp = stamp(settings);
        let current = RwLock::new(Arc::new(server_config(settings)?));
        Ok(Certificate { settings: settings.clone(), current, stamp: Mutex::new(stamp) })
    }

    /// What speaks TLS with the next client.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.current.read().unwrap_or_else(PoisonError::into_inner).clone())
    }

    /// Reads the files again where they changed. What cannot be used leaves the old certificate in use.
    pub(super) fn reload(&self) {
        let new = stamp(&self.settings);
        let mut old = self.stamp.lock().unwrap_or_else(PoisonError::into_inner);
        if *old == new {
            return;
        }
        *old = new;
        match server_config(&self.settings) {
            Ok(config) => {
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(config);
                tracing::info!("the certificate was read again");
            }
            // The two files may be written one after the other: the next change is tried too.
            Err(error) => tracing::error!(%error, "the new certificate cannot be used, the old one stays"),
        }
    }
}

fn stamp(settings: &Tls) -> Stamp {
    let stamp = |path: &Path| {
        let metadata = std::fs::metadata(path).ok()?;
        Some((metadata.modified().ok()?, metadata.len()))
    };
    [Some(&settings.certificate), Some(&settings.key), settings.client_ca.as_ref()]
        .into_iter()
        .flatten()
        .map(|path| stamp(path))
        .collect()
}

fn named(path: &Path, error: impl std::fmt::Display) -> io::Error {
    io::Error::other(format!("{}: {error}; [http.tls] names PEM files that can be read", path.display()))
}

fn certificates(path: &PathBuf) -> io::Result<Vec<CertificateDer<'static>>> {
    let read = CertificateDer::pem_file_iter(path).map_err(|error| named(path, error))?;
    let certificates: Vec<_> = read.collect::<Result<_, _>>().map_err(|error| named(path, error))?;
    if certificates.is_empty() {
        return Err(named(path, "it holds no certificate"));
    }
    Ok(certificates)
}

fn server_config(settings: &Tls) -> io::Result<ServerConfig> {
    let provider = Arc::new(ring::default_provider());
    let chain = certificates(&settings.certificate)?;
    let key = PrivateKeyDer::from_pem_file(&settings.key).map_err(|error| named(&settings.key, error))?;
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?;
    let builder = match client_verifier(settings, provider)? {
        Some(verifier) => builder.with_client_cert_verifier(verifier),
        None => builder.with_no_client_auth(),
    };
    let mut config =
        builder.with_single_cert(chain, key).map_err(|error| named(&settings.certificate, error))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn client_verifier(
    settings: &Tls,
    provider: Arc<tokio_rustls::rustls::crypto::CryptoProvider>,
) -> io::Result<Option<Arc<dyn ClientCertVerifier>>> {
    let Some(path) = &settings.client_ca else { return Ok(None) };
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path)? {
        roots.add(certificate).map_err(|error| named(path, error))?;
    }
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
    let builder = if settings.require_client_certificate { builder } else { builder.allow_unauthenticated() };
    builder.build().map(Some).map_err(|error| named(path, error))
}
