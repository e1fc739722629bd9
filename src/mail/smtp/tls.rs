//! TLS to the mail server. Chain, dates and name of its certificate are verified.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::crypto::tls_provider;
use crate::domain::error::{Error, Result};

/// The authorities to trust and the name to verify.
pub(super) struct Tls {
    connector: TlsConnector,
    server_name: ServerName<'static>,
}

impl Tls {
    /// The system's certificate authorities and those of the file.
    ///
    /// # Errors
    /// `host` cannot be in a certificate, or the file cannot be used.
    pub fn new(host: &str, ca_file: Option<&Path>) -> Result<Self> {
        let fail = |fault: &dyn fmt::Display| {
            Error::internal(format!("TLS for mail.smtp.host cannot be set up: {fault}"))
        };
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if let Some(path) = ca_file {
            add_file(&mut roots, path)?;
        }
        let config = ClientConfig::builder_with_provider(Arc::new(tls_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|fault| fail(&fault))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            connector: TlsConnector::from(Arc::new(config)),
            server_name: ServerName::try_from(host.to_owned()).map_err(|fault| fail(&fault))?,
        })
    }

    pub async fn handshake<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
    ) -> io::Result<TlsStream<S>> {
        self.connector
            .connect(self.server_name.clone(), stream)
            .await
    }
}

fn add_file(roots: &mut RootCertStore, path: &Path) -> Result<()> {
    let unusable = |fault: &dyn fmt::Display| {
        Error::internal(format!(
            "mail.smtp.ca_file {} cannot be used: {fault}",
            path.display()
        ))
    };
    let pem = fs::read(path).map_err(|fault| unusable(&fault))?;
    let mut found = false;
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|fault| unusable(&fault))?;
        roots.add(certificate).map_err(|fault| unusable(&fault))?;
        found = true;
    }
    match found {
        true => Ok(()),
        false => Err(unusable(&"it holds no PEM certificate")),
    }
}
