#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod pi;
mod state;

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use core::fmt;

use crate::state::State;

/// The most lanes that there is code for. Which number is the best for a core has to be measured.
pub const MAX_LANES: usize = 8;

/// What a lane's look-ups range over, in bytes: the four S-boxes. They have to stay in the first-level data cache.
pub const LANE_BYTES: usize = 4 * 256 * size_of::<u32>();

/// bcrypt's 24 bytes. The usual text form drops the last of them.
pub type Output = [u8; 24];

/// `N` hashes of one cost at once, each of its own salt and password; `N` is 1 to [`MAX_LANES`]. Of a password and
/// the NUL that bcrypt puts behind it 72 bytes count. A NUL within is hashed like any other byte.
///
/// ```
/// let [ours] = bcrypt_lanes::hash(4, [(&[7; 16], b"password")])?;
/// assert_eq!(ours, bcrypt::bcrypt(4, [7; 16], b"password\0"));
/// # Ok::<(), bcrypt_lanes::CostError>(())
/// ```
///
/// # Errors
/// [`CostError`] unless the cost is 4 to 31.
pub fn hash<const N: usize>(
    cost: u32,
    inputs: [(&[u8; 16], &[u8]); N],
) -> Result<[Output; N], CostError> {
    const { assert!(N >= 1 && N <= MAX_LANES, "1 to MAX_LANES at once") };
    let mut lanes = Lanes::new(N);
    for (index, (salt, password)) in inputs.into_iter().enumerate() {
        lanes.start(index, cost, salt, password)?;
    }
    let mut outputs = [[0; 24]; N];
    while !lanes.is_empty() {
        for (index, output) in lanes.advance(u32::MAX) {
            outputs[index] = output;
        }
    }
    Ok(outputs)
}

/// Hashes under way together on one thread. Each takes a lane when it starts and leaves it when it is done, whatever
/// the others do: costs may differ, and a hash may join others that are half done.
///
/// `T` is what the caller knows a hash by.
///
/// ```
/// let mut lanes = bcrypt_lanes::Lanes::new(4);
/// lanes.start("first", 5, &[1; 16], b"password")?;
/// assert!(lanes.advance(10).is_empty());
/// lanes.start("second", 4, &[2; 16], b"secret")?;
///
/// let mut done = Vec::new();
/// while !lanes.is_empty() {
///     done.extend(lanes.advance(10).into_iter().map(|(name, _)| name));
/// }
/// assert_eq!(done, ["second", "first"]);
/// # Ok::<(), bcrypt_lanes::CostError>(())
/// ```
pub struct Lanes<T> {
    /// One a lane. The first ones are those of `hashes`, in order; the rest are wiped.
    states: Box<[State]>,
    hashes: Vec<Hash<T>>,
}

struct Hash<T> {
    name: T,
    rounds_left: u32,
}

impl<T> Lanes<T> {
    /// Room for `width` hashes, all of it allocated here.
    ///
    /// # Panics
    /// Unless `width` is 1 to [`MAX_LANES`].
    pub fn new(width: usize) -> Self {
        assert!(
            (1..=MAX_LANES).contains(&width),
            "1 to {MAX_LANES} lanes, not {width}"
        );
        Self {
            states: vec![State::EMPTY; width].into(),
            hashes: Vec::with_capacity(width),
        }
    }

    /// How many hashes are under way.
    pub fn len(&self) -> usize {
        self.hashes.len()
    }

    /// Whether no hash is under way.
    pub fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }

    /// Whether no further hash can be started.
    pub fn is_full(&self) -> bool {
        self.hashes.len() == self.states.len()
    }

    /// Takes a lane for a hash. Of a password and the NUL that bcrypt puts behind it 72 bytes count; a NUL within is
    /// hashed like any other byte.
    ///
    /// # Errors
    /// [`CostError`] unless the cost is 4 to 31.
    ///
    /// # Panics
    /// When [`is_full`](Self::is_full).
    pub fn start(
        &mut self,
        name: T,
        cost: u32,
        salt: &[u8; 16],
        password: &[u8],
    ) -> Result<(), CostError> {
        if !(4..=31).contains(&cost) {
            return Err(CostError(cost));
        }
        assert!(!self.is_full(), "every lane is taken");
        self.states[self.hashes.len()].set_up(salt, password);
        self.hashes.push(Hash {
            name,
            rounds_left: 1 << cost,
        });
        Ok(())
    }

    /// Takes every hash `rounds` further, of the 2^cost that it has, or to the end of the one that ends first. Gives those
    /// that are done, in no particular order; their lanes are wiped and free.
    pub fn advance(&mut self, rounds: u32) -> Vec<(T, Output)> {
        let Some(first_end) = self.hashes.iter().map(|hash| hash.rounds_left).min() else {
            return Vec::new();
        };
        let rounds = rounds.min(first_end);
        run(&mut self.states[..self.hashes.len()], rounds);
        for hash in &mut self.hashes {
            hash.rounds_left -= rounds;
        }
        let mut done = Vec::new();
        for lane in (0..self.hashes.len()).rev() {
            if self.hashes[lane].rounds_left == 0 {
                let output = self.states[lane].digest();
                done.push((self.leave(lane), output));
            }
        }
        done
    }

    /// Gives up the hashes for which `wanted` is false; their lanes are wiped and free.
    pub fn retain(&mut self, mut wanted: impl FnMut(&T) -> bool) {
        for lane in (0..self.hashes.len()).rev() {
            if !wanted(&self.hashes[lane].name) {
                self.leave(lane);
            }
        }
    }

    /// Puts the last lane in the place of this one and wipes where it was.
    fn leave(&mut self, lane: usize) -> T {
        let (others, last) = self.states[..self.hashes.len()].split_at_mut(self.hashes.len() - 1);
        // Not `swap`: that would leave a copy of a state, with the password in it, on the stack.
        if let Some(place) = others.get_mut(lane) {
            place.copy_from(&last[0]);
        }
        last[0].wipe();
        self.hashes.swap_remove(lane).name
    }
}

impl<T> Drop for Lanes<T> {
    fn drop(&mut self) {
        self.states.iter_mut().for_each(State::wipe);
    }
}

impl<T> fmt::Debug for Lanes<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lanes")
            .field("width", &self.states.len())
            .field("len", &self.len())
            .finish()
    }
}

/// Each number of lanes is code of its own: the compiler has to know it to lay the rounds side by side.
fn run(lanes: &mut [State], rounds: u32) {
    fn exactly<const N: usize>(lanes: &mut [State], rounds: u32) {
        state::run::<N>(lanes.try_into().expect("as many as matched"), rounds);
    }
    match lanes.len() {
        1 => exactly::<1>(lanes, rounds),
        2 => exactly::<2>(lanes, rounds),
        3 => exactly::<3>(lanes, rounds),
        4 => exactly::<4>(lanes, rounds),
        5 => exactly::<5>(lanes, rounds),
        6 => exactly::<6>(lanes, rounds),
        7 => exactly::<7>(lanes, rounds),
        8 => exactly::<8>(lanes, rounds),
        more => unreachable!("{more} lanes"),
    }
}

/// A cost that bcrypt does not have: it is 4 to 31, the binary logarithm of the number of rounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CostError(pub u32);

impl fmt::Display for CostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bcrypt's cost is 4 to 31, not {}", self.0)
    }
}

impl core::error::Error for CostError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_are_wiped_after_a_hash_ends_or_is_cancelled() {
        let mut lanes = Lanes::new(3);
        for (name, cost) in [("short", 4), ("long", 5), ("unwanted", 5)] {
            lanes.start(name, cost, &[1; 16], b"password").unwrap();
        }
        lanes.retain(|name| *name != "unwanted");
        assert!(
            !lanes.states[0].is_wiped()
                && !lanes.states[1].is_wiped()
                && lanes.states[2].is_wiped()
        );
        assert_eq!(lanes.advance(u32::MAX)[0].0, "short");
        assert!(!lanes.states[0].is_wiped() && lanes.states[1].is_wiped());
        assert_eq!(lanes.advance(u32::MAX)[0].0, "long");
        assert!(lanes.states.iter().all(State::is_wiped));
    }

    #[test]
    fn a_lane_is_barely_larger_than_its_lookup_tables() {
        assert!(size_of::<State>() <= LANE_BYTES + 256);
    }
}
