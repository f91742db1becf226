//! A stream that must be read from its end, kept in a temporary file.

use std::fs::{self, File};
use std::io::{self, Read, Seek};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use super::compression::READ_BYTES;

static NEXT: AtomicU32 = AtomicU32::new(0);

/// Reads a stream into a file in the system's folder for such (`TMPDIR`), which has no name and goes when it is closed.
///
/// # Errors
///
/// What the file system says, with the folder; what the stream says.
pub(super) fn spooled(mut stream: Box<dyn Read>) -> io::Result<File> {
    let folder = std::env::temp_dir();
    let unwritable = |error: io::Error| {
        let text = format!(
            "a zip on standard input is kept in {} while it is read, and that failed ({error}): free space there, \
             name another folder by TMPDIR, or import the file itself",
            folder.display()
        );
        io::Error::new(error.kind(), text)
    };
    let mut file = nameless(&folder).map_err(unwritable)?;
    let mut buffer = vec![0; READ_BYTES];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => io::Write::write_all(&mut file, &buffer[..count]).map_err(unwritable)?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    file.rewind()?;
    Ok(file)
}

/// A new file that nobody else can open.
fn nameless(folder: &Path) -> io::Result<File> {
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let path = folder.join(format!("zonelens-{}-{number}.zip", std::process::id()));
    let file = File::options().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
    fs::remove_file(&path)?;
    Ok(file)
}
