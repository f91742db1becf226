//! HTTPS with certificates of a throw-away authority: the chain, a new certificate, clients' certificates.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, crypto::ring};

use crate::access::LOOKUP;
use crate::program::{Program, Serving, until};

/// An authority that signs what it is asked to.
pub struct Authority {
    pub pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate and its key, PEM.
pub struct Signed {
    pub certificate: String,
    pub key: String,
}

impl Authority {
    pub fn new() -> Authority {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Authority { pem, issuer: Issuer::new(params, key) }
    }

    pub fn sign(&self, name: &str) -> Signed {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap().pem();
        Signed { certificate, key: key.serialize_pem() }
    }
}

fn put(program: &Program, signed: &Signed) {
    program.file("certificate.pem", &signed.certificate);
    program.file("key.pem", &signed.key);
}

const CONFIG: &str = "[http.tls]\ncertificate = \"certificate.pem\"\nkey = \"key.pem\"\n";

fn serve(program: &Program, more: &str) -> Serving {
    program.file("config.toml", format!("{CONFIG}{more}"));
    program.serve(&["--config", "config.toml"])
}

/// What a client that trusts an authority is answered, with a certificate of its own or without.
fn get(
    service: &Serving,
    authority: &Authority,
    own: Option<&Signed>,
    name: &str,
    request: &str,
) -> Result<String, std::io::Error> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.pem.as_bytes()).unwrap()).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let config = match own {
        None => builder.with_no_client_auth(),
        Some(own) => {
            let chain = vec![CertificateDer::from_pem_slice(own.certificate.as_bytes()).unwrap()];
            builder
                .with_client_auth_cert(chain, PrivateKeyDer::from_pem_slice(own.key.as_bytes()).unwrap())
                .unwrap()
        }
    };
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let stream = TcpStream::connect(&service.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut stream = StreamOwned::new(connection, stream);
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

fn request(more: &str) -> String {
    format!("GET {LOOKUP} HTTP/1.1\r\nHost: zonelens.example\r\nConnection: close\r\n{more}\r\n")
}

#[test]
fn https_is_spoken_with_a_certificate_that_can_be_renewed() {
    let program = Program::new();
    let (authority, next) = (Authority::new(), Authority::new());
    put(&program, &authority.sign("zonelens.example"));
    let service = serve(&program, "");
    let asked = |authority: &Authority, name: &str| get(&service, authority, None, name, &request(""));
    let answer = asked(&authority, "zonelens.example").unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"DayRequests\":1"), "{answer}");
    assert!(asked(&authority, "other.example").is_err(), "a certificate is for its name");
    assert!(asked(&next, "zonelens.example").is_err());
    // Who speaks no TLS gets nothing, and holds up nobody.
    let mut plain = TcpStream::connect(&service.address).unwrap();
    plain.write_all(request("").as_bytes()).unwrap();
    let mut bytes = Vec::new();
    let _ = plain.read_to_end(&mut bytes);
    assert!(!bytes.starts_with(b"HTTP"));
    // Half of a renewal is no certificate: the old one stays. Then the new one is used.
    let renewed = next.sign("zonelens.example");
    program.file("certificate.pem", &renewed.certificate);
    std::thread::sleep(Duration::from_millis(1500));
    assert!(asked(&authority, "zonelens.example").is_ok());
    program.file("key.pem", &renewed.key);
    until(|| asked(&next, "zonelens.example").is_ok());
    assert!(asked(&authority, "zonelens.example").is_err());
}

#[test]
fn cookies_under_https_are_for_it_alone() {
    let program = Program::new();
    let authority = Authority::new();
    put(&program, &authority.sign("zonelens.example"));
    let password = program.user("ann", "analyst", &[]).replace(' ', "+");
    let service = serve(&program, "");
    let form = format!("user=ann&password={password}");
    let length = form.len();
    let request = format!(
        "POST /login HTTP/1.1\r\nHost: zonelens.example\r\nOrigin: https://zonelens.example\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{form}"
    );
    let answer = get(&service, &authority, None, "zonelens.example", &request).unwrap();
    let cookie = answer.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
    assert!(cookie.starts_with("__Host-zonelens=") && cookie.contains("; Secure"), "{cookie}");
    let header = format!("Cookie: {}\r\n", cookie.split(';').next().unwrap());
    let answer = get(&service, &authority, None, "zonelens.example", &self::request(&header)).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[test]
fn clients_show_certificates_where_they_have_to() {
    let program = Program::new();
    let (authority, of_clients) = (Authority::new(), Authority::new());
    put(&program, &authority.sign("zonelens.example"));
    program.file("clients.pem", &of_clients.pem);
    program.user("ann", "analyst", &[]);
    let token = program.token("ann", &[]);
    let (own, foreign) = (of_clients.sign("soar.example"), authority.sign("soar.example"));
    let status = |service: &Serving, own: Option<&Signed>, more: &str| {
        let answer = get(service, &authority, own, "zonelens.example", &request(more)).ok()?;
        answer.split(' ').nth(1).map(str::to_owned)
    };
    let bearer = format!("Authorization: Bearer {token}\r\n");
    let service = serve(&program, "client_ca = \"clients.pem\"\nrequire_client_certificate = true\n");
    assert_eq!(status(&service, Some(&own), &bearer).as_deref(), Some("200"));
    assert_eq!(status(&service, Some(&own), "").as_deref(), Some("401"), "besides, not instead");
    assert_eq!(status(&service, None, &bearer), None);
    assert_eq!(status(&service, Some(&foreign), &bearer), None);
    drop(service);
    let service = serve(&program, "client_ca = \"clients.pem\"\n");
    assert_eq!(status(&service, None, &bearer).as_deref(), Some("200"));
    assert_eq!(status(&service, Some(&foreign), &bearer), None);
}

#[test]
fn files_that_are_no_certificate_are_named() {
    let program = Program::new();
    let authority = Authority::new();
    put(&program, &authority.sign("zonelens.example"));
    program.file("config.toml", CONFIG);
    let refused = |said: &str| {
        let ran = program.run(&["--config", "config.toml", "serve", "--listen", "127.0.0.1:0"]);
        assert_eq!(ran.code, 1);
        assert!(ran.talk.contains(said), "{said}: {}", ran.talk);
    };
    program.file("key.pem", authority.sign("other.example").key);
    refused("certificate.pem");
    program.file("key.pem", "nothing");
    refused("key.pem");
    program.file("certificate.pem", "");
    refused("it holds no certificate");
    std::fs::remove_file(program.folder.join("certificate.pem")).unwrap();
    refused("certificate.pem");
}
