//! What the kernel says that it is.

use crate::collect::{CollectError, Gathered, Source};

/// Kernel and host name.
#[derive(Debug)]
pub(crate) struct Uname;

impl Source for Uname {
    fn name(&self) -> &str {
        "uname"
    }

    fn collect(&mut self, out: &mut Gathered) -> Result<(), CollectError> {
        let uname = rustix::system::uname();
        let text = |part: &std::ffi::CStr| part.to_string_lossy().into_owned();
        let labels = [
            ("sysname", &*text(uname.sysname())),
            ("release", &*text(uname.release())),
            ("version", &*text(uname.version())),
            ("machine", &*text(uname.machine())),
            ("nodename", &*text(uname.nodename())),
            ("domainname", &*text(uname.domainname())),
        ];
        out.gauge("node_uname_info", "Labeled system information as provided by the uname system call.").put(&labels, 1.0);
        Ok(())
    }
}
