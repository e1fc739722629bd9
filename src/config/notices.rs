//! `[notices]`: a switch for each kind of mail that notifies of a change.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::declare::{Declared, Section, Setting, join};
use super::problems::Problems;
use crate::domain::mail_kind::MailKind;

/// Mails that notify the owner of changes to the account, in case another person made them. All are sent unless
/// disabled.
#[derive(Clone, Debug, Default)]
pub struct Notices {
    disabled: BTreeSet<MailKind>,
}

impl Notices {
    /// Whether mails of this kind are sent as notices.
    pub fn includes(&self, kind: MailKind) -> bool {
        kind.is_notice() && !self.disabled.contains(&kind)
    }

    /// Enables or disables a kind.
    pub fn set(&mut self, kind: MailKind, enabled: bool) {
        if enabled {
            self.disabled.remove(&kind);
        } else {
            self.disabled.insert(kind);
        }
    }
}

impl Section for Notices {
    fn declare(path: &str, declared: &mut Declared) {
        let about = vec![
            "Mails that notify the owner of changes to the account, in case another person made them. Each can be disabled.",
        ];
        declared.sections.push((path.to_owned(), about));
        let settings = MailKind::notices().map(|kind| Setting {
            key: join(path, kind.as_str()),
            default: true.into(),
            range: None,
            doc: kind.doc().iter().map(|line| line.trim()).collect(),
        });
        declared.settings.extend(settings);
    }

    fn check_ranges(&self, _: &str, _: &mut Problems) {}
}

impl Serialize for Notices {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(MailKind::notices().map(|kind| (kind.as_str(), self.includes(kind))))
    }
}

impl<'de> Deserialize<'de> for Notices {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut notices = Self::default();
        for (name, enabled) in BTreeMap::<String, bool>::deserialize(deserializer)? {
            let kind = MailKind::parse(&name).filter(|kind| kind.is_notice());
            let unknown = || serde::de::Error::custom(format!("{name:?} is not a kind of notice"));
            notices.set(kind.ok_or_else(unknown)?, enabled);
        }
        Ok(notices)
    }
}
