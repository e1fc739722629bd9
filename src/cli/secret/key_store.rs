//! The files that contain the key base and the previous ones.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use crate::cli::CommandError;
use crate::config::{Secret, Settings, Sources, written_list};
use crate::crypto::key_ring::KeyRing;
use crate::crypto::key_ring::file;
use crate::crypto::private_file::{self, Draft};
use crate::domain::clock::Timestamp;

/// The files of the key base.
#[derive(Debug)]
pub(super) struct KeyStore {
    base: PathBuf,
    /// `None`: the previous ones are not in a file.
    previous: Option<PathBuf>,
    form: Form,
}

/// The format of the previous ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// One a line, in Cloakroom's own file beside the database.
    Lines,
    /// As the value of a setting, in a file that a variable or the settings file names.
    Setting,
}

impl KeyStore {
    /// `None` if the base is set as a value.
    pub(super) fn of(sources: &Sources, settings: &Settings) -> Option<Self> {
        if let Some(base) = KeyRing::file(settings) {
            return Some(Self {
                base,
                previous: KeyRing::previous_file(settings),
                form: Form::Lines,
            });
        }
        let base = sources.file_of("secrets.key_base")?;
        Some(Self {
            base,
            previous: sources.file_of("secrets.previous"),
            form: Form::Setting,
        })
    }

    pub(super) fn base(&self) -> &Path {
        &self.base
    }

    /// When the current base was put in its place.
    pub(super) fn rotated_at(&self) -> Result<Timestamp, CommandError> {
        let written = std::fs::metadata(&self.base)?.modified()?;
        let since_1970 = written.duration_since(UNIX_EPOCH)?;
        Ok(Timestamp::from_millis(i64::try_from(
            since_1970.as_millis(),
        )?))
    }

    /// Excludes other rotations while it is held.
    pub(super) fn lock(&self) -> Result<File, CommandError> {
        Ok(private_file::lock(&self.base)?)
    }

    /// Temporary files beside the files. Without a base there are none to report: a starting server may be writing one.
    pub(super) fn drafts(&self) -> Result<Vec<PathBuf>, CommandError> {
        let mut found = Vec::new();
        if self.base.exists() {
            for path in [Some(&self.base), self.previous.as_ref()]
                .into_iter()
                .flatten()
            {
                found.extend(private_file::drafts_of(path)?);
            }
        }
        Ok(found)
    }

    /// The previous ones.
    pub(super) fn previous(&self, settings: &Settings) -> Result<Vec<Secret>, CommandError> {
        match (&self.previous, self.form) {
            (None, _) => Ok(Vec::new()),
            (Some(path), Form::Lines) => Ok(file::read_lines(path)?),
            (Some(_), Form::Setting) => Ok(settings.secrets.previous.clone()),
        }
    }

    /// How many previous ones are not in a file.
    pub(super) fn out_of_reach(&self, settings: &Settings) -> usize {
        match (&self.previous, self.form) {
            (Some(_), Form::Setting) => 0,
            _ => settings.secrets.previous.len(),
        }
    }

    /// The old base first among the previous ones, then the new one: to be put in this order.
    pub(super) fn replace(
        &self,
        settings: &Settings,
        new: &Secret,
    ) -> Result<Vec<Draft>, CommandError> {
        let Some(path) = &self.previous else {
            return Err(
                "nothing was changed: there is no file for the previous key bases; set \
                        CLOAKROOM__SECRETS__PREVIOUS__FILE to a file, which may be empty"
                    .into(),
            );
        };
        let current = self.current(settings)?;
        let mut previous = self.previous(settings)?;
        // An interrupted rotation has added it already.
        previous.retain(|base| base.expose() != current.expose());
        previous.insert(0, current);
        Ok(vec![
            Draft::write(path, &self.list(&previous)?, &self.base)?,
            self.base_draft(new)?,
        ])
    }

    /// The new base without previous ones: to be put in this order, so that the old one is removed first.
    pub(super) fn replace_all(&self, new: &Secret) -> Result<Vec<Draft>, CommandError> {
        if !self.base.exists() {
            return Err(self.missing());
        }
        let mut drafts = vec![self.base_draft(new)?];
        drafts.extend(self.forget()?);
        Ok(drafts)
    }

    /// Removes the previous ones; `None` if they have no file.
    pub(super) fn forget(&self) -> Result<Option<Draft>, CommandError> {
        match &self.previous {
            Some(path) if path.exists() => Ok(Some(Draft::write(path, "", &self.base)?)),
            _ => Ok(None),
        }
    }

    fn base_draft(&self, new: &Secret) -> Result<Draft, CommandError> {
        Ok(Draft::write(&self.base, new.expose(), &self.base)?)
    }

    fn current(&self, settings: &Settings) -> Result<Secret, CommandError> {
        match &settings.secrets.key_base {
            Some(configured) => Ok(configured.clone()),
            None => file::read(&self.base)?.ok_or_else(|| self.missing()),
        }
    }

    fn missing(&self) -> CommandError {
        format!(
            "no key base at {}: the server creates one at its first start",
            self.base.display()
        )
        .into()
    }

    fn list(&self, bases: &[Secret]) -> Result<String, CommandError> {
        let texts = bases.iter().map(Secret::expose);
        match self.form {
            Form::Setting => Ok(written_list(texts)),
            Form::Lines if texts.clone().any(|text| text.contains(['\n', '\r'])) => {
                Err(format!("{} has more than one line", self.base.display()).into())
            }
            Form::Lines => Ok(texts.flat_map(|text| [text, "\n"]).collect()),
        }
    }
}
