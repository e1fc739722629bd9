//! Reads CBOR (RFC 8949) in the form that authenticators must write (CTAP 2.2, 8), without copying: shortest and definite
//! lengths, no tags, no floats, no repeated keys. The order of keys is not checked, since it has no meaning and password
//! managers write CBOR of their own.

use std::collections::BTreeSet;

use super::refusal::Refusal;

/// Levels of arrays and maps. The deepest that is known, a compound attestation with certificates, has six.
const MAX_DEPTH: usize = 8;

/// A data item.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Item<'a> {
    Integer(i128),
    Bytes(&'a [u8]),
    Text(&'a str),
    /// Nothing here needs what is in one.
    Array,
    Map(Vec<(Self, Self)>),
    /// `false`, `true`, `null` or `undefined`.
    Simple,
}

impl<'a> Item<'a> {
    /// The value of a key, if this is a map that has it.
    pub(super) fn get(&self, key: &Item<'_>) -> Option<&Self> {
        let Self::Map(entries) = self else {
            return None;
        };
        let entry = entries.iter().find(|(name, _)| name == key);
        entry.map(|(_, value)| value)
    }
}

/// Reads one item after another.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// What follows the items that were read.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next item.
    pub(super) fn item(&mut self) -> Result<Item<'a>, Refusal> {
        self.nested(0)
    }

    fn nested(&mut self, depth: usize) -> Result<Item<'a>, Refusal> {
        let (kind, argument) = self.head()?;
        if matches!(kind, 4 | 5) && depth == MAX_DEPTH {
            return Err(Refusal::CborDepth);
        }
        match kind {
            0 => Ok(Item::Integer(argument.into())),
            1 => Ok(Item::Integer(-1 - i128::from(argument))),
            2 => Ok(Item::Bytes(self.take(argument)?)),
            3 => str::from_utf8(self.take(argument)?)
                .map(Item::Text)
                .map_err(|_| Refusal::CborForm),
            4 => {
                for _ in 0..argument {
                    self.nested(depth + 1)?;
                }
                Ok(Item::Array)
            }
            5 => self.map(argument, depth + 1),
            7 if (20..24).contains(&argument) => Ok(Item::Simple),
            _ => Err(Refusal::CborForm),
        }
    }

    /// The entries are collected as they come: their number is only a claim.
    fn map(&mut self, entries: u64, depth: usize) -> Result<Item<'a>, Refusal> {
        let (mut keys, mut read) = (BTreeSet::new(), Vec::new());
        for _ in 0..entries {
            let start = self.rest;
            let key = self.nested(depth)?;
            // Of the shortest form, equal keys have equal bytes.
            if !keys.insert(&start[..start.len() - self.rest.len()]) {
                return Err(Refusal::CborDuplicateKey);
            }
            read.push((key, self.nested(depth)?));
        }
        Ok(Item::Map(read))
    }

    /// Major type and argument (RFC 8949, 3).
    fn head(&mut self) -> Result<(u8, u64), Refusal> {
        let &[first] = self.take(1)? else {
            return Err(Refusal::CborTruncated);
        };
        let (kind, info) = (first >> 5, first & 0b1_1111);
        let (length, least) = match info {
            0..24 => return Ok((kind, info.into())),
            24 if kind != 7 => (1, 24),
            25 if kind != 7 => (2, 1 << 8),
            26 if kind != 7 => (4, 1 << 16),
            27 if kind != 7 => (8, 1 << 32),
            _ => return Err(Refusal::CborForm),
        };
        let bytes = self.take(length)?;
        let argument = bytes
            .iter()
            .fold(0, |sum, byte| sum << 8 | u64::from(*byte));
        if argument < least {
            return Err(Refusal::CborForm);
        }
        Ok((kind, argument))
    }

    fn take(&mut self, length: u64) -> Result<&'a [u8], Refusal> {
        let length = usize::try_from(length).map_err(|_| Refusal::CborTruncated)?;
        let (taken, rest) = self
            .rest
            .split_at_checked(length)
            .ok_or(Refusal::CborTruncated)?;
        self.rest = rest;
        Ok(taken)
    }
}
