//! The real feeds that ship with the program: what each file is, whose, and as of when. NOTICE has the licences.

use std::io;
use std::path::{Path, PathBuf};

use crate::import::{ImportError, Options, Origin, Summary, import};
use crate::store::Store;
use crate::value::Timestamp;

/// A batch that ships: a file, or the files of a folder.
pub struct Shipped {
    /// The source's name.
    pub source: &'static str,
    /// The format's name.
    pub format: &'static str,
    /// The day of the data; of those who do not say, the day on which it was taken in.
    pub date: &'static str,
    /// Whose it is and under which licence.
    pub credit: &'static str,
    /// The files: name and content, compressed where the name says so.
    pub files: &'static [(&'static str, &'static [u8])],
}

macro_rules! files {
    ($($path:literal),+ $(,)?) => {
        &[$(($path, include_bytes!(concat!("../../demo/", $path)))),+]
    };
}

/// All that ships. Sources whose format is a whole state come again as found unchanged lately: see
/// [`super::build`].
pub const SHIPPED: &[Shipped] = &[
    Shipped {
        source: "dbip-routeviews-asn",
        format: "ip-ranges",
        date: "2026-08-19",
        credit: "IP to ASN by DB-IP (https://db-ip.com) and RouteViews (https://routeviews.org), CC BY 4.0",
        files: files!("ip-ranges/asn-ipv4.csv.zst", "ip-ranges/asn-ipv6.csv.zst"),
    },
    Shipped {
        source: "dbip-routeviews-country",
        format: "ip-ranges",
        date: "2026-08-19",
        credit: "IP to country by DB-IP (https://db-ip.com) and RouteViews (https://routeviews.org), CC BY 4.0",
        files: files!(
            "ip-ranges/geo-whois-asn-country-ipv4.csv.zst",
            "ip-ranges/geo-whois-asn-country-ipv6.csv.zst"
        ),
    },
    Shipped {
        source: "misp-warninglists",
        format: "misp-warninglist",
        date: "2026-08-19",
        credit: "MISP warning lists, CC0 1.0",
        files: files!("misp-warninglists/misp-warninglists.ndjson.zst"),
    },
    Shipped {
        source: "urlhaus-filter-online",
        format: "urlhaus-filter",
        date: "2025-10-25T00:10:18Z",
        credit: "urlhaus-filter (malware-filter), data of URLhaus by abuse.ch, CC0 1.0",
        files: files!("urlhaus-filter/urlhaus-filter-online.txt.zst"),
    },
    Shipped {
        source: "misp-events",
        format: "misp-event",
        date: "2019-03-01",
        credit: "MISP events of CIRCL in PyMISP, BSD-2-Clause",
        files: files!("misp-events/misp-events.ndjson.zst"),
    },
    Shipped {
        source: "public-reports",
        format: "reports",
        date: "2026-08-19",
        credit: "references of the MISP galaxies, CC0 1.0 or BSD-2-Clause",
        files: files!("reports/apt_reports.csv.zst"),
    },
    Shipped {
        source: "zeek-wrccdc",
        format: "zeek",
        date: "2018-03-26",
        credit: "Zeek logs of WRCCDC 2018 by Brim Data, CC BY-SA 4.0",
        files: files!("zeek-wrccdc/dns.log.zst", "zeek-wrccdc/x509.log.zst"),
    },
    Shipped {
        source: "zeek-zat",
        format: "zeek",
        date: "2017-04-02",
        credit: "sample logs of zat by SuperCowPowers, MIT",
        files: files!(
            "zeek-zat/conn.log",
            "zeek-zat/dns.log",
            "zeek-zat/files.log",
            "zeek-zat/http.log",
            "zeek-zat/ssl.log",
            "zeek-zat/x509.log",
        ),
    },
    Shipped {
        source: "url-shorteners",
        format: "native",
        date: "2026-08-19",
        credit: "url-shorteners by Peter Dave Hello, CC BY-SA 4.0",
        files: files!("shorteners/url-shorteners.ndjson.zst"),
    },
    Shipped {
        source: "mailchecker",
        format: "native",
        date: "2026-08-19",
        credit: "mailchecker by FG Ribreau, MIT",
        files: files!("disposable-mail/mailchecker.ndjson.zst"),
    },
    Shipped {
        source: "third-party-web",
        format: "native",
        date: "2026-08-19",
        credit: "third-party-web by Patrick Hulce, MIT",
        files: files!("third-party-web/third-party-web.ndjson"),
    },
    Shipped {
        source: "rdap",
        format: "rdap",
        date: "2023-01-01",
        credit: "an RDAP answer of AFNIC, contacts taken out",
        files: files!("rdap/afnic.fr.json"),
    },
    Shipped {
        source: "whois",
        format: "whois",
        date: "2021-02-23",
        credit: "WHOIS answers of registries, contacts taken out",
        files: files!(
            "whois/ae.txt",
            "whois/app.txt",
            "whois/be.txt",
            "whois/cat.txt",
            "whois/cn.txt",
            "whois/com.txt",
        ),
    },
];

/// Memory for the rows of a batch.
const BUFFER_BYTES: usize = 32 << 20;

/// Writes the files of a batch below a folder and imports them from there, as anybody would.
///
/// # Errors
///
/// What the import says; what the file system says of the folder.
pub fn import_shipped(
    store: &Store,
    shipped: &Shipped,
    folder: &Path,
    now: Timestamp,
) -> Result<Summary, ImportError> {
    let path = unpack(shipped, folder)
        .map_err(|error| ImportError::Write(format!("cannot write to {}: {error}", folder.display())))?;
    // A clock that stands before the data's day learns it now.
    let date = Timestamp::parse(shipped.date).map_err(ImportError::Usage)?.min(now);
    let options = Options {
        source: Some(shipped.source.to_owned()),
        format: Some(shipped.format.to_owned()),
        observed: Some(date),
        learnt: Some(date),
        buffer_bytes: BUFFER_BYTES,
        ..Options::new(now)
    };
    import(store, &options, Origin::Path(path), &mut |_| {})
}

/// The path of the only file, or of the folder of all.
fn unpack(shipped: &Shipped, folder: &Path) -> io::Result<PathBuf> {
    let folder = folder.join(shipped.source);
    std::fs::create_dir_all(&folder)?;
    let mut last = folder.clone();
    for (name, content) in shipped.files {
        last = folder.join(Path::new(name).file_name().unwrap_or_default());
        std::fs::write(&last, content)?;
    }
    Ok(if shipped.files.len() == 1 { last } else { folder })
}
