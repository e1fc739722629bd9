//! The transports for mail, a closed enum.

use std::sync::Arc;

use parking_lot::Mutex;

use super::folder::Folder;
use super::message::Email;
use super::send_error::SendError;
use super::smtp::SmtpClient;
use crate::config::{self, MailTransport};
use crate::domain::error::Result;

/// A transport for mail. Clones share it.
#[derive(Clone)]
pub enum Transport {
    /// Through a mail server.
    Smtp(Arc<SmtpClient>),
    /// Into a folder, for development.
    File(Folder),
    /// Into memory, for tests.
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

impl Transport {
    /// The configured transport. Reads certificates; does not connect or write yet.
    pub fn from_settings(mail: &config::Mail) -> Result<Self> {
        Ok(match mail.transport {
            MailTransport::Smtp => Self::Smtp(Arc::new(SmtpClient::from_settings(mail)?)),
            MailTransport::File => Self::File(Folder::new(mail.directory.clone())),
        })
    }

    /// A transport that keeps mails in memory.
    pub fn memory() -> Self {
        Self::Memory(Arc::default())
    }

    /// Sends one mail. `name` (`password_reset-42`) is part of the file's name: it is unique and reveals nothing about the
    /// recipient.
    pub async fn send(&self, name: &str, email: &Email) -> Result<(), SendError> {
        match self {
            Self::Smtp(client) => client.send(email).await,
            Self::File(folder) => folder.send(name, email).await,
            Self::Memory(kept) => {
                let sent = SentEmail {
                    to: email.to.clone(),
                    subject: email.texts.subject.clone(),
                    text: email.texts.text.clone(),
                    html: email.texts.html.clone(),
                    message_id: email.message_id.clone(),
                };
                kept.lock().push(sent);
                Ok(())
            }
        }
    }

    /// Closes idle connections. Call it when there is nothing left to send.
    pub async fn close_idle(&self) {
        if let Self::Smtp(client) = self {
            client.close_idle().await;
        }
    }

    /// Checks that a mail could be sent now, without sending one. The error names a remedy.
    pub async fn probe(&self) -> Result<(), String> {
        match self {
            Self::Smtp(client) => client.probe().await,
            Self::File(folder) => folder.probe().await,
            Self::Memory(_) => Ok(()),
        }
    }

    /// The mails that a memory transport was given, oldest first; empty for other transports.
    pub fn sent(&self) -> Vec<SentEmail> {
        match self {
            Self::Memory(kept) => kept.lock().clone(),
            Self::Smtp(_) | Self::File(_) => Vec::new(),
        }
    }
}
