//! TLS on the way in: a certificate chain and its key from PEM files, exchanged while it serves. The
//! only user of `rustls`. Knows no port and no HTTP.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::NetError;

/// Where a certificate lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The chain, the server's own certificate first.
    pub cert: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// The certificate that is shown, and where it is read from. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Tls {
    files: CertificateFiles,
    shown: Arc<Shown>,
}

/// What connections from now on are shown.
struct Shown(RwLock<Arc<CertifiedKey>>);

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shown").finish_non_exhaustive()
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.read().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// A file cannot be read, holds nothing of its kind, or the key is not the certificate's.
    pub fn load(files: CertificateFiles) -> Result<Self, NetError> {
        let shown = read(&files)?;
        Ok(Self { files, shown: Arc::new(Shown(RwLock::new(Arc::new(shown)))) })
    }

    /// Reads the files again; connections from now on are shown what they hold.
    ///
    /// # Errors
    /// As [`Self::load`]; the old certificate stays.
    pub fn reload(&self) -> Result<(), NetError> {
        let fresh = Arc::new(read(&self.files)?);
        *self.shown.0.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }

    /// For a server: TLS 1.2 and 1.3, no client certificates.
    ///
    /// # Errors
    /// The cryptography that is compiled in has no cipher for them.
    pub fn server_config(&self) -> Result<ServerConfig, NetError> {
        let versions = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
        let config = versions.map_err(|e| NetError::Tls { reason: e.to_string() })?;
        Ok(config.with_no_client_auth().with_cert_resolver(self.shown.clone()))
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn read(files: &CertificateFiles) -> Result<CertifiedKey, NetError> {
    let failed = |path: &Path, reason: String| NetError::Certificate { path: path.to_owned(), reason };
    let text = |path: &Path| std::fs::read(path).map_err(|e| failed(path, e.to_string()));
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text(&files.cert)?).map(|one| one.map(CertificateDer::into_owned)).collect();
    let chain = chain.map_err(|e| failed(&files.cert, e.to_string()))?;
    if chain.is_empty() {
        return Err(failed(&files.cert, "it holds no certificate in PEM form".to_owned()));
    }
    let key = PrivateKeyDer::from_pem_slice(&text(&files.key)?);
    let key = key.map_err(|e| failed(&files.key, format!("it holds no private key in PEM form ({e})")))?;
    let made = CertifiedKey::from_der(chain, key, &provider());
    made.map_err(|e| failed(&files.key, format!("it does not belong to {}, or cannot be used: {e}", files.cert.display())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    /// A directory with `cert.pem`, its `key.pem`, and `other.pem`, a key of nothing; `None`, loudly,
    /// where there is no openssl to make them.
    fn made() -> Option<(tempfile::TempDir, CertificateFiles)> {
        let home = tempfile::tempdir().unwrap();
        let ask = |words: &str| {
            let mut command = Command::new("openssl");
            command.args(words.split(' ')).current_dir(home.path()).stdout(Stdio::null()).stderr(Stdio::null());
            command.status().is_ok_and(|status| status.success())
        };
        let certificate = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost -keyout key.pem -out cert.pem";
        if !ask(certificate) || !ask("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out other.pem") {
            eprintln!("SKIPPED: certificates: no openssl");
            return None;
        }
        let files = CertificateFiles { cert: home.path().join("cert.pem"), key: home.path().join("key.pem") };
        Some((home, files))
    }

    #[test]
    fn what_is_wrong_is_said_with_its_file() {
        let Some((home, files)) = made() else { return };
        let at = |cert: &str, key: &str| CertificateFiles { cert: home.path().join(cert), key: home.path().join(key) };
        let refused = |cert, key| Tls::load(at(cert, key)).unwrap_err().to_string();
        assert!(refused("key.pem", "key.pem").contains("key.pem: it holds no certificate"));
        assert!(refused("cert.pem", "cert.pem").contains("cert.pem: it holds no private key"));
        assert!(refused("cert.pem", "other.pem").contains("other.pem: it does not belong to"));
        assert!(refused("cert.pem", "missing.pem").contains("missing.pem: No such file"));
        assert!(Tls::load(files).unwrap().server_config().is_ok());
    }

    #[test]
    fn a_bad_reload_keeps_the_old_certificate() {
        let Some((home, files)) = made() else { return };
        let tls = Tls::load(files.clone()).unwrap();
        let shown = || tls.shown.0.read().unwrap().clone();
        let before = shown();
        let key = std::fs::read(&files.key).unwrap();
        std::fs::copy(home.path().join("other.pem"), &files.key).unwrap();
        assert!(tls.reload().is_err() && Arc::ptr_eq(&before, &shown()));
        std::fs::write(&files.key, key).unwrap();
        tls.reload().unwrap();
        assert!(!Arc::ptr_eq(&before, &shown()));
    }
}
