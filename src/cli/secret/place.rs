//! Where the key base and those before it stand, as far as that is files.

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::cli::Fault;
use crate::config::{Secret, Settings, Sources, written_list};
use crate::crypto::key_ring::KeyRing;
use crate::crypto::key_ring::file::{self, Draft};

/// The files of the key base.
#[derive(Debug)]
pub(super) struct Place {
    base: PathBuf,
    /// `None`: the previous ones are no file's.
    previous: Option<PathBuf>,
    form: Form,
}

/// How the previous ones are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// One a line, in a file of our own beside the database.
    Lines,
    /// As the value of a setting, in a file that a variable names.
    Setting,
}

impl Place {
    /// `None` where the base is set as a value.
    pub(super) fn of(sources: &Sources, settings: &Settings) -> Option<Self> {
        if let Some(base) = KeyRing::file(settings) {
            return Some(Self {
                base,
                previous: KeyRing::previous_file(settings),
                form: Form::Lines,
            });
        }
        let file_of = |key| sources.file_of(key).map(Path::to_owned);
        let base = file_of("secrets.key_base")?;
        Some(Self {
            base,
            previous: file_of("secrets.previous"),
            form: Form::Setting,
        })
    }

    pub(super) fn base(&self) -> &Path {
        &self.base
    }

    /// Keeps other rotations out while it is held.
    pub(super) fn lock(&self) -> Result<File, Fault> {
        Ok(file::lock(&self.base)?)
    }

    /// Drafts that stand beside the files. Where there is no base yet, one may be a server's that starts just now.
    pub(super) fn drafts(&self) -> Result<Vec<PathBuf>, Fault> {
        let mut found = Vec::new();
        if self.base.exists() {
            for path in [Some(&self.base), self.previous.as_ref()]
                .into_iter()
                .flatten()
            {
                found.extend(file::drafts_of(path)?);
            }
        }
        Ok(found)
    }

    /// The previous ones in the file.
    pub(super) fn previous(&self, settings: &Settings) -> Result<Vec<Secret>, Fault> {
        match (&self.previous, self.form) {
            (None, _) => Ok(Vec::new()),
            (Some(path), Form::Lines) => Ok(file::read_lines(path)?),
            (Some(_), Form::Setting) => Ok(settings.secrets.previous.clone()),
        }
    }

    /// How many previous ones are no file's.
    pub(super) fn out_of_reach(&self, settings: &Settings) -> usize {
        match (&self.previous, self.form) {
            (Some(_), Form::Setting) => 0,
            _ => settings.secrets.previous.len(),
        }
    }

    /// The old base in front of the previous ones, and the new one: to be put in this order.
    pub(super) fn replace(&self, settings: &Settings, new: &Secret) -> Result<Vec<Draft>, Fault> {
        let Some(path) = &self.previous else {
            return Err(
                "nothing was changed: the present key base has no place among the previous ones; set \
                        CLOAKROOM__SECRETS__PREVIOUS__FILE to a file, which may be empty"
                    .into(),
            );
        };
        let current = self.current(settings)?;
        let mut previous = self.previous(settings)?;
        // A rotation that was cut short has put it there.
        previous.retain(|base| base.expose() != current.expose());
        previous.insert(0, current);
        Ok(vec![
            Draft::write(path, &self.list(&previous)?, &self.base)?,
            self.base_draft(new)?,
        ])
    }

    /// The new base, and no previous ones: to be put in this order, so that the old one is gone first.
    pub(super) fn replace_all(&self, new: &Secret) -> Result<Vec<Draft>, Fault> {
        if !self.base.exists() {
            return Err(self.missing());
        }
        let mut drafts = vec![self.base_draft(new)?];
        drafts.extend(self.forget()?);
        Ok(drafts)
    }

    /// No previous ones; `None` where there is no file of them.
    pub(super) fn forget(&self) -> Result<Option<Draft>, Fault> {
        match &self.previous {
            Some(path) if path.exists() => Ok(Some(Draft::write(path, "", &self.base)?)),
            _ => Ok(None),
        }
    }

    fn base_draft(&self, new: &Secret) -> Result<Draft, Fault> {
        Ok(Draft::write(&self.base, new.expose(), &self.base)?)
    }

    fn current(&self, settings: &Settings) -> Result<Secret, Fault> {
        match &settings.secrets.key_base {
            Some(configured) => Ok(configured.clone()),
            None => file::read(&self.base)?.ok_or_else(|| self.missing()),
        }
    }

    fn missing(&self) -> Fault {
        format!(
            "there is no key base at {}; the server makes one at its first start",
            self.base.display()
        )
        .into()
    }

    fn list(&self, bases: &[Secret]) -> Result<String, Fault> {
        let texts = bases.iter().map(Secret::expose);
        match self.form {
            Form::Setting => Ok(written_list(texts)),
            Form::Lines if texts.clone().any(|text| text.contains(['\n', '\r'])) => {
                Err(format!("{} holds more than one line", self.base.display()).into())
            }
            Form::Lines => Ok(texts.flat_map(|text| [text, "\n"]).collect()),
        }
    }
}
