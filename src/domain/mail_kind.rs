//! The kinds of mail, one row each: its name, what it is about, and whether it carries a link or notifies.
//!
//! The row decides the templates' file names and variables, the link and its lifetime, the key under `[notices]`, the
//! order in the outbox, and the name there and in `cloakroom mail list`. To add a kind, add a row and its two templates in
//! `src/mail/templates`.

use std::time::Duration;

/// How long a reset link is valid, counted from the request for it.
pub const RESET_LIFETIME: Duration = Duration::from_secs(15 * 60);
/// How long a verification link is valid, counted from the request for it; a day is the most that NIST SP 800-63A allows
/// a code sent by email.
pub const CONFIRMATION_LIFETIME: Duration = Duration::from_secs(24 * 3600);
/// How long a mailed code and its link are valid, counted from the request for them; ten minutes is the most that ASVS
/// 6.5.5 allows.
pub const MAIL_CODE_LIFETIME: Duration = Duration::from_secs(10 * 60);
/// How long a link that links an identity at another provider is valid, counted from the sign-in there. It gives as
/// much as a reset link.
pub const IDENTITY_LINK_LIFETIME: Duration = RESET_LIFETIME;
/// How long a notice is worth sending.
pub const NOTICE_LIFETIME: Duration = Duration::from_secs(3 * 24 * 3600);

/// What a kind of mail is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// It carries a link, and goes to the account that has the address when it is sent.
    Link(LinkPurpose),
    /// It reports a change to the account's owner, and goes to the address that was the account's at that time.
    /// Operators can disable it.
    Notice(Subject),
}

/// What a mailed link does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkPurpose {
    /// It replaces the password.
    Reset,
    /// It verifies the address that the account has.
    Confirmation,
    /// It verifies the address that the user wants to change to.
    AddressChange,
    /// It lifts the limit on failed sign-ins.
    Unlock,
    /// It signs in, or shows the code of its mail.
    MailCode,
    /// It links an identity at another provider, and signs in.
    IdentityLink,
}

impl LinkPurpose {
    /// How long a link is valid; `None` for one that is valid until the window of its limit ends.
    pub const fn lifetime(self) -> Option<Duration> {
        match self {
            Self::Reset => Some(RESET_LIFETIME),
            Self::Confirmation | Self::AddressChange => Some(CONFIRMATION_LIFETIME),
            Self::Unlock => None,
            Self::MailCode => Some(MAIL_CODE_LIFETIME),
            Self::IdentityLink => Some(IDENTITY_LINK_LIFETIME),
        }
    }
}

/// What a notice names besides time, address and client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Nothing: it is about the account.
    Account,
    /// The last four characters of an API key.
    ApiKey,
}

/// Which mails are sent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Priority {
    /// For mails to the owner of an account.
    High,
    /// For mails that a sign-up causes: a flood of them must not delay the others.
    Low,
}

impl Priority {
    /// Both, the first to be sent first.
    pub const ALL: [Self; 2] = [Self::High, Self::Low];
}

/// Declares the kinds; the macro's text is also the name of the two template files.
macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $kind:ident = $name:literal, $class:expr, $priority:expr;)+) => {
        /// The kinds of mail.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum MailKind { $($(#[doc = $doc])+ $kind,)+ }

        impl MailKind {
            /// All kinds.
            pub const ALL: &[Self] = &[$(Self::$kind),+];

            /// The name in the outbox, in the settings and of the templates.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$kind => $name),+ }
            }

            /// What it is for.
            pub const fn class(self) -> Class {
                match self { $(Self::$kind => $class),+ }
            }

            /// Whether it is sent before others.
            pub const fn priority(self) -> Priority {
                match self { $(Self::$kind => $priority),+ }
            }

            /// What it is about, one line an element.
            pub const fn doc(self) -> &'static [&'static str] {
                match self { $(Self::$kind => &[$($doc),+]),+ }
            }

            /// The built-in text and HTML templates.
            pub(crate) const fn sources(self) -> (&'static str, &'static str) {
                match self {
                    $(Self::$kind => (
                        include_str!(concat!("../mail/templates/", $name, ".txt")),
                        include_str!(concat!("../mail/templates/", $name, ".html")),
                    )),+
                }
            }
        }
    };
}

kinds! {
    /// The link that replaces a forgotten password.
    PasswordReset = "password_reset", Class::Link(LinkPurpose::Reset), Priority::High;
    /// The link that verifies a new account's address.
    Confirmation = "confirmation", Class::Link(LinkPurpose::Confirmation), Priority::Low;
    /// A reset link, for a sign-up with an address that has an account.
    AlreadyRegistered = "already_registered", Class::Link(LinkPurpose::Reset), Priority::Low;
    /// The link that verifies the address that a user wants to change to.
    AddressChange = "address_change", Class::Link(LinkPurpose::AddressChange), Priority::High;
    /// The link that lifts the limit on failed sign-ins.
    Unlock = "unlock", Class::Link(LinkPurpose::Unlock), Priority::High;
    /// The code that signs in, and a link that does so in the browser that asked for it.
    MailCode = "mail_code", Class::Link(LinkPurpose::MailCode), Priority::High;
    /// The link that links an account at another provider, after a sign-in there with an address that has an account.
    /// It works in the browser or the app that signed in there.
    IdentityLink = "identity_link", Class::Link(LinkPurpose::IdentityLink), Priority::High;
    /// A sign-in from a network and a program that are new for the account.
    NewDevice = "new_device", Class::Notice(Subject::Account), Priority::High;
    /// A new password, set in the account or by a reset link.
    PasswordChanged = "password_changed", Class::Notice(Subject::Account), Priority::High;
    /// The password was removed by the first sign-in with a mailed code, or by a provider that gives out the address: until
    /// then the address was not verified, and another person may have set it.
    UnverifiedPasswordRemoved = "unverified_password_removed", Class::Notice(Subject::Account), Priority::High;
    /// A new address was requested; sent to the address that it is to replace.
    AddressChangeAsked = "address_change_asked", Class::Notice(Subject::Account), Priority::High;
    /// The new address was verified; sent to the address that it replaced.
    AddressChanged = "address_changed", Class::Notice(Subject::Account), Priority::High;
    /// The account was deleted; sent to its address.
    AccountDeleted = "account_deleted", Class::Notice(Subject::Account), Priority::High;
    /// A refresh token was used twice, which revoked its session: an attacker may have stolen it.
    RefreshReused = "refresh_reused", Class::Notice(Subject::Account), Priority::High;
    /// An authenticator app was set up.
    TotpEnrolled = "totp_enrolled", Class::Notice(Subject::Account), Priority::High;
    /// The authenticator app was removed: an attacker could sign in with the password alone.
    TotpRemoved = "totp_removed", Class::Notice(Subject::Account), Priority::High;
    /// A passkey was added: an attacker could sign in with it from then on.
    PasskeyAdded = "passkey_added", Class::Notice(Subject::Account), Priority::High;
    /// A passkey was removed.
    PasskeyRemoved = "passkey_removed", Class::Notice(Subject::Account), Priority::High;
    /// The user removed the password: signing in needs a passkey from then on.
    PasswordRemoved = "password_removed", Class::Notice(Subject::Account), Priority::High;
    /// Three codes at sign-in were wrong after the right password: an attacker may know it.
    SecondFactorFailed = "second_factor_failed", Class::Notice(Subject::Account), Priority::High;
    /// Codes at sign-in were wrong so often, after the right password, that codes are refused for weeks.
    SecondFactorBlocked = "second_factor_blocked", Class::Notice(Subject::Account), Priority::High;
    /// A recovery code was used in place of the authenticator app.
    RecoveryCodeUsed = "recovery_code_used", Class::Notice(Subject::Account), Priority::High;
    /// New recovery codes were made, which voids the old ones.
    RecoveryCodesReplaced = "recovery_codes_replaced", Class::Notice(Subject::Account), Priority::High;
    /// An account at another provider was linked: by the user, by a mailed link, or because its address is the
    /// account's.
    IdentityLinked = "identity_linked", Class::Notice(Subject::Account), Priority::High;
    /// An account at another provider was unlinked.
    IdentityUnlinked = "identity_unlinked", Class::Notice(Subject::Account), Priority::High;
    /// An API key was created: an attacker with a stolen session could use it to keep access.
    ApiKeyCreated = "api_key_created", Class::Notice(Subject::ApiKey), Priority::High;
}

impl MailKind {
    /// The kind of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == name)
    }

    /// Those that notify of a change and carry no link.
    pub fn notices() -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied().filter(|kind| kind.is_notice())
    }

    /// Whether it notifies of a change and carries no link.
    pub const fn is_notice(self) -> bool {
        matches!(self.class(), Class::Notice(_))
    }

    /// What its link does; `None` for notices.
    pub const fn link(self) -> Option<LinkPurpose> {
        match self.class() {
            Class::Link(purpose) => Some(purpose),
            Class::Notice(_) => None,
        }
    }

    /// Whether it has a code besides its link.
    pub const fn has_code(self) -> bool {
        matches!(self.class(), Class::Link(LinkPurpose::MailCode))
    }

    /// Whether it names a provider.
    pub const fn names_provider(self) -> bool {
        matches!(self.class(), Class::Link(LinkPurpose::IdentityLink))
    }

    /// Whether it names an API key.
    pub const fn names_api_key(self) -> bool {
        matches!(self.class(), Class::Notice(Subject::ApiKey))
    }

    /// How long the mail is of use; `None` for one that is until the window of its limit ends.
    pub const fn lifetime(self) -> Option<Duration> {
        match self.class() {
            Class::Link(purpose) => purpose.lifetime(),
            Class::Notice(_) => Some(NOTICE_LIFETIME),
        }
    }
}
