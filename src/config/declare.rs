//! How settings are declared: [`section!`] states a setting's name, type, default, range and purpose in one place.
//! The loader, the range checks, `config/default.toml` and `docs/reference/settings.md` derive from it.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::time::Duration;

use toml::Value;

use super::problems::Problems;
use super::values::{Rate, duration};

/// The part of a key that stands for any name: `providers.*.client_id`.
pub(super) const ANY_NAME: &str = "*";

/// One setting, as declared.
#[derive(Clone, Debug)]
pub(super) struct Setting {
    /// The dotted key: `server.bind`.
    pub key: String,
    /// Its value where nothing sets it, as a settings file holds it.
    pub default: Value,
    /// What it must be within, in words: `1ms to 1h`.
    pub range: Option<String>,
    /// Its purpose, one line an element.
    pub doc: Vec<&'static str>,
}

/// What a section declares.
#[derive(Clone, Debug, Default)]
pub(super) struct Declared {
    /// The purpose of each section by its dotted name, in the order of declaration.
    pub sections: Vec<(String, Vec<&'static str>)>,
    /// The settings, in the order of declaration.
    pub settings: Vec<Setting>,
}

/// A table of settings: declared by [`section!`], or a map of such tables by name.
pub(super) trait Section {
    /// Adds what it declares; `path` is its dotted name, empty for the root.
    fn declare(path: &str, declared: &mut Declared);

    /// Reports each value outside its range.
    fn check_ranges(&self, path: &str, problems: &mut Problems);
}

/// `[providers.google]`, `[providers.github]`: tables of one shape under names that the operator chooses. The field
/// needs `#[serde(default)]`, since there may be none.
impl<T: Section> Section for BTreeMap<String, T> {
    fn declare(path: &str, declared: &mut Declared) {
        T::declare(&join(path, ANY_NAME), declared);
    }

    fn check_ranges(&self, path: &str, problems: &mut Problems) {
        for (name, section) in self {
            section.check_ranges(&join(path, name), problems);
        }
    }
}

/// `name` in the section `path`.
pub(super) fn join(path: &str, name: &str) -> String {
    match path {
        "" => name.to_owned(),
        _ => format!("{path}.{name}"),
    }
}

/// A value that has a range.
pub(super) trait Ranged: Sized {
    /// `0 to 1024`
    fn describe(range: &RangeInclusive<Self>) -> String;

    /// What the value must be, where it is outside.
    fn refusal(&self, range: &RangeInclusive<Self>) -> Option<String>;
}

fn must_be_within(within: bool, range: [&dyn Display; 2], value: &dyn Display) -> Option<String> {
    let [least, most] = range;
    (!within).then(|| format!("must be from {least} to {most}, not {value}"))
}

macro_rules! ranged_numbers {
    ($($number:ty)+) => {$(
        impl Ranged for $number {
            fn describe(range: &RangeInclusive<Self>) -> String {
                format!("{} to {}", range.start(), range.end())
            }

            fn refusal(&self, range: &RangeInclusive<Self>) -> Option<String> {
                must_be_within(range.contains(self), [range.start(), range.end()], self)
            }
        }
    )+};
}

ranged_numbers!(u32 usize);

impl Ranged for Duration {
    fn describe(range: &RangeInclusive<Self>) -> String {
        let [least, most] = [*range.start(), *range.end()].map(duration::format);
        format!("{least} to {most}")
    }

    fn refusal(&self, range: &RangeInclusive<Self>) -> Option<String> {
        let [least, most, span] = [*range.start(), *range.end(), *self].map(duration::format);
        must_be_within(range.contains(self), [&least, &most], &span)
    }
}

/// Count and window have a range each.
impl Ranged for Rate {
    fn describe(range: &RangeInclusive<Self>) -> String {
        format!("{} to {}", range.start(), range.end())
    }

    fn refusal(&self, range: &RangeInclusive<Self>) -> Option<String> {
        let (least, most) = (range.start(), range.end());
        let count = self.count.refusal(&(least.count..=most.count));
        count.or_else(|| self.window.refusal(&(least.window..=most.window)))
    }
}

/// Declares a section: a struct, and what [`Section`] derives from it.
///
/// ```ignore
/// section! {
///     /// What the section is about.
///     Server {
///         /// Its purpose, and the reason for the default.
///         workers: usize = 0 in 0..=1_024,
///         /// A setting without a range, whose text is read in a form of its own.
///         #[serde(with = "web")]
///         public_url: Url = "http://localhost:3000",
///         /// No default: a section in the section.
///         limits: Limits,
///     }
/// }
/// ```
///
/// A default is written as in a settings file. A field under `skip` is not a setting.
macro_rules! section {
    (
        $(#[doc = $about:literal])+
        $name:ident {
            $(skip { $(#[doc = $skip_doc:literal])+ $skip:ident: $skip_type:ty })?
            $(
                $(#[doc = $doc:literal])+
                $(#[serde($($serde:tt)+)])?
                $field:ident: $type:ty $(= $default:tt $(in $range:expr)?)?,
            )+
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($(#[doc = $skip_doc])+ #[serde(skip)] pub $skip: $skip_type,)?
            $($(#[doc = $doc])+ $(#[serde($($serde)+)])? pub $field: $type,)+
        }

        impl $crate::config::declare::Section for $name {
            fn declare(path: &str, declared: &mut $crate::config::declare::Declared) {
                declared.sections.push((path.to_owned(), vec![$($about.trim()),+]));
                $($crate::config::declare::setting!(
                    declared, path, $field, $type, [$($doc),+], [$($default)?], [$($($range)?)?]
                );)+
            }

            fn check_ranges(&self, path: &str, problems: &mut $crate::config::problems::Problems) {
                let _ = (path, &problems);
                $($crate::config::declare::check!(
                    self, path, problems, $field, [$($default)?], [$($($range)?)?]
                );)+
            }
        }
    };
}

/// Declares one field of a section: a section in it has no default.
macro_rules! setting {
    ($declared:ident, $path:ident, $field:ident, $type:ty, $doc:tt, [], []) => {
        <$type as $crate::config::declare::Section>::declare(
            &$crate::config::declare::join($path, stringify!($field)),
            $declared,
        )
    };
    ($declared:ident, $path:ident, $field:ident, $type:ty, [$($doc:literal),+], [$default:tt], [$($range:expr)?]) => {
        $declared.settings.push($crate::config::declare::Setting {
            key: $crate::config::declare::join($path, stringify!($field)),
            default: $crate::config::declare::value(toml::toml! { value = $default }),
            range: None::<String>$(.or(Some(
                <$type as $crate::config::declare::Ranged>::describe(&$range)
            )))?,
            doc: vec![$($doc.trim()),+],
        })
    };
}

/// Checks one field of a section.
macro_rules! check {
    ($section:ident, $path:ident, $problems:ident, $field:ident, [], []) => {
        $crate::config::declare::Section::check_ranges(
            &$section.$field,
            &$crate::config::declare::join($path, stringify!($field)),
            $problems,
        )
    };
    ($section:ident, $path:ident, $problems:ident, $field:ident, [$default:tt], []) => {};
    ($section:ident, $path:ident, $problems:ident, $field:ident, [$default:tt], [$range:expr]) => {
        if let Some(refusal) = $crate::config::declare::Ranged::refusal(&$section.$field, &$range) {
            let key = $crate::config::declare::join($path, stringify!($field));
            $problems.refuse(&key, refusal);
        }
    };
}

pub(super) use {check, section, setting};

/// The value of a default, which `toml!` reads into a table.
pub(super) fn value(mut table: toml::Table) -> Value {
    table.remove("value").unwrap_or_else(|| Value::from(""))
}
