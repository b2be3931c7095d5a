//! `control.sock` in the data directory: whoever runs the daemon talks to it there without a
//! password. The file's mode keeps others out, and the system's word on who connects is checked.

use std::fs;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use actix_web::rt::net::UnixStream;

/// Its name below the data directory.
pub const CONTROL_SOCKET: &str = "control.sock";
/// The system's bound on the path of a socket.
const LONGEST_PATH_BYTES: usize = 107;

/// A connection of the user that runs the daemon, or of root.
#[derive(Clone, Copy, Debug)]
pub(super) struct ByControl;

/// A connection on the control socket of somebody else.
#[derive(Clone, Copy, Debug)]
pub(super) struct ByOther;

/// The open socket; its file is removed when this is dropped.
#[derive(Debug)]
pub struct Control {
    pub(super) listener: UnixListener,
    _file: SocketFile,
}

#[derive(Debug)]
struct SocketFile(PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Gone already or not, nobody listens there any more.
        let _ = fs::remove_file(&self.0);
    }
}

impl Control {
    /// Opens it in `directory`, whose lock the daemon holds: a socket that lies there is of a dead
    /// one. Without it the daemon runs all the same, so a failure is told in the log.
    #[must_use]
    pub fn open(directory: &Path) -> Option<Self> {
        let path = directory.join(CONTROL_SOCKET);
        match open(&path) {
            Ok(control) => Some(control),
            Err(reason) => {
                tracing::warn!(path = %path.display(), reason, "no control socket: `latido user` and `latido key` need --url and a key while the daemon runs");
                None
            }
        }
    }

    pub(super) fn into_parts(self) -> (UnixListener, impl Drop) {
        (self.listener, self._file)
    }
}

fn open(path: &Path) -> Result<Control, String> {
    if path.as_os_str().len() > LONGEST_PATH_BYTES {
        return Err(format!("the path is longer than {LONGEST_PATH_BYTES} bytes"));
    }
    match fs::symlink_metadata(path) {
        Ok(found) if found.file_type().is_socket() => fs::remove_file(path).map_err(|e| e.to_string())?,
        Ok(_) => return Err("something else lies there".to_owned()),
        Err(_) => {}
    }
    let listener = UnixListener::bind(path).map_err(|e| e.to_string())?;
    let file = SocketFile(path.to_owned());
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).map_err(|e| e.to_string())?;
    listener.set_nonblocking(true).map_err(|e| e.to_string())?;
    Ok(Control { listener, _file: file })
}

/// Whether the other side is the daemon's own user, or root.
pub(super) fn is_own_user(connection: &UnixStream) -> bool {
    let own = rustix::process::geteuid().as_raw();
    connection.peer_cred().is_ok_and(|peer| peer.uid() == own || peer.uid() == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_socket_is_for_its_user_alone_and_replaces_that_of_a_dead_daemon() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join(CONTROL_SOCKET);
        let dead = UnixListener::bind(&path).unwrap();
        drop(dead);
        let control = Control::open(home.path()).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        drop(control);
        assert!(!path.exists(), "a stop takes it away");
    }

    #[test]
    fn what_is_no_socket_is_left_alone_and_a_long_path_is_done_without() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join(CONTROL_SOCKET), "mine").unwrap();
        assert!(Control::open(home.path()).is_none());
        assert_eq!(fs::read_to_string(home.path().join(CONTROL_SOCKET)).unwrap(), "mine");
        let long = home.path().join("d".repeat(120));
        fs::create_dir(&long).unwrap();
        assert!(Control::open(&long).is_none());
    }
}
