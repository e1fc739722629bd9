//! The ways out for mail, a closed enum, and what a try can end in.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::Email;
use super::folder::Folder;
use super::smtp::Client;
use crate::config::{self, MailTransport};
use crate::domain::error::Result;

/// No try to send takes longer, whatever the settings and the mail server do.
pub const LONGEST_SEND: Duration = Duration::from_secs(60);

/// A way out for mail. Clones share it.
#[derive(Clone)]
pub enum Transport {
    /// Through a mail server.
    Smtp(Arc<Client>),
    /// Into a folder, for development.
    File(Folder),
    /// Kept, for tests.
    Memory(Arc<Mutex<Vec<SentEmail>>>),
}

/// A mail as a memory transport keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentEmail {
    /// The recipient's address.
    pub to: String,
    /// The subject.
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// The HTML.
    pub html: String,
    /// With its angle brackets.
    pub message_id: String,
}

/// Why a mail did not leave, in words made for logs: they hold no address and nothing that a mail server wrote
/// but its codes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The server refused this recipient or this mail for good: another try is of no use.
    Permanent(String),
    /// Anything that may pass or that an operator can repair, wrong passwords and certificates among it.
    Transient(String),
}

impl Failure {
    /// The reason.
    pub fn reason(&self) -> &str {
        match self {
            Self::Permanent(reason) | Self::Transient(reason) => reason,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason())
    }
}

impl std::error::Error for Failure {}

impl Transport {
    /// The transport that the settings ask for. Reads certificates; connects to nothing and writes nothing yet.
    pub fn from_settings(mail: &config::Mail) -> Result<Self> {
        Ok(match mail.transport {
            MailTransport::Smtp => Self::Smtp(Arc::new(Client::from_settings(mail)?)),
            MailTransport::File => Self::File(Folder::new(mail.directory.clone())),
        })
    }

    /// One that keeps what it is given.
    pub fn memory() -> Self {
        Self::Memory(Arc::default())
    }

    /// Hands one mail over. `name` stands in the file's name (`password_reset-42`): it holds nothing about the
    /// recipient, and no two mails of one millisecond share it.
    pub async fn send(&self, name: &str, letter: &Email) -> Result<(), Failure> {
        match self {
            Self::Smtp(client) => client.send(letter).await,
            Self::File(folder) => folder.send(name, letter).await,
            Self::Memory(kept) => {
                let sent = SentEmail {
                    to: letter.to.clone(),
                    subject: letter.words.subject.clone(),
                    text: letter.words.text.clone(),
                    html: letter.words.html.clone(),
                    message_id: letter.message_id.clone(),
                };
                kept.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(sent);
                Ok(())
            }
        }
    }

    /// Ends what is kept open between mails. Call it when there is nothing left to send.
    pub async fn rest(&self) {
        if let Self::Smtp(client) = self {
            client.hang_up().await;
        }
    }

    /// Whether a mail could leave now, tried without sending one. The error says what to do about it.
    pub async fn probe(&self) -> Result<(), String> {
        match self {
            Self::Smtp(client) => client.probe().await,
            Self::File(folder) => folder.probe().await,
            Self::Memory(_) => Ok(()),
        }
    }

    /// What a memory transport was given, oldest first; nothing for the others.
    pub fn sent(&self) -> Vec<SentEmail> {
        match self {
            Self::Memory(kept) => kept.lock().unwrap_or_else(PoisonError::into_inner).clone(),
            Self::Smtp(_) | Self::File(_) => Vec::new(),
        }
    }
}
