//! What bcrypt computes for a job, and what its output means.

use base64::Engine;
use bcrypt::{BASE_64, HashParts};
use bcrypt_lanes::CostError;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{COSTS, Outcome};
use crate::crypto::password::Password;
use crate::crypto::token::fill_random;
use crate::domain::PasswordDigest;
use crate::domain::error::{Error, Result};

/// Where the hash starts in a digest: after `$2b$12$` and the salt. `HashParts` has checked the form.
const DIGEST_START: usize = 7 + 22;

/// The input of bcrypt. The cost is from 4 to 31.
pub(super) struct Input {
    pub(super) purpose: Purpose,
    pub(super) cost: u32,
    pub(super) salt: [u8; 16],
    pub(super) password: Zeroizing<Vec<u8>>,
}

/// What a hash is computed for.
pub(super) enum Purpose {
    /// A new digest of this cost and salt.
    Write { cost: u32, salt: [u8; 16] },
    /// Comparison with this hash in a digest's text form.
    Compare(String),
    /// The time it takes.
    Dummy,
}

impl Input {
    pub(super) fn hash(password: &Password, cost: u32) -> Result<Self> {
        let mut salt = [0; 16];
        fill_random(&mut salt)?;
        Self::checked(
            Purpose::Write { cost, salt },
            cost,
            salt,
            password.reduced(),
        )
    }

    pub(super) fn verify(password: &Password, digest: &PasswordDigest) -> Result<Self> {
        let parts: HashParts = digest.as_str().parse().map_err(Error::internal)?;
        let written = digest.as_str()[DIGEST_START..].to_owned();
        let (cost, salt) = (parts.get_cost(), parts.get_salt_raw());
        Self::checked(Purpose::Compare(written), cost, salt, password.reduced())
    }

    pub(super) fn dummy(cost: u32) -> Result<Self> {
        let password = Zeroizing::new(b"dummy".to_vec());
        Self::checked(Purpose::Dummy, cost, [0; 16], password)
    }

    fn checked(
        purpose: Purpose,
        cost: u32,
        salt: [u8; 16],
        password: Zeroizing<Vec<u8>>,
    ) -> Result<Self> {
        if !COSTS.contains(&cost) {
            return Err(Error::internal(CostError(cost)));
        }
        Ok(Self {
            purpose,
            cost,
            salt,
            password,
        })
    }
}

impl Purpose {
    pub(super) fn outcome(&self, output: &bcrypt_lanes::Output) -> Outcome {
        // As every bcrypt writes it, without the last byte.
        let written = BASE_64.encode(&output[..23]);
        match self {
            Self::Write { cost, salt } => Outcome::Digest(PasswordDigest::new(format!(
                "$2b${cost:02}${}{written}",
                BASE_64.encode(salt)
            ))),
            Self::Compare(expected) => {
                Outcome::Verdict(expected.as_bytes().ct_eq(written.as_bytes()).into())
            }
            Self::Dummy => Outcome::Verdict(false),
        }
    }
}
