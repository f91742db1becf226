//! Limits, with numbers that a test reaches.

use std::io::Write;

use super::*;

const SMALL: Limits = Limits { members: 3, bytes: 100_000, ratio: 100, ratio_from: 10_000 };

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = ::tar::Builder::new(Vec::new());
    for (name, content) in members {
        let mut header = ::tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        builder.append_data(&mut header, name, *content).unwrap();
    }
    builder.into_inner().unwrap()
}

fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ::zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in members {
        writer.start_file(*name, ::zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// The names and contents, in order, or why they cannot be read.
fn read(content: &[u8], limits: Limits) -> Result<Vec<(String, usize)>, String> {
    let mut content = Content::stream("", Box::new(Cursor::new(content.to_vec())));
    content.limits = limits;
    let mut files = Vec::new();
    let read = content.each(|name, reader| {
        let count = io::copy(reader, &mut io::sink())?;
        files.push((name.to_owned(), usize::try_from(count).unwrap()));
        Ok::<(), io::Error>(())
    });
    match read {
        Ok(_) => Ok(files),
        Err(Failure::Input(error) | Failure::Other(error)) => Err(error.to_string()),
    }
}

#[test]
fn every_limit_stops_and_says_which() {
    let zeros = vec![0; 90_000];
    let noise: Vec<u8> = (0..60_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let four: Vec<(&str, &[u8])> = ["a", "b", "c", "d"].map(|name| (name, &b"x"[..])).to_vec();
    let two: [(&str, &[u8]); 2] = [("a", &noise), ("b", &noise)];
    for (what, content, expected) in [
        ("zeros", gzip(&zeros), "more than 100 times its size"),
        (
            "zeros in zeros",
            gzip(&tar(&[("a.gz", &gzip(&zeros))])),
            "in it a cannot be read: it decompresses to more than 100 times",
        ),
        ("zeros in a zip", zip(&[("a", &zeros)]), "standard input, in it a cannot be read: it decompresses"),
        ("members of a tar", tar(&four), "more than 3 members"),
        ("members of a zip", zip(&four), "more than 3 members"),
        ("bytes of a tar", tar(&two), "in it b cannot be read: the archive has more than 100000 bytes"),
        ("bytes of a zip", zip(&two), "in it b cannot be read: the archive has more than 100000 bytes"),
    ] {
        let error = read(&content, SMALL).expect_err(what);
        assert!(error.contains(expected), "{what}: {error}");
        // With the limits of an import all of it is read: nothing else was wrong.
        read(&content, LIMITS).unwrap_or_else(|error| panic!("{what}: {error}"));
    }
}

#[test]
fn what_a_tar_says_of_itself_is_held_only_so_far() {
    let mut header = ::tar::Header::new_gnu();
    header.set_path("././@LongLink").unwrap();
    header.set_entry_type(::tar::EntryType::GNULongName);
    header.set_size(8 << 20);
    header.set_cksum();
    let mut content = header.as_bytes().to_vec();
    content.resize(content.len() + (8 << 20), b'x');
    content.extend(tar(&[("a", b"x")]));
    assert!(read(&content, LIMITS).unwrap_err().contains("says of its members is too long"));
}

#[test]
fn a_window_that_needs_too_much_memory_is_refused() {
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    encoder.set_parameter(zstd::stream::raw::CParameter::WindowLog(28)).unwrap();
    encoder.set_parameter(zstd::stream::raw::CParameter::ContentSizeFlag(false)).unwrap();
    encoder.write_all(b"x").unwrap();
    let content = encoder.finish().unwrap();
    let error = read(&content, LIMITS).unwrap_err();
    assert!(error.contains("smaller window"), "{error}");
}
