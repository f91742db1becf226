//! `sslbl`: the SSL blacklist of abuse.ch.
//!
//! <https://sslbl.abuse.ch/blacklist/>: `sslipblacklist.csv` (`Firstseen,DstIP,DstPort`), addresses and ports whose
//! certificate is one of those of botnets; and `sslblacklist.csv` (`Listingdate,SHA1,Listingreason`), these
//! certificates. CC0. Both are whole.
//!
//! A fingerprint of a certificate is nothing that can be asked about here, and is no hash of a file: such a row is
//! rejected as `certificate`.

use std::io;

use super::entry::{Fault, listing};
use super::feodo_tracker::server;
use super::records::{Record, Records};
use super::{Emit, Format, Input, Proof, Sample, State};
use crate::fact::{Fact, Listing};
use crate::value::Category;

pub(super) const FORMAT: Format = Format {
    name: "sslbl",
    title: "SSL blacklist of abuse.ch: addresses and ports of botnet control (CSV)",
    state: State::Whole,
    proof: Proof::Documentation,
    recognise: |sample: &Sample<'_>| RECORDS.recognise(sample),
    open: || Box::new(read),
};

const RECORDS: Records = Records {
    known_by: &[&["firstseen", "dstip", "dstport"], &["listingdate", "sha1", "listingreason"]],
    columns: &[&["firstseen", "dstip", "dstport"]],
    is_list: |_| false,
    facts,
};

fn read(input: &mut Input<'_>, out: &mut Emit<'_>) -> io::Result<()> {
    RECORDS.read(input, out)
}

fn facts(record: &Record<'_>) -> Result<Vec<Fact>, Fault> {
    if record.get(&["sha1"]).is_some() {
        let detail = "the fingerprint of a certificate is nothing that can be asked about: \
            import sslipblacklist.csv, the servers that show it";
        return Err(("certificate", detail.to_owned()));
    }
    let what = server(record)?;
    let first = record.time(&["firstseen"])?;
    let category = Some(Category::BOTNET_CNC);
    Ok(vec![Fact::Listing(Listing { category, first, ..listing(what) })])
}
