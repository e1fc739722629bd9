//! Certificates for servers under test, good and bad, from an authority made for the occasion.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::PrivatePkcs8KeyDer;

/// What a server presents.
#[derive(Clone, Copy, Default, PartialEq)]
pub enum Certificate {
    /// For `localhost`.
    #[default]
    Good,
    WrongName,
    Expired,
    UnknownIssuer,
}

/// An authority, and what a client needs in order to trust it.
pub struct Authority {
    pub pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    pub fn new(name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self {
            pem,
            issuer: Issuer::new(params, key),
        }
    }

    /// A server's TLS with a fresh certificate of this kind.
    pub fn server_config(&self, kind: Certificate) -> Arc<ServerConfig> {
        let name = match kind {
            Certificate::WrongName => "elsewhere.example",
            _ => "localhost",
        };
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        if kind == Certificate::Expired {
            params.not_after = date_time_ymd(2001, 1, 1);
        }
        let key = KeyPair::generate().unwrap();
        let certificate = match kind {
            Certificate::UnknownIssuer => params.signed_by(&key, &Self::new("A stranger").issuer),
            _ => params.signed_by(&key, &self.issuer),
        };
        let chain = vec![certificate.unwrap().der().clone()];
        let key = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        Arc::new(config)
    }
}
