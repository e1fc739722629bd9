//! bcrypt's eksblowfish (Provos and Mazières, 1999) on one lane, and its costly part on several at once.

use core::array;
use core::sync::atomic::{Ordering, compiler_fence};

use zeroize::Zeroize;

use crate::pi;

/// What is enciphered in the end: `OrpheanBeholderScryDoubt` in big-endian words.
const MAGIC: [[u32; 2]; 3] = [
    [0x4f72_7068, 0x6561_6e42],
    [0x6568_6f6c, 0x6465_7253],
    [0x6372_7944, 0x6f75_6274],
];

/// Blowfish's state, and the two keys that change it in turn. Aligned to a line of the cache, so that it fills as few of
/// them as it can.
#[derive(Clone)]
#[repr(align(64))]
pub(crate) struct State {
    boxes: [[u32; 256]; 4],
    p: [u32; 18],
    password: [u32; 18],
    salt: [u32; 4],
}

impl State {
    /// A lane with nothing in it.
    pub(crate) const EMPTY: Self = Self {
        boxes: [[0; 256]; 4],
        p: [0; 18],
        password: [0; 18],
        salt: [0; 4],
    };

    /// Takes over another lane's hash. By field, so that no copy comes to lie on the stack.
    pub(crate) fn copy_from(&mut self, other: &Self) {
        self.boxes = other.boxes;
        self.p = other.p;
        self.password = other.password;
        self.salt = other.salt;
    }

    /// Sets the lane up for a password: the expansion with salt and key together, which is done once. At most 72 bytes
    /// of password and NUL count.
    pub(crate) fn set_up(&mut self, salt: &[u8; 16], password: &[u8]) {
        fill_cycled(&mut self.password, password);
        self.salt =
            array::from_fn(|word| u32::from_be_bytes(array::from_fn(|byte| salt[4 * word + byte])));
        self.boxes = pi::S;
        self.p = array::from_fn(|word| pi::P[word] ^ self.password[word]);

        let (mut left, mut right) = ([0], [0]);
        for pair in 0..9 + 512 {
            left[0] ^= self.salt[2 * pair % 4];
            right[0] ^= self.salt[2 * pair % 4 + 1];
            encipher(array::from_ref(self), &mut left, &mut right);
            let (table, at) = match pair {
                0..9 => (&mut self.p[..], 2 * pair),
                _ => (&mut self.boxes[(pair - 9) / 128][..], (pair - 9) % 128 * 2),
            };
            (table[at], table[at + 1]) = (left[0], right[0]);
        }
    }

    /// The hash, after all the rounds.
    pub(crate) fn digest(&self) -> [u8; 24] {
        let mut digest = [0; 24];
        for (bytes, [left, right]) in digest.chunks_exact_mut(8).zip(MAGIC) {
            let (mut left, mut right) = ([left], [right]);
            for _ in 0..64 {
                encipher(array::from_ref(self), &mut left, &mut right);
            }
            bytes[..4].copy_from_slice(&left[0].to_be_bytes());
            bytes[4..].copy_from_slice(&right[0].to_be_bytes());
        }
        digest
    }

    /// Overwrites everything that a password went into.
    pub(crate) fn wipe(&mut self) {
        self.boxes.as_flattened_mut().zeroize();
        self.p.zeroize();
        self.password.zeroize();
        self.salt.zeroize();
    }

    #[cfg(test)]
    pub(crate) fn is_wiped(&self) -> bool {
        let words = self
            .boxes
            .iter()
            .flatten()
            .chain(&self.p)
            .chain(&self.password)
            .chain(&self.salt);
        words.into_iter().all(|word| *word == 0)
    }
}

/// `rounds` of 2^cost: the state changed by the password, then by the salt, in every lane.
pub(crate) fn run<const N: usize>(lanes: &mut [State; N], rounds: u32) {
    for _ in 0..rounds {
        for lane in lanes.iter_mut() {
            lane.p
                .iter_mut()
                .zip(&lane.password)
                .for_each(|(word, key)| *word ^= key);
        }
        expand(lanes);
        for lane in lanes.iter_mut() {
            lane.p
                .iter_mut()
                .zip(lane.salt.iter().cycle())
                .for_each(|(word, key)| *word ^= key);
        }
        expand(lanes);
    }
}

/// Replaces P-array and S-boxes by what they encipher themselves to. A function of its own, so that the registers are
/// all its own.
#[inline(never)]
fn expand<const N: usize>(lanes: &mut [State; N]) {
    let (mut left, mut right) = ([0; N], [0; N]);
    for pair in 0..9 {
        encipher(lanes, &mut left, &mut right);
        for lane in 0..N {
            lanes[lane].p[2 * pair] = left[lane];
            lanes[lane].p[2 * pair + 1] = right[lane];
        }
    }
    for table in 0..4 {
        for pair in 0..128 {
            encipher(lanes, &mut left, &mut right);
            for lane in 0..N {
                lanes[lane].boxes[table][2 * pair] = left[lane];
                lanes[lane].boxes[table][2 * pair + 1] = right[lane];
            }
        }
    }
}

/// One block in every lane. The lanes take each round together: that is what keeps the core busy while one of them waits
/// for its look-ups.
#[inline(always)]
fn encipher<const N: usize>(lanes: &[State; N], left: &mut [u32; N], right: &mut [u32; N]) {
    for lane in 0..N {
        left[lane] ^= lanes[lane].p[0];
    }
    for pair in 0..8 {
        for lane in 0..N {
            right[lane] ^= mix(&lanes[lane].boxes, left[lane]) ^ lanes[lane].p[2 * pair + 1];
            one_lane_after_another();
        }
        for lane in 0..N {
            left[lane] ^= mix(&lanes[lane].boxes, right[lane]) ^ lanes[lane].p[2 * pair + 2];
            one_lane_after_another();
        }
    }
    // By word: swapped whole, two lanes' words come to share a register, and each has to be taken out again.
    for lane in 0..N {
        (left[lane], right[lane]) = (right[lane] ^ lanes[lane].p[17], left[lane]);
    }
}

/// Keeps the compiler from mixing the look-ups of two lanes: it would run out of registers and spill. The core reorders
/// what it needs to by itself. No instruction comes of it.
#[inline(always)]
fn one_lane_after_another() {
    compiler_fence(Ordering::AcqRel);
}

/// Blowfish's F.
#[inline(always)]
fn mix(boxes: &[[u32; 256]; 4], word: u32) -> u32 {
    // Shifts rather than `to_be_bytes`, which becomes a `bswap` in the way of the first look-up.
    let [a, b, c, d] = [24, 16, 8, 0].map(|shift| usize::from((word >> shift) as u8));
    (boxes[0][a].wrapping_add(boxes[1][b]) ^ boxes[2][c]).wrapping_add(boxes[3][d])
}

/// Password and NUL, cut at 72 bytes, repeated to fill the P-array, in big-endian words.
fn fill_cycled(words: &mut [u32; 18], password: &[u8]) {
    let mut bytes = password.iter().copied().chain([0]).take(72).cycle();
    for word in words {
        *word = (0..4).fold(0, |word, _| {
            word << 8 | u32::from(bytes.next().unwrap_or_default())
        });
    }
}
