//! Why a response is refused.

macro_rules! refusals {
    ($($(#[$doc:meta])* $variant:ident $name:literal;)*) => {
        /// Why a response is refused, for the log. Clients get one error code for all of them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Refusal {
            $($(#[$doc])* $variant,)*
        }

        impl Refusal {
            /// Every reason.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Its name in the log. It does not change.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

refusals! {
    /// `type` is not `public-key`.
    CredentialType "credential_type";
    /// The credential's id is empty, or not the same in all places.
    CredentialId "credential_id";
    /// A part is not base64url without padding.
    Base64Url "base64url";
    /// A part is longer than any that an authenticator makes.
    TooLong "too_long";
    /// The client data is not the JSON that browsers write.
    ClientData "client_data";
    /// The client data is that of the other ceremony.
    Ceremony "ceremony";
    /// The challenge is not the one that was issued.
    Challenge "challenge";
    /// The page is not of the relying party's origins.
    Origin "origin";
    /// The page was in a frame of another site.
    CrossOrigin "cross_origin";
    /// CBOR ends in the middle of an item.
    CborTruncated "cbor_truncated";
    /// CBOR of a kind that authenticators do not write: not the shortest form, no definite length, a tag, a float.
    CborForm "cbor_form";
    /// A CBOR map has a key twice.
    CborDuplicateKey "cbor_duplicate_key";
    /// CBOR is nested too deep.
    CborDepth "cbor_depth";
    /// The attestation object lacks a member.
    AttestationObject "attestation_object";
    /// The attestation `none` has a statement.
    AttestationStatement "attestation_statement";
    /// The authenticator data is too short, or its extensions are no map.
    AuthenticatorData "authenticator_data";
    /// Bytes follow the last part.
    TrailingBytes "trailing_bytes";
    /// The authenticator signed for another relying party.
    RpId "rp_id";
    /// A registration without a credential, or an assertion with one.
    AttestedCredential "attested_credential";
    /// The user was not present.
    UserPresence "user_presence";
    /// The user was not verified.
    UserVerification "user_verification";
    /// The passkey is backed up although it cannot be.
    BackupState "backup_state";
    /// Whether the passkey can be backed up has changed.
    BackupEligibility "backup_eligibility";
    /// The key is for an algorithm that is not supported.
    Algorithm "algorithm";
    /// The key is on a curve that is not supported.
    Curve "curve";
    /// The key is not what its algorithm demands.
    PublicKey "public_key";
    /// The signature is not by the passkey, or not of these data.
    Signature "signature";
    /// The user handle is longer than 64 bytes, or empty.
    UserHandle "user_handle";
}
